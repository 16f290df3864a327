/* The replay: the crowd as a film, and one message spreading in it. */

/* reelOf unpacks a replay: the places of each frame, its states, and which links came or went since the frame before. */
function reelOf(film) {
  const n = film.nodes, places = [], states = [], toggles = [];
  let place = new Int32Array(2 * n), state = 'u'.repeat(n);
  film.at.forEach((_, i) => {
    place = place.slice();
    film.places[i].forEach((d, k) => { place[k] += d; });
    state = film.states[i] || state;
    let link = 0;
    places.push(place);
    states.push(state.padEnd(n, 'u'));
    toggles.push(film.links[i].map(d => link += d));
  });
  const messages = film.messages.map(m => {
    let at = m.at;
    const times = m.times.map(d => at += d), order = new Map([[m.from, -1]]);
    m.nodes.forEach((node, i) => order.set(node, i));
    return { ...m, times, order };
  });
  return { n, at: film.at, places, states, toggles, messages, hubs: new Set(film.hubs), walls: film.walls, owners: ownersOf(film),
    known: film.places.some(p => p.length), width: film.width, height: film.height, end: Math.max(1, ...film.at.slice(-1)) };
}

/* until is how many of an ascending list are at most v. */
function until(list, v) {
  let low = 0, high = list.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (list[mid] <= v) low = mid + 1; else high = mid;
  }
  return low;
}

/* Links are those of one frame; going to another applies what came and went between them, either way: a toggle undoes itself. */
class Links {
  constructor(toggles) { this.toggles = toggles; this.frame = -1; this.up = new Set(); }
  toggle(frame) {
    for (const link of this.toggles[frame]) if (!this.up.delete(link)) this.up.add(link);
  }
  seek(frame) {
    while (this.frame < frame) this.toggle(++this.frame);
    while (this.frame > frame) this.toggle(this.frame--);
    return this.up;
  }
}

/* World places nodes on a canvas: in metres if places are known, in a circle if not. */
class World {
  constructor(reel) {
    this.reel = reel;
    let [x1, y1, x2, y2] = [0, 0, reel.width * 10, reel.height * 10];
    if (reel.known && !(x2 > 0 && y2 > 0)) {
      for (const place of reel.places) for (let k = 0; k < place.length; k += 2) { x2 = Math.max(x2, place[k]); y2 = Math.max(y2, place[k + 1]); }
    }
    if (!reel.known) [x2, y2] = [1000, 1000];
    Object.assign(this, { x1, y1, w: Math.max(1, x2 - x1), h: Math.max(1, y2 - y1) });
  }
  fit(width) {
    const pad = 18, foot = this.reel.known ? 16 : 0; /* room for the scale bar */
    this.width = width;
    this.height = Math.round(Math.min(Math.max(width * this.h / this.w, 200), Math.min(560, Math.max(300, innerHeight * .68))));
    this.scale = Math.min((width - 2 * pad) / this.w, (this.height - 2 * pad - foot) / this.h);
    this.left = (width - this.w * this.scale) / 2;
    this.top = (this.height - foot - this.h * this.scale) / 2;
  }
  point(x, y) { return [this.left + (x - this.x1) * this.scale, this.top + (y - this.y1) * this.scale]; }
  /* at is where all nodes are at a time: on the way from one frame to the next. */
  at(t, frame) {
    const { reel } = this, out = new Float32Array(2 * reel.n), next = Math.min(frame + 1, reel.at.length - 1);
    const share = next > frame ? Math.min(1, Math.max(0, (t - reel.at[frame]) / (reel.at[next] - reel.at[frame] || 1))) : 0;
    for (let i = 0; i < reel.n; i++) {
      let x, y;
      if (reel.known) {
        const a = reel.places[frame], b = reel.places[next];
        x = a[2 * i] + (b[2 * i] - a[2 * i]) * share;
        y = a[2 * i + 1] + (b[2 * i + 1] - a[2 * i + 1]) * share;
      } else {
        const turn = 2 * Math.PI * i / reel.n;
        x = 500 + 480 * Math.sin(turn);
        y = 500 - 480 * Math.cos(turn);
      }
      [out[2 * i], out[2 * i + 1]] = this.point(x, y);
    }
    return out;
  }
}

/* scaleBar draws a round number of metres. */
function scaleBar(c, p, world) {
  const metre = 10 * world.scale;
  const long = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000].findLast(m => m * metre <= 130) || 1;
  const x = Math.round(world.left) - 8.5, y = world.height - 9.5;
  c.strokeStyle = c.fillStyle = p.soft;
  c.lineWidth = 1.5;
  c.beginPath();
  c.moveTo(x, y - 4); c.lineTo(x, y); c.lineTo(x + long * metre, y); c.lineTo(x + long * metre, y - 4);
  c.stroke();
  c.font = '12px system-ui, sans-serif';
  c.fillText(long < 1000 ? long + ' m' : long / 1000 + ' km', x + long * metre + 7, y);
}

