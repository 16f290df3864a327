/* Wi-Fi Direct groups: how many there are over time, and who is in whose. */

function groupsPlot() {
  const points = data.groups;
  if (!points) return;
  const kinds = [p => p.in, p => p.alone, p => p.up - p.in - p.alone], classes = ['a-gossip', 'a-sync', 'a-discovery'];
  const last = points[points.length - 1], most = Math.max(0, ...points.map(p => p.up));
  const label = most ? `Groups over time: at the end ${count(last.groups)} groups with ${count(last.in)} of ${count(last.up)} nodes; at most ${count(Math.max(...points.map(p => p.groups)))} groups` : 'Groups over time: none';
  plot('groups', label, g => {
    if (!most) return nothing(g, 'No groups');
    const y = upAxis(g, most, steps(most, 4, true), count, 'nodes, groups');
    const x = timeAxis(g, 0, ms(last.at), 'time in the run'), xs = points.map(p => x(ms(p.at)));
    const floor = points.map(() => 0);
    kinds.forEach((of, k) => {
      let up = '', down = '';
      points.forEach((p, i) => {
        down = `L${xs[i].toFixed(1)} ${y(floor[i]).toFixed(1)}` + down;
        up += `${i ? 'L' : 'M'}${xs[i].toFixed(1)} ${y(floor[i] += of(p)).toFixed(1)}`;
      });
      g.add('path', { class: classes[k], d: up + down + 'Z' });
    });
    g.add('path', { class: 'l-groups', d: points.map((p, i) => `${i ? 'L' : 'M'}${xs[i].toFixed(1)} ${y(p.groups).toFixed(1)}`).join('') });
    return at => {
      if (at < g.frame.left) return null;
      const i = nearest(xs, at), p = points[i];
      return { x: xs[i], lines: ['at ' + clock(ms(p.at)), `${count(p.groups)} groups with ${count(p.in)} nodes`, `${count(p.alone)} alone in their own`, `${count(p.up - p.in - p.alone)} in none`] };
    };
  });
}

/* ownersOf unpacks whose group each node is in, by frame; null where a film has no groups. */
function ownersOf(film) {
  if (!film.owners.some(o => o.length)) return null;
  let now = new Int32Array(film.nodes).fill(-1);
  return film.owners.map(changes => {
    if (changes.length) now = now.slice();
    for (let k = 0; k < changes.length; k += 2) now[changes[k]] = changes[k + 1];
    return now;
  });
}

/* spokes are the groups on the map: a line from each member to its owner, which is the way that all radio in a group takes. */
function spokes(c, p, owner, spots) {
  c.beginPath();
  owner.forEach((o, i) => {
    if (o < 0 || o === i) return;
    c.moveTo(spots[2 * i], spots[2 * i + 1]);
    c.lineTo(spots[2 * o], spots[2 * o + 1]);
  });
  c.strokeStyle = p.soft;
  c.globalAlpha = .7;
  c.lineWidth = 1.4;
  c.stroke();
  c.globalAlpha = 1;
}

/* crown is what an owner wears around its shape: a hexagon, and inside of it still what the node is. */
function crown(c, p, x, y, r, look) {
  c.beginPath();
  polygon(c, x, y, Array.from({ length: 6 }, (_, i) => [i * 4 / 3, r * (look.hub ? 2.6 : 2.1)]));
  c.lineWidth = 1.6;
  c.strokeStyle = p.ink;
  c.stroke();
}

/* roleOf says in words what a node is in its group. */
function roleOf(owner, node) {
  const o = owner[node], members = owner.filter((other, i) => other === node && i !== node).length;
  if (o < 0) return 'in no group';
  return o === node ? `owner of ${members} ${members === 1 ? 'member' : 'members'}` : `in the group of ${o}`;
}

/* inGroups counts the groups of a moment, for who cannot see the map. */
function inGroups(owner) {
  const members = owner.filter((o, i) => o >= 0 && o !== i), owners = new Set(members);
  return `${members.length + owners.size} are in ${owners.size} groups`;
}
