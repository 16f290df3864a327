/* The plots. Each is an SVG that is drawn anew when its width changes, so that its letters keep their size. */

/* plot draws a figure and returns nothing. draw gets {w, h, add, tip}: the size, a function that adds an element, and one that
   says what the pointer at x shows: an array of lines and the x they belong to. */
function plot(id, label, draw) {
  const figure = byId(id), svg = figure.querySelector('svg');
  svg.setAttribute('aria-label', label);
  const tip = figure.appendChild(document.createElement('div'));
  tip.className = 'tip';
  tip.hidden = true;
  let show = () => null, cross;
  const add = (name, attributes, text) => {
    const e = document.createElementNS(svg.namespaceURI, name);
    for (const key in attributes) e.setAttribute(key, attributes[key]);
    if (text !== undefined) e.textContent = text;
    return svg.appendChild(e);
  };
  const leave = () => { tip.hidden = true; cross?.setAttribute('visibility', 'hidden'); };
  const move = event => {
    const box = figure.getBoundingClientRect(), at = show(event.clientX - box.left);
    if (!at) return leave();
    tip.textContent = at.lines.join('\n');
    tip.hidden = false;
    tip.style.left = Math.max(0, Math.min(at.x + 12, box.width - tip.offsetWidth)) + 'px';
    if (at.x + 12 + tip.offsetWidth > box.width) tip.style.left = Math.max(0, at.x - 12 - tip.offsetWidth) + 'px';
    tip.style.top = Math.max(0, Math.min(event.clientY - box.top - tip.offsetHeight - 8, box.height - tip.offsetHeight)) + 'px';
    cross.setAttribute('transform', `translate(${at.x} 0)`);
    cross.setAttribute('visibility', at.bare ? 'hidden' : 'visible');
  };
  figure.addEventListener('pointermove', move);
  figure.addEventListener('pointerdown', move);
  figure.addEventListener('pointerleave', leave);
  whenRedrawn(figure, () => {
    const w = figure.clientWidth, h = figure.clientHeight;
    svg.replaceChildren();
    svg.setAttribute('viewBox', `0 0 ${w} ${h}`);
    leave();
    show = draw({ w, h, add, frame: { left: 58, right: w - 10, top: 30, bottom: h - 42 } }) || (() => null);
    cross = add('line', { class: 'cross', x1: 0, x2: 0, y1: 30, y2: h - 42, visibility: 'hidden' });
  });
}

/* nothing says that there is nothing to draw. */
function nothing(g, words) {
  g.add('text', { x: g.w / 2, y: g.h / 2, 'text-anchor': 'middle' }, words);
}

/* steps are about n round numbers from 0 to most, or whole ones: of what is counted there is no half. */
function steps(most, n, whole = false) {
  const rough = most / n, ten = 10 ** Math.floor(Math.log10(rough || 1));
  const step = [1, 2, 2.5, 5, 10].map(m => m * ten).find(s => s >= rough * .999 && (!whole || Number.isInteger(s))) || 1;
  return Array.from({ length: Math.floor(most / step + 1e-9) + 1 }, (_, i) => i * step);
}

/* upAxis draws the vertical axis with its grid and returns the place of a value. */
function upAxis(g, most, ticks, show, title) {
  const { left, right, top, bottom } = g.frame;
  const y = v => bottom - (bottom - top) * v / (most || 1);
  for (const v of ticks) {
    g.add('line', { class: v ? 'rule' : 'axis', x1: left, x2: right, y1: y(v), y2: y(v) });
    g.add('text', { x: left - 8, y: y(v) + 4, 'text-anchor': 'end' }, show(v));
  }
  g.add('text', { x: 0, y: 12 }, title);
  return y;
}

const second = 1000, minute = 60 * second, hour = 60 * minute, day = 24 * hour;
const timeSteps = [1, 2, 5, 10, 20, 50, 100, 200, 500, second, 2 * second, 5 * second, 10 * second, 20 * second, 30 * second, minute,
  2 * minute, 5 * minute, 10 * minute, 20 * minute, 30 * minute, hour, 2 * hour, 3 * hour, 6 * hour, 12 * hour, day, 2 * day, 7 * day, 30 * day];
const timeTens = [1, 10, 100, second, 10 * second, minute, 10 * minute, hour, 6 * hour, day, 7 * day, 30 * day];

/* timeAxis draws a horizontal axis of durations, logarithmic from a least one if that is given. It returns the place of a duration. */
function timeAxis(g, least, most, title) {
  const { left, right, top, bottom } = g.frame;
  const x = least
    ? ms => left + (right - left) * Math.max(0, Math.log(Math.max(ms, least) / least) / Math.log(most / least || 2))
    : ms => left + (right - left) * ms / (most || 1);
  let ticks;
  if (least) {
    ticks = timeTens.filter(t => t >= least && t <= most);
    if (ticks.length < 3) ticks = timeSteps.filter(t => t >= least && t <= most);
  } else {
    const step = timeSteps.find(s => most / s <= (right - left) / 64) || most;
    ticks = Array.from({ length: Math.floor(most / step + 1e-9) + 1 }, (_, i) => i * step);
  }
  let last = -1e9;
  for (const t of ticks) {
    if (x(t) - last < 44) continue;
    last = x(t);
    g.add('line', { class: 'axis', x1: x(t), x2: x(t), y1: bottom, y2: bottom + 4 });
    g.add('text', { x: x(t), y: bottom + 18, 'text-anchor': x(t) > right - 14 ? 'end' : 'middle' }, t ? span(t) : '0');
  }
  g.add('text', { x: right, y: g.h - 4, 'text-anchor': 'end' }, title + (least ? ', logarithmic' : ''));
  g.add('line', { class: 'axis', x1: left, x2: right, y1: bottom, y2: bottom });
  return x;
}