function replay(film) {
  byId('no-replay').hidden = Boolean(film && film.at.length);
  byId('film').hidden = !byId('no-replay').hidden;
  byId('keys').hidden = byId('film').hidden;
  if (byId('film').hidden) return;

  const reel = reelOf(film), world = new World(reel), links = new Links(reel.toggles);
  const canvas = byId('map'), stage = byId('stage'), strip = byId('strip'), scrub = byId('scrub'), choice = byId('message');
  const still = matchMedia('(prefers-reduced-motion: reduce)');
  const speeds = [...document.querySelectorAll('[name=speed]')];
  let c, s, p, message = reel.messages[0], now = 0, playing = false, last = 0, spots = new Float32Array(0);
  const speed = () => Number(speeds.find(r => r.checked).value);
  const frameAt = t => Math.max(0, until(reel.at, t) - 1);
  const has = () => !message || now < message.at ? 0 : 1 + until(message.times, now);
  const hasIt = i => message && now >= message.at && message.order.has(i) && (message.order.get(i) < 0 || message.times[message.order.get(i)] <= now);

  function drawLinks(up) {
    c.beginPath();
    for (const link of up) {
      const a = Math.floor(link / reel.n), b = link % reel.n;
      c.moveTo(spots[2 * a], spots[2 * a + 1]);
      c.lineTo(spots[2 * b], spots[2 * b + 1]);
    }
    c.strokeStyle = p.faint;
    c.globalAlpha = Math.min(.55, Math.max(.08, 60 / Math.sqrt(up.size * 40 + 1)));
    c.lineWidth = 1;
    c.stroke();
    c.globalAlpha = 1;
  }

  /* A transfer glows for most of a second of the viewer's time, whatever the speed of the film. */
  function drawTransfers(r) {
    if (!message) return;
    const glow = 800 * speed();
    for (let i = until(message.times, now - glow); i < message.times.length && message.times[i] <= now; i++) {
      const from = message.parent[i], to = message.nodes[i], age = (now - message.times[i]) / glow;
      const x = spots[2 * to], y = spots[2 * to + 1];
      c.strokeStyle = c.fillStyle = p.flash;
      c.globalAlpha = 1 - age;
      if (from >= 0) {
        const dx = spots[2 * from] - x, dy = spots[2 * from + 1] - y;
        c.lineWidth = r * .5;
        c.beginPath(); c.moveTo(x + dx, y + dy); c.lineTo(x, y); c.stroke();
        if (!still.matches && age < .4) { c.globalAlpha = 1; c.beginPath(); c.arc(x + dx * (1 - age / .4), y + dy * (1 - age / .4), r * .65, 0, 7); c.fill(); }
      }
      if (!still.matches) { c.lineWidth = r * .35; c.globalAlpha = (1 - age) * .6; c.beginPath(); c.arc(x, y, r * (1.4 + age * 1.6), 0, 7); c.stroke(); }
      c.globalAlpha = 1;
    }
  }

  function drawMap() {
    const frame = frameAt(now), state = reel.states[frame], r = Math.min(5.5, Math.max(2.5, Math.sqrt(world.width * world.height / reel.n) / 12));
    c.clearRect(0, 0, world.width, world.height);
    spots = world.at(now, frame);
    if (reel.known) {
      const edge = [...world.point(world.x1, world.y1).map(v => Math.round(v) - 8.5), Math.round(world.w * world.scale) + 17, Math.round(world.h * world.scale) + 17];
      c.strokeStyle = p.line;
      c.fillStyle = p.card;
      c.lineWidth = 1;
      c.fillRect(...edge);
      c.strokeRect(...edge);
    }
    const owner = reel.owners && reel.owners[frame];
    links.seek(frame);
    if (owner) spokes(c, p, owner, spots); else drawLinks(links.up);
    c.strokeStyle = p.soft;
    c.lineWidth = 4;
    c.lineCap = 'round';
    for (const [x1, y1, x2, y2] of reel.walls) { c.beginPath(); c.moveTo(...world.point(10 * x1, 10 * y1)); c.lineTo(...world.point(10 * x2, 10 * y2)); c.stroke(); }
    drawTransfers(r);
    const drawn = filled => {
      for (let i = 0; i < reel.n; i++) {
        if (Boolean(hasIt(i)) === filled) node(c, p, spots[2 * i], spots[2 * i + 1], r, { state: state[i], hub: reel.hubs.has(i), has: filled, author: message && message.from === i, owner: owner && owner[i] === i });
      }
    };
    drawn(false);
    drawn(true);
    if (reel.known) scaleBar(c, p, world);
  }

  /* The strip above the scrubber: how many have the message, over the whole run. */
  const pad = 8, deep = 44; /* half a thumb: the scrubber's ends are so far inside */
  function drawStrip() {
    const w = strip.clientWidth, x = t => pad + (w - 2 * pad) * Math.min(1, t / reel.end);
    const y = n => deep - (deep - 14) * n / reel.n;
    s.clearRect(0, 0, w, deep);
    s.fillStyle = p.wash;
    s.fillRect(pad, 10, w - 2 * pad, deep - 10);
    if (!message) return;
    s.fillStyle = p.ours;
    s.globalAlpha = .4;
    s.beginPath();
    s.moveTo(x(message.at), deep);
    [message.at, ...message.times].forEach((t, i) => { s.lineTo(x(t), y(i)); s.lineTo(x(t), y(i + 1)); });
    s.lineTo(x(reel.end), y(message.times.length + 1));
    s.lineTo(x(reel.end), deep);
    s.fill();
    s.globalAlpha = 1;
  }

  function say() {
    scrub.value = now;
    scrub.setAttribute('aria-valuetext', clock(now) + ' of ' + clock(reel.end));
    const b = document.createElement('b');
    b.textContent = clock(now);
    byId('clock').replaceChildren(b, ' / ' + clock(reel.end));
    const n = has();
    byId('has').textContent = count(n);
    byId('of').textContent = `of ${count(reel.n)} have it`;
    byId('bar').style.width = 100 * n / reel.n + '%';
    if (message) {
      byId('since').textContent = now < message.at ? `node ${message.from} publishes it at ${clock(message.at)}` : `${span(now - message.at)} since node ${message.from} published it`;
    }
    if (!playing) canvas.setAttribute('aria-label', `Map of ${reel.n} nodes at ${clock(now)}: ${n} have the message, ${reel.owners ? inGroups(reel.owners[frameAt(now)]) : links.up.size + ' links are up'}`);
  }

  function draw() {
    if (!c) return;
    drawMap();
    say();
  }

  function seek(t) {
    now = Math.min(reel.end, Math.max(0, t));
    draw();
  }

  function step(time) {
    if (!playing) return;
    /* A page that was in the background must not jump. */
    const passed = Math.min(100, Math.max(0, time - last)) * speed();
    last = time;
    seek(now + passed);
    if (now >= reel.end) return play(false);
    requestAnimationFrame(step);
  }

  function play(on) {
    if (on === playing) return;
    playing = on;
    byId('play').setAttribute('aria-pressed', on);
    byId('play').querySelector('span').textContent = on ? 'Pause' : 'Play';
    byId('play').querySelector('path').setAttribute('d', on ? 'M4 2.5h3v11H4zM9.5 2.5h3v11h-3z' : 'M4 2.5v11l9-5.5z');
    if (!on) return draw();
    if (now >= reel.end) now = 0;
    last = performance.now();
    requestAnimationFrame(step);
  }

  function choose(i) {
    message = reel.messages[i];
    byId('text').textContent = message.text;
    if (s) drawStrip();
    seek(message.at);
  }

  /* A message should take some seconds to reach most nodes: not a blink and not a lecture. */
  function pace() {
    const most = ms(data.latency.p90);
    (speeds.findLast(r => most / Number(r.value) >= 3 * second) || speeds[0]).checked = true;
  }

  function fasten() {
    pace();
    scrub.max = reel.end;
    scrub.step = Math.max(1, Math.round(reel.end / 1000));
    byId('spread').hidden = !reel.messages.length;
    byId('no-message').hidden = Boolean(reel.messages.length);
    byId('where').hidden = reel.known;
    reel.messages.forEach((m, i) => {
      const option = document.createElement('option');
      option.value = i;
      option.textContent = `${clock(m.at)}  node ${m.from}  ${m.text.slice(0, 60)}`;
      choice.append(option);
    });
    choice.addEventListener('change', () => choose(Number(choice.value)));
    scrub.addEventListener('input', () => seek(Number(scrub.value)));
    byId('play').addEventListener('click', () => play(!playing));
    canvas.addEventListener('click', () => { stage.focus({ preventScroll: true }); play(!playing); });
    speeds.forEach(r => r.addEventListener('change', draw));
    document.addEventListener('keydown', key);
    canvas.addEventListener('pointermove', point);
    canvas.addEventListener('pointerleave', () => { byId('map-tip').hidden = true; });
  }

  /* Keys count where the replay has the focus, or nothing has it and the map is in sight. Controls keep the keys that they know. */
  function key(e) {
    const inside = byId('replay').contains(e.target), box = stage.getBoundingClientRect();
    if (!inside && (e.target !== document.body || box.bottom < 80 || box.top > innerHeight - 80)) return;
    if (e.ctrlKey || e.metaKey || e.altKey || e.target.matches('select')) return;
    const range = e.target === scrub, radio = e.target.name === 'speed', by = (e.shiftKey ? 10 : 1) * speed() * second;
    const at = speeds.findIndex(r => r.checked);
    const act = {
      ' ': e.target.matches('button') ? null : () => play(!playing),
      ArrowLeft: range || radio ? null : () => seek(now - by),
      ArrowRight: range || radio ? null : () => seek(now + by),
      ArrowUp: e.target === stage ? () => { speeds[Math.min(at + 1, speeds.length - 1)].checked = true; draw(); } : null,
      ArrowDown: e.target === stage ? () => { speeds[Math.max(at - 1, 0)].checked = true; draw(); } : null,
      Home: range ? null : () => seek(0),
      End: range ? null : () => seek(reel.end),
    }[e.key];
    if (!act) return;
    e.preventDefault();
    act();
  }

  /* point says who is beneath the pointer. */
  function point(e) {
    const tip = byId('map-tip'), near = 14 * 14;
    let best = -1, least = near;
    for (let i = 0; i < reel.n; i++) {
      const d = (spots[2 * i] - e.offsetX) ** 2 + (spots[2 * i + 1] - e.offsetY) ** 2;
      if (d < least) [best, least] = [i, d];
    }
    tip.hidden = best < 0;
    if (best < 0) return;
    let n = 0;
    for (const link of links.up) if (Math.floor(link / reel.n) === best || link % reel.n === best) n++;
    const lines = [`${reel.hubs.has(best) ? 'hub' : 'node'} ${best}`, `${states[reel.states[frameAt(now)][best]] || 'up'}, ${n} ${n === 1 ? 'link' : 'links'}`];
    if (reel.owners) lines.push(roleOf(reel.owners[frameAt(now)], best));
    if (hasIt(best)) {
      const i = message.order.get(best);
      lines.push(i < 0 ? 'the author' : `had it after ${span(message.times[i] - message.at)}` + (message.parent[i] >= 0 ? `, from ${message.parent[i]}` : ''));
    }
    tip.textContent = lines.join('\n');
    tip.style.left = Math.max(4, Math.min(spots[2 * best] + 14, world.width - tip.offsetWidth - 4)) + 'px';
    tip.style.top = Math.max(4, Math.min(spots[2 * best + 1] - tip.offsetHeight - 10, world.height - tip.offsetHeight - 4)) + 'px';
  }

  /* The legend has what the film has. */
  function legend() {
    const seen = new Set(reel.states.join('')), looks = [];
    if (reel.messages.length) looks.push(['has it', { state: 'u', has: true }], ['has it not', { state: 'u' }], ['author', { state: 'u', has: true, author: true }]);
    if (reel.owners) looks.push(['owner of a group', { state: 'u', owner: true }], ['member', { state: 'u', member: true }], ['in no group', { state: 'u' }]);
    if (reel.messages.some(m => m.parent.some(from => from >= 0))) looks.push(['just passed on', { transfer: true }]);
    if (reel.hubs.size) looks.push(['hub', { state: 'u', hub: true }]);
    for (const letter in states) if (letter !== 'u' && seen.has(letter)) looks.push([states[letter], { state: letter }]);
    byId('legend').replaceChildren(...looks.map(([name, look]) => {
      const item = document.createElement('div'), mark = document.createElement('canvas');
      item.setAttribute('role', 'listitem');
      mark.setAttribute('aria-hidden', 'true');
      mark.style.width = '20px';
      const small = sharp(mark, 20, 20);
      if (look.transfer) {
        small.strokeStyle = p.flash;
        small.lineWidth = 2.5;
        small.beginPath(); small.moveTo(2, 15); small.lineTo(18, 5); small.stroke();
      }
      if (look.member) spokes(small, p, [-1, 0], [16, 16, 5, 5]);
      const at = look.member ? 6 : 10;
      if (!look.transfer) node(small, p, at, at, look.member || look.owner ? 4 : 5, look);
      item.append(mark, name);
      return item;
    }));
  }

  fasten();
  whenRedrawn(stage, () => {
    p = palette();
    world.fit(stage.clientWidth);
    c = sharp(canvas, world.width, world.height);
    s = sharp(strip, strip.clientWidth, deep);
    legend();
    drawStrip();
    draw();
  });
  if (message) choose(0); else say();
}
