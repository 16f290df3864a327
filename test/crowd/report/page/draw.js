/* What every part of the page draws with: its data, colours from the style sheet, figures for people, shapes for nodes.
   Texts of messages come from strangers: they go into textContent and onto canvases, never into markup. */
'use strict';

const byId = id => document.getElementById(id);
const data = JSON.parse(byId('data').textContent);

/* The colours of the scheme in force; read again when the scheme changes. */
function palette() {
  const style = getComputedStyle(document.documentElement);
  const of = name => style.getPropertyValue('--' + name).trim();
  return Object.fromEntries(['card', 'wash', 'ink', 'soft', 'faint', 'line', 'ours', 'flash', 'bad'].map(name => [name, of(name)]));
}

/* whenRedrawn calls draw now, and again when the element gets another size or the scheme another colour. */
function whenRedrawn(element, draw) {
  let width = 0, asked = false;
  const soon = () => {
    if (!asked) requestAnimationFrame(() => { asked = false; draw(); });
    asked = true;
  };
  new ResizeObserver(() => {
    if (element.clientWidth === width) return;
    width = element.clientWidth;
    soon();
  }).observe(element);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', soon);
}

/* sharp gives a canvas the pixels that its place on the screen has, and a context that counts in CSS pixels. */
function sharp(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.max(1, Math.round(height * ratio));
  canvas.style.height = height + 'px';
  const context = canvas.getContext('2d');
  context.scale(ratio, ratio);
  return context;
}

const two = n => String(n).padStart(2, '0');
const fixed = (v, digits) => String(Number(v.toFixed(digits)));

/* span shows milliseconds as a duration: 840ms, 12.3s, 4m05s, 4m, 2h10m, 3d4h. */
function span(ms) {
  if (ms === 0) return '0s';
  if (ms < 1) return fixed(ms * 1000, 0) + 'µs';
  if (ms < 999.5) return Math.round(ms) + 'ms';
  if (ms < 59950) return fixed(ms / 1000, 1) + 's';
  const s = Math.round(ms / 1000), m = Math.round(ms / 60000), h = Math.round(ms / 3600000);
  if (s < 3600) return Math.floor(s / 60) + 'm' + (s % 60 ? two(s % 60) + 's' : '');
  if (m < 2880) return Math.floor(m / 60) + 'h' + (m % 60 ? two(m % 60) + 'm' : '');
  return Math.floor(h / 24) + 'd' + (h % 24 ? h % 24 + 'h' : '');
}

/* clock shows milliseconds as a time of the run: 0:07, 12:03, 1:02:03. */
function clock(ms) {
  const s = Math.floor(ms / 1000), h = Math.floor(s / 3600);
  return (h ? h + ':' + two(Math.floor(s / 60) % 60) : Math.floor(s / 60)) + ':' + two(s % 60);
}

const count = n => Math.round(n).toLocaleString('en-US');
const percent = share => share > 0 && share < .0005 ? '<0.1%' : fixed(share * 100, 1) + '%';

/* size shows bytes. */
function size(bytes) {
  let unit = 0;
  for (; bytes >= 1000 && unit < 3; unit++) bytes /= 1024;
  return (unit === 0 || bytes >= 100 ? count(bytes) : fixed(bytes, bytes >= 10 ? 1 : 2)) + ' ' + ['B', 'KiB', 'MiB', 'GiB'][unit];
}

/* The states of a node, by their letter in a frame. Each has a shape of its own, so that no colour need be told apart. */
const states = { u: 'up', d: 'down', z: 'dozing', m: 'mute', l: 'liar', f: 'flooder' };

/* polygon goes around points that are given as angle (in eighths of a turn from the top) and distance. */
function polygon(c, x, y, corners) {
  corners.forEach(([eighth, r], i) => {
    const a = (eighth / 4 - .5) * Math.PI;
    c[i ? 'lineTo' : 'moveTo'](x + r * Math.cos(a), y + r * Math.sin(a));
  });
  c.closePath();
}

/* outline is the path of a node's shape. */
function outline(c, x, y, r, state) {
  c.beginPath();
  switch (state) {
    case 'd': c.moveTo(x - r * .8, y - r * .8); c.lineTo(x + r * .8, y + r * .8); c.moveTo(x - r * .8, y + r * .8); c.lineTo(x + r * .8, y - r * .8); break;
    case 'z': c.arc(x, y - r * .4, r * 1.15, 0, Math.PI); c.closePath(); break;
    case 'm': polygon(c, x, y, [[0, r * 1.3], [8 / 3, r * 1.3], [16 / 3, r * 1.3]]); break;
    case 'l': polygon(c, x, y, [[0, r * 1.35], [2, r * 1.35], [4, r * 1.35], [6, r * 1.35]]); break;
    case 'f': polygon(c, x, y, Array.from({ length: 12 }, (_, i) => [i * 2 / 3, i % 2 ? r * .75 : r * 1.6])); break;
    case 'hub': c.rect(x - r * 1.35, y - r * 1.35, r * 2.7, r * 2.7); break;
    default: c.arc(x, y, r, 0, 2 * Math.PI);
  }
}

/* node draws one: look is {state, hub, has, author, owner}. */
function node(c, p, x, y, r, look) {
  const paint = (shape, size) => {
    outline(c, x, y, size, shape);
    c.lineWidth = shape !== 'd' ? 1.5 : look.has ? 3.2 : 1.8;
    c.fillStyle = look.has ? p.ours : p.card;
    c.strokeStyle = look.has ? p.ours : shape === 'd' ? p.faint : p.soft;
    if (shape !== 'd') c.fill();
    c.stroke();
  };
  if (look.hub) paint('hub', look.state === 'u' ? r : r * 1.5);
  if (!look.hub || look.state !== 'u') {
    if (look.hub) { /* what is in a square is drawn on its ground */
      outline(c, x, y, r * 1.3, 'hub');
      c.fillStyle = p.card;
      c.fill();
    }
    paint(look.state, r);
  }
  if (look.owner) crown(c, p, x, y, r, look);
  if (look.author) {
    c.beginPath();
    c.arc(x, y, r + (look.hub ? 6.5 : 4.5), 0, 2 * Math.PI);
    c.lineWidth = 2;
    c.strokeStyle = p.ink;
    c.stroke();
  }
}