/* leastOf is where a logarithmic axis for these durations begins, or 0 if a plain one shows them well. */
function leastOf(times) {
  const positive = times.filter(t => t > 0);
  const least = Math.min(...positive), most = Math.max(...positive);
  return positive.length > 2 && most / least > 60 ? least : 0;
}

/* nearest is the index of the value that is nearest to v in an ascending list. */
function nearest(list, v) {
  let low = 0, high = list.length - 1;
  while (high - low > 1) {
    const mid = (low + high) >> 1;
    if (list[mid] <= v) low = mid; else high = mid;
  }
  return Math.abs(list[low] - v) <= Math.abs(list[high] - v) ? low : high;
}

const ms = ns => ns / 1e6;

function curvePlot() {
  const points = data.curve, end = points[points.length - 1];
  const label = end ? `Delivery curve: ${percent(end.share)} delivered ${span(ms(end.after))} after publishing, the oracle ${percent(end.oracle)}; ` +
    `half of the deliveries within ${span(ms(data.latency.p50))}, by the oracle within ${span(ms(data.oracle_latency.p50))}` : 'Delivery curve: no deliveries';
  plot('curve', label, g => {
    if (!end) return nothing(g, 'No deliveries');
    const times = points.map(p => ms(p.after));
    const y = upAxis(g, 1, [0, .25, .5, .75, 1], v => v * 100 + '%', 'share of all messages × nodes');
    const x = timeAxis(g, leastOf(times), times[times.length - 1], 'time since publishing');
    const xs = times.map(x);
    const line = of => points.map((p, i) => `${i ? 'L' : 'M'}${xs[i].toFixed(1)} ${y(Math.min(1, of(p))).toFixed(1)}`).join('');
    g.add('path', { class: 'a-ours', d: `${line(p => p.share)}L${xs[xs.length - 1]} ${y(0)}L${xs[0]} ${y(0)}Z` });
    g.add('path', { class: 'l-oracle', d: line(p => p.oracle) });
    g.add('path', { class: 'l-ours', d: line(p => p.share) });
    const dots = ['b-oracle', 'b-ours'].map(c => g.add('circle', { class: c, r: 4, visibility: 'hidden' }));
    return at => {
      const i = nearest(xs, at), p = points[i];
      [p.oracle, p.share].forEach((v, k) => {
        dots[k].setAttribute('cx', xs[i]);
        dots[k].setAttribute('cy', y(Math.min(1, v)));
        dots[k].setAttribute('visibility', 'visible');
      });
      return { x: xs[i], lines: ['after ' + span(times[i]), 'nodes   ' + percent(p.share), 'oracle  ' + percent(p.oracle)] };
    };
  });
}

/* columns draws bars that stand between edges and returns what the pointer shows. */
function columns(g, y, edges, values, lines) {
  const bars = values.map((v, i) => {
    const gap = Math.min(2, (edges[i][1] - edges[i][0]) * .15);
    const height = v ? Math.max(1, y(0) - y(v)) : 0;
    return g.add('rect', { class: 'b-ours', x: edges[i][0] + gap / 2, width: Math.max(.5, edges[i][1] - edges[i][0] - gap), y: y(0) - height, height, rx: Math.min(2, height) });
  });
  return at => {
    const i = edges.findIndex(e => at >= e[0] && at < e[1]);
    bars.forEach((b, k) => b.classList.toggle('lit', k === i));
    return i < 0 ? null : { x: (edges[i][0] + edges[i][1]) / 2, lines: lines(i), bare: true };
  };
}

function latencyPlot() {
  const bins = data.histogram, all = bins.reduce((sum, b) => sum + b.n, 0);
  const marks = [['p50', data.latency.p50], ['p90', data.latency.p90], ['p99', data.latency.p99]];
  plot('latency', all ? `Latency of ${count(all)} deliveries: ${marks.map(([n, t]) => n + ' ' + span(ms(t))).join(', ')}, last ${span(ms(data.latency.last))}` : 'Latency: no deliveries', g => {
    if (!all) return nothing(g, 'No deliveries');
    g.frame.top = 62;
    const most = Math.max(...bins.map(b => b.n)), ticks = steps(most, 4, true);
    const y = upAxis(g, most, ticks, count, 'deliveries');
    const ends = bins.map(b => ms(b.up_to)), least = leastOf(ends);
    const x = timeAxis(g, least && least / (ends.length > 1 ? Math.min(ends[1] / ends[0] || 2, 4) : 2), ends[ends.length - 1], 'latency');
    const edges = ends.map((e, i) => [i ? x(ends[i - 1]) : g.frame.left, x(e)]);
    const show = columns(g, y, edges, bins.map(b => b.n), i =>
      [`${i ? span(ends[i - 1]) : '0'} to ${span(ends[i])}`, `${count(bins[i].n)} deliveries`, percent(bins[i].n / all)]);
    /* The last mark is the highest, and each has its words at its left: so no line crosses the words of another. */
    marks.forEach(([name, t], i) => {
      const at = Math.min(x(ms(t)), g.frame.right), top = 20 + 15 * (marks.length - 1 - i), flip = at < g.frame.left + 30;
      g.add('line', { class: 'quant', x1: at, x2: at, y1: top - 8, y2: g.frame.bottom });
      g.add('text', { class: 'strong', x: at + (flip ? 6 : -6), y: top, 'text-anchor': flip ? 'start' : 'end' }, `${name} ${span(ms(t))}`);
    });
    return show;
  });
}

function hopsPlot() {
  const hops = data.hops, all = hops.reduce((sum, n) => sum + n, 0), top = hops.indexOf(Math.max(...hops));
  plot('hops', all ? `Links crossed by ${count(all)} deliveries: most often ${top} (${percent(hops[top] / all)}), at most ${hops.length - 1}` : 'Links crossed: no deliveries', g => {
    if (!all) return nothing(g, 'No deliveries');
    const most = Math.max(...hops), first = hops[0] ? 0 : 1, shown = hops.slice(first);
    const y = upAxis(g, most, steps(most, 4, true), count, 'deliveries');
    const { left, right, bottom } = g.frame, pitch = (right - left) / shown.length, thick = Math.min(pitch, 56);
    const edges = shown.map((_, i) => [left + pitch * (i + .5) - thick / 2 + 1, left + pitch * (i + .5) + thick / 2 - 1]);
    const every = Math.ceil(26 / pitch);
    shown.forEach((n, i) => {
      const mid = (edges[i][0] + edges[i][1]) / 2;
      if (i % every === 0) g.add('text', { x: mid, y: bottom + 18, 'text-anchor': 'middle' }, i + first);
      if (pitch >= 44) g.add('text', { class: 'strong', x: mid, y: y(n) - 6, 'text-anchor': 'middle' }, fixed(100 * n / all, n / all < .1 ? 1 : 0) + '%');
    });
    g.add('text', { x: right, y: g.h - 4, 'text-anchor': 'end' }, 'links between the author and the node');
    return columns(g, y, edges, shown, i => [`${i + first} ${i + first === 1 ? 'link' : 'links'}`, `${count(shown[i])} deliveries`, percent(shown[i] / all)]);
  });
}

function trafficPlot() {
  const points = data.traffic, kinds = ['discovery', 'sync', 'gossip'];
  const sum = kind => points.reduce((s, p) => s + p[kind], 0);
  const starts = points.map((p, i) => i ? ms(points[i - 1].at) : 0);
  const rates = points.map((p, i) => kinds.map(kind => p[kind] / Math.max(.001, (ms(p.at) - starts[i]) / 1000)));
  const total = r => r[0] + r[1] + r[2];
  const peak = Math.max(0, ...rates.map(total));
  plot('traffic', peak ? `Traffic of all nodes: gossip ${size(sum('gossip'))}, sync ${size(sum('sync'))}, discovery ${size(sum('discovery'))}; at most ${size(peak)} a second` : 'Traffic: none', g => {
    if (!peak) return nothing(g, 'No traffic');
    let unit = 1;
    while (peak / unit >= 1000) unit *= 1024;
    const y = upAxis(g, peak, steps(peak / unit, 4, unit === 1).map(v => v * unit), v => v ? size(v).replace(/ .*/, '') : '0', `${size(unit).replace(/[\d.]+ /, '')} per second`);
    const x = timeAxis(g, 0, ms(points[points.length - 1].at), 'time in the run');
    const floor = points.map(() => 0);
    kinds.forEach((kind, k) => {
      let up = '', down = '';
      points.forEach((p, i) => {
        const from = x(starts[i]).toFixed(1), to = x(ms(p.at)).toFixed(1), low = y(floor[i]).toFixed(1), high = y(floor[i] += rates[i][k]).toFixed(1);
        up += `${i ? 'L' : 'M'}${from} ${high}L${to} ${high}`;
        down = `L${to} ${low}L${from} ${low}` + down;
      });
      g.add('path', { class: 'a-' + kind, d: up + down + 'Z' });
    });
    const xs = points.map((p, i) => x((starts[i] + ms(p.at)) / 2));
    return at => {
      if (at < g.frame.left) return null;
      const i = nearest(xs, at), r = rates[i];
      return { x: xs[i], lines: [`${clock(starts[i])} to ${clock(ms(points[i].at))}`, ...[2, 1, 0].map(k => `${kinds[k]}  ${size(r[k])}/s`), `all  ${size(total(r))}/s`] };
    };
  });
}
