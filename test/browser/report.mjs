/* Looks at the pages of test/crowd/report in a real browser: node report.mjs CHROMIUM PAGES [PICTURES]. Prints a line of JSON for
   each check: {"check": "its name", "wrong": "what did not hold, or nothing"}. Where time passes it is the page's own time, which
   stands still until a check lets it go on. */
import { createRequire } from 'node:module';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import assert from 'node:assert/strict';
import { launch } from './browser.mjs';

const [, , executablePath, pages, pictures] = process.argv;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/* Chromium has no sandbox for root. No host has a name here, so that whatever asks for one fails. */
const browser = await launch(executablePath, ['--host-resolver-rules=MAP * ~NOTFOUND']);
const desktop = { viewport: { width: 1280, height: 900 } };

/* open shows a page. What it says and asks for is kept in page.said and page.asked. */
async function open(name, options = desktop, stopped = true) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  Object.assign(page, { said: [], asked: [] });
  page.on('console', m => page.said.push(`${m.type()}: ${m.text()}`));
  page.on('pageerror', e => page.said.push(`error: ${e.message}`));
  page.on('dialog', d => { page.said.push('dialog'); d.dismiss(); });
  page.on('request', r => { if (!r.url().startsWith('file:')) page.asked.push(r.url()); });
  if (stopped) await page.clock.install({ time: 0 });
  await page.goto(pathToFileURL(join(pages, name + '.html')).href);
  if (stopped) await page.clock.pauseAt(36_000_000); /* later than any load takes */
  await settle(page, stopped);
  return page;
}

/* settle lets the page draw what it has asked to draw. A new observer hears at the browser's next frame, after those of the page:
   then the page has asked for all that a new size or scheme needs. The page's own frames come from its clock. */
async function settle(page, stopped = true) {
  await page.evaluate(() => new Promise(done => new ResizeObserver((_, seen) => { seen.disconnect(); done(); }).observe(document.body)));
  if (stopped) await page.clock.runFor(100); else await page.evaluate(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))));
}

const quiet = page => {
  assert.deepEqual(page.said, [], 'the page complained');
  assert.deepEqual(page.asked, [], 'the page asked for something');
};
const text = (page, id) => page.locator('#' + id).textContent();
const time = page => page.locator('#scrub').inputValue().then(Number);
const has = page => text(page, 'has').then(s => Number(s.replaceAll(',', '')));
const playing = page => page.locator('#play').getAttribute('aria-pressed').then(s => s === 'true');

/* inked counts the pixels of a canvas that are not empty, or those that are orange: transfers, and nothing else on the map. It
   reads a copy: the canvas itself is made for drawing. */
const inked = (page, id, orange = false) => page.locator('#' + id).evaluate((c, orange) => {
  const copy = new OffscreenCanvas(c.width, c.height).getContext('2d', { willReadFrequently: true });
  copy.drawImage(c, 0, 0);
  const d = copy.getImageData(0, 0, c.width, c.height).data;
  let n = 0;
  for (let i = 0; i < d.length; i += 4) if (orange ? d[i] > 180 && d[i] - d[i + 2] > 80 && d[i] - d[i + 1] > 60 : d[i + 3] > 0) n++;
  return n;
}, orange);

/* drawn: hiding what is in a plot changes its pixels, and by more than its axes. */
async function drawn(page, id) {
  const figure = page.locator('#' + id), marks = page.locator(`#${id} svg :is(rect, path)`);
  const before = await figure.screenshot();
  await marks.evaluateAll(all => all.forEach(e => { e.style.visibility = 'hidden'; }));
  const after = await figure.screenshot();
  await marks.evaluateAll(all => all.forEach(e => { e.style.visibility = ''; }));
  assert.ok(!before.equals(after), `${id}: no marks`);
}
const plots = ['curve', 'latency', 'hops', 'traffic'];
const allDrawn = async page => {
  for (const id of plots) await drawn(page, id);
  for (const id of ['map', 'strip']) assert.ok(await inked(page, id) > 500, id + ' is blank');
};

const fits = async (page, width) => {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= width, `the page is ${wide} wide on ${width}`);
};

/* resize gives the page another size, and lets it draw for it. */
async function resize(page, width, height) {
  await page.setViewportSize({ width, height });
  await page.waitForFunction(width => innerWidth === width, width, { polling: 20 });
  await settle(page);
}

/* narrow: the page fits on 320 pixels, with its tables open too. */
async function narrow(page) {
  await resize(page, 320, 640);
  await fits(page, 320);
  await page.locator('summary').click();
  await fits(page, 320);
  quiet(page);
}

/* serious are the faults for people with other senses or tools that axe-core calls serious or worse. */
async function serious(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ['violations'] }));
  return violations.filter(v => ['serious', 'critical'].includes(v.impact)).map(v => `${v.id}: ${v.nodes.slice(0, 3).map(n => n.html.slice(0, 120)).join(' ')}`);
}

async function look(name, ...pages) {
  if (pictures) for (const page of pages) await page.screenshot({ path: join(pictures, name + '.png'), fullPage: true });
}

/* halfway goes to where half of the nodes have the sixth message. */
async function halfway(page) {
  await page.locator('#message').selectOption('5');
  const at = await page.evaluate(() => {
    const m = data.replay.messages[5];
    return m.times.slice(0, data.replay.nodes / 2).reduce((sum, t) => sum + t, m.at);
  });
  await page.locator('#scrub').evaluate((s, at) => { s.value = at + 500; s.dispatchEvent(new Event('input')); }, at);
}

const walking = await open('walking');
const publish = (page, i) => page.evaluate(i => data.replay.messages[i].at, i);

const checks = {
  async 'a request would be seen'() {
    writeFileSync(join(pages, 'control.html'), '<!doctype html><img src="http://nowhere.invalid/x.png">');
    const page = await open('control');
    assert.equal(page.asked.length, 1);
    assert.ok(page.said.length > 0);
  },
  async 'the page is quiet'() {
    const page = await open('walking', desktop, false);
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    await page.waitForTimeout(200);
    quiet(page);
    await look('desktop', page);
  },
  async 'plots are drawn'() {
    await allDrawn(walking);
    for (const id of plots) {
      const svg = walking.locator(`#${id} svg`);
      assert.equal(await svg.getAttribute('role'), 'img');
      assert.match(await svg.getAttribute('aria-label'), /\d/, id + ' says no fact');
    }
  },
  async 'tooltips'() {
    for (const [id, want] of [['curve', /^after .*\nnodes .*%\noracle .*%$/], ['latency', / to .*\n[\d,]+ deliveries\n/], ['hops', /^\d+ links?\n/], ['traffic', /gossip .*\/s\nsync .*\/s\ndiscovery .*\/s\nall /]]) {
      const figure = walking.locator('#' + id), tip = walking.locator(`#${id} .tip`);
      await figure.scrollIntoViewIfNeeded();
      const { width, height } = await figure.boundingBox();
      await figure.hover({ position: { x: width / 2, y: height / 2 } });
      assert.match(await tip.textContent(), want, id);
      assert.ok(await tip.isVisible(), id);
    }
    await walking.mouse.move(1, 1);
    assert.ok(!await walking.locator('#curve .tip').isVisible(), 'it stays');
    const spot = await walking.evaluate(() => { /* of the first node on a walk over the map */
      scrollTo(0, 0);
      const map = document.getElementById('map'), box = map.getBoundingClientRect();
      for (let y = 30; y < box.height; y += 12) {
        for (let x = 30; x < box.width; x += 12) {
          map.dispatchEvent(new PointerEvent('pointermove', { clientX: box.x + x, clientY: box.y + y }));
          if (!document.getElementById('map-tip').hidden) return [box.x + x, box.y + y];
        }
      }
    });
    await walking.mouse.move(...spot);
    assert.ok(await walking.locator('#map-tip').isVisible());
    const found = await text(walking, 'map-tip');
    assert.match(found, /^(node|hub) \d+\n(up|down|dozing|mute|liar|flooder), \d+ links?/);
  },
  async 'nothing plays by itself'() {
    const before = await time(walking);
    await walking.clock.runFor(1000);
    assert.equal(await time(walking), before);
    assert.equal(await playing(walking), false);
  },
  async 'play and pause'() {
    assert.equal(await walking.locator('[name=speed]:checked').inputValue(), '60'); /* most nodes have a message within 5 minutes */
    await walking.locator('[name=speed][value="10"]').check();
    const start = await time(walking);
    await walking.locator('#play').click();
    assert.equal(await playing(walking), true);
    assert.equal(await walking.locator('#play').innerText(), 'Pause');
    await walking.clock.runFor(500);
    const later = await time(walking);
    assert.ok(Math.abs(later - start - 5000) < 2000, `at 10x half a second showed ${later - start} ms`);
    await walking.locator('#play').click();
    await walking.clock.runFor(1000);
    assert.ok(Math.abs(await time(walking) - later) < 2000, 'it goes on after pause');
    assert.equal(await playing(walking), false);
  },
  async 'speeds'() {
    for (const speed of [1, 60, 600]) {
      await walking.locator(`[name=speed][value="${speed}"]`).check();
      await walking.locator('#scrub').fill('0');
      await walking.locator('#play').click();
      await walking.clock.runFor(400);
      await walking.locator('#play').click();
      const shown = await time(walking);
      assert.ok(Math.abs(shown - 400 * speed) < 60 * speed + 1000, `at ${speed}x 400 ms showed ${shown} ms`);
    }
  },
  async 'the film ends'() {
    await walking.locator('#scrub').fill('1620000');
    await walking.locator('#play').click();
    await walking.clock.runFor(600);
    assert.equal(await playing(walking), false);
    assert.equal(await text(walking, 'clock'), '30:00 / 30:00');
    await walking.locator('#play').click();
    await walking.clock.runFor(50);
    assert.ok(await time(walking) < 200_000, 'play at the end does not begin anew');
    await walking.locator('#play').click();
  },
  async 'scrubber'() {
    const map = () => walking.locator('#map').evaluate(c => c.toDataURL());
    await walking.locator('#scrub').fill('900000');
    assert.equal(await text(walking, 'clock'), '15:00 / 30:00');
    const middle = await map();
    await walking.locator('#scrub').fill('90000');
    assert.equal(await text(walking, 'clock'), '1:30 / 30:00');
    assert.notEqual(await map(), middle);
    await walking.locator('#scrub').fill('900000');
    assert.equal(await map(), middle, 'back where it was, the map is another');
  },
  async 'messages'() {
    assert.equal(await walking.locator('#message option').count(), 24);
    await walking.locator('#message').selectOption('4');
    assert.equal(await has(walking), 1);
    assert.ok(Math.abs(await time(walking) - await publish(walking, 4)) < 2000, 'it does not begin where the message does');
    const words = await text(walking, 'text');
    await walking.locator('#scrub').fill('0');
    assert.equal(await has(walking), 0);
    await walking.locator('#scrub').fill('1800000');
    assert.equal(await has(walking), 1 + await walking.evaluate(() => data.replay.messages[4].nodes.length));
    await walking.locator('#message').selectOption('7');
    assert.equal(await has(walking), 1);
    assert.notEqual(await text(walking, 'text'), words);
    const from = await walking.evaluate(() => data.replay.messages[7].from);
    assert.match(await text(walking, 'since'), new RegExp(`since node ${from} published it`));
  },
  async 'transfers glow'() {
    await halfway(walking);
    assert.ok(await inked(walking, 'map', true) > 20, 'no transfer glows');
    await walking.locator('#scrub').fill('1800000');
    assert.equal(await inked(walking, 'map', true), 0);
  },
  async 'keys'() {
    await walking.evaluate(() => { document.activeElement.blur(); document.getElementById('stage').scrollIntoView(); });
    await walking.locator('[name=speed][value="10"]').check();
    await walking.evaluate(() => document.activeElement.blur());
    await walking.keyboard.press('Home');
    assert.equal(await time(walking), 0);
    await walking.keyboard.press('ArrowRight');
    assert.ok(Math.abs(await time(walking) - 10_000) < 2000, 'right');
    await walking.keyboard.press('Shift+ArrowRight');
    assert.ok(Math.abs(await time(walking) - 110_000) < 2000, 'shift and right');
    await walking.keyboard.press('ArrowLeft');
    assert.ok(Math.abs(await time(walking) - 100_000) < 2000, 'left');
    await walking.keyboard.press(' ');
    assert.equal(await playing(walking), true, 'space');
    await walking.keyboard.press(' ');
    assert.equal(await playing(walking), false, 'space again');
    await walking.locator('#stage').focus();
    await walking.keyboard.press('ArrowUp');
    assert.equal(await walking.locator('[name=speed]:checked').inputValue(), '60');
    await walking.keyboard.press('ArrowDown');
    assert.equal(await walking.locator('[name=speed]:checked').inputValue(), '10');
    await walking.keyboard.press('End');
    assert.equal(await text(walking, 'clock'), '30:00 / 30:00');
    await walking.locator('#scrub').focus();
    await walking.keyboard.press('ArrowLeft');
    assert.ok(await time(walking) < 1_800_000, 'the scrubber keeps its own keys');
    await walking.locator('#play').focus();
    await walking.keyboard.press(' ');
    assert.equal(await playing(walking), true, 'space on the button counts once');
    await walking.keyboard.press(' ');
    await walking.evaluate(() => { document.activeElement.blur(); scrollTo(0, document.body.scrollHeight); });
    await walking.keyboard.press(' ');
    assert.equal(await playing(walking), false, 'space far from the map plays');
    quiet(walking);
  },
  async 'shapes'() {
    /* All in black: what is left to tell them apart is the shape. */
    const same = await walking.evaluate(() => {
      const seen = new Map(), black = { card: '#fff', ours: '#000', soft: '#000', faint: '#000', ink: '#000' };
      const looks = Object.keys(states).flatMap(state => [true, false].flatMap(owner => [{ state, owner, has: true }, { state, owner, has: false }, { state, owner, hub: true, has: false }]));
      return looks.map(look => {
        const c = document.createElement('canvas');
        node(sharp(c, 30, 30), black, 15, 15, 5, look);
        const key = c.toDataURL(), before = seen.get(key);
        seen.set(key, JSON.stringify(look));
        return before && `${before} = ${JSON.stringify(look)}`;
      }).filter(Boolean);
    });
    assert.deepEqual(same, []);
  },
  async 'accessible'() {
    for (const [name, options] of [['walking', desktop], ['hostile', { viewport: { width: 320, height: 640 }, colorScheme: 'dark' }]]) {
      const page = await open(name, options, false);
      assert.deepEqual(await serious(page), [], name);
    }
  },
  async 'narrow'() {
    const page = await open('walking', { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true });
    await halfway(page);
    await page.locator('#play').tap();
    assert.equal(await playing(page), true);
    await page.locator('#play').tap();
    await look('phone', page);
    await narrow(page);
    await allDrawn(page);
  },
  async 'dark'() {
    const ground = page => page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number).reduce((a, b) => a + b) / 3);
    const page = await open('walking', { ...desktop, colorScheme: 'dark' });
    assert.ok(await ground(page) < 60 && await ground(walking) > 200);
    await allDrawn(page);
    await halfway(page);
    const map = () => page.locator('#map').evaluate(c => c.toDataURL());
    const dark = await map();
    await look('desktop-dark', page);
    await page.emulateMedia({ colorScheme: 'light' });
    for (let i = 0; i < 50 && await map() === dark; i++) await settle(page); /* the browser tells the page at its next frame */
    assert.notEqual(await map(), dark, 'the map keeps its colours when the scheme changes');
    await look('desktop-light', page);
    quiet(page);
  },
  async 'reduced motion'() {
    const page = await open('walking', { ...desktop, reducedMotion: 'reduce' });
    await page.clock.runFor(1000);
    assert.equal(await playing(page), false);
    await page.locator('[name=speed][value="10"]').check();
    await walking.locator('[name=speed][value="10"]').check();
    const calm = await page.evaluate(() => { const m = data.replay.messages[5]; return m.at + m.times[0] + 1000; });
    const shown = [];
    for (const p of [page, walking]) {
      await p.locator('#message').selectOption('5');
      await p.locator('#scrub').evaluate((s, at) => { s.value = at; s.dispatchEvent(new Event('input')); }, calm);
      shown.push(await p.locator('#map').evaluate(c => c.toDataURL()));
    }
    assert.notEqual(shown[0], shown[1], 'what moves for effect moves all the same');
    quiet(page);
  },
  async 'hostile texts'() {
    const page = await open('hostile');
    for (let i = 0; i < 8; i++) {
      await page.locator('#message').selectOption(String(i));
      const shown = await text(page, 'text');
      assert.ok(shown.length > 0 && shown.length <= 310, `${shown.length} letters`);
      assert.doesNotMatch(shown + await page.locator('#message option').nth(i).textContent(), /[\u0000-\u001f\u202a-\u202e\u2066-\u2069]/);
    }
    await page.locator('#message').selectOption('0');
    assert.equal(await text(page, 'text'), "<script>document.title='run by a message'</script>");
    assert.notEqual(await page.title(), 'run by a message');
    assert.equal(await page.locator('script').count(), 2);
    assert.equal(await page.locator('img, [onerror], iframe, a').count(), 0);
    assert.equal(await page.locator('.failed li').count(), 8);
    assert.match(await page.locator('.marks').textContent(), /Cut short.*8 failed/);
    await page.locator('#play').click();
    await page.clock.runFor(200);
    assert.equal(await playing(page), true);
    await fits(page, 1280);
    await look('hostile', page);
    await narrow(page);
  },
  async 'no places'() {
    const page = await open('unplaced');
    assert.ok(await page.locator('#where').isVisible());
    assert.ok(await inked(page, 'map') > 500);
    await halfway(page);
    await look('unplaced', page);
    await narrow(page);
  },
  async 'a damaged replay'() {
    const page = await open('broken');
    assert.ok(await inked(page, 'map') > 500);
    await page.locator('#scrub').fill('60000');
    assert.equal(await has(page), 3);
    await page.locator('#play').click();
    await page.clock.runFor(500);
    quiet(page);
  },
  async 'no messages'() {
    const page = await open('silent');
    assert.ok(await page.locator('#no-message').isVisible());
    assert.ok(!await page.locator('#message').isVisible());
    await page.locator('#play').click();
    await page.clock.runFor(500);
    assert.ok(await time(page) > 300);
    assert.ok(await inked(page, 'map') > 500);
    assert.equal(await page.locator('#curve svg').textContent(), 'No deliveries');
    quiet(page);
  },
  async 'no replay'() {
    const page = await open('unseen');
    assert.ok(await page.locator('#no-replay').isVisible());
    assert.ok(!await page.locator('#film').isVisible());
    for (const id of plots) await drawn(page, id);
    quiet(page);
  },
  async 'nothing at all, cut short'() {
    const page = await open('empty');
    assert.ok(await page.locator('#no-replay').isVisible());
    assert.equal(await page.locator('.tile').count(), 6);
    assert.doesNotMatch(await page.locator('body').innerText(), /NaN|Infinity|undefined|null/);
    assert.match(await page.locator('.marks').textContent(), /^Cut short/);
    assert.doesNotMatch(await walking.locator('.marks').textContent(), /Cut short/);
    await narrow(page);
  },
  async 'another width'() {
    const page = await open('walking');
    await resize(page, 640, 900);
    await fits(page, 640);
    await drawn(page, 'curve');
    const { width } = await page.locator('#map').boundingBox();
    assert.ok(Math.abs(await page.locator('#map').evaluate(c => c.width) - width) < 2, 'the map is not drawn for its width');
    quiet(page);
  },
  async 'groups'() {
    const page = await open('grouped');
    await drawn(page, 'groups');
    assert.match(await page.locator('#groups svg').getAttribute('aria-label'), /at the end \d+ groups with \d+ of 60 nodes/);
    for (const name of ['owner of a group', 'member', 'in no group']) assert.equal(await page.locator('#legend').getByText(name, { exact: true }).count(), 1, name);
    await halfway(page);
    assert.match(await page.locator('#map').getAttribute('aria-label'), /\d+ are in \d+ groups/);
    /* Who owns and who is in whose group shows on the map, and goes away with the film's groups. */
    const map = () => page.locator('#map').evaluate(c => c.toDataURL());
    const words = await page.evaluate(() => [[0, 0, 0, -1]].flatMap(o => [0, 1, 3].map(i => roleOf(o, i))));
    assert.deepEqual(words, ['owner of 2 members', 'in the group of 0', 'in no group']);
    const tips = await page.evaluate(() => {
      const map = document.getElementById('map'), box = map.getBoundingClientRect(), found = new Set();
      for (let y = 20; y < box.height; y += 8) {
        for (let x = 20; x < box.width; x += 8) {
          map.dispatchEvent(new PointerEvent('pointermove', { clientX: box.x + x, clientY: box.y + y }));
          found.add((document.getElementById('map-tip').textContent.split('\n')[2] || '').replace(/\d+/, 'N').replace('members', 'member'));
        }
      }
      return [...found];
    });
    for (const role of ['owner of N member', 'in the group of N', 'in no group']) assert.ok(tips.includes(role), `${role} is not among ${tips}`);
    const before = await map();
    await page.evaluate(() => { const plain = spokes; spokes = () => {}; document.getElementById('scrub').dispatchEvent(new Event('input')); spokes = plain; });
    assert.notEqual(await map(), before, 'no spokes');
    await page.evaluate(() => { document.getElementById('scrub').dispatchEvent(new Event('input')); });
    assert.equal(await map(), before);
    await page.evaluate(() => { const plain = crown; crown = () => {}; document.getElementById('scrub').dispatchEvent(new Event('input')); crown = plain; });
    assert.notEqual(await map(), before, 'no crowns');
    await page.evaluate(() => { document.getElementById('scrub').dispatchEvent(new Event('input')); });
    await look('groups', page);
    await narrow(page);
    assert.equal(await walking.locator('#groups').count(), 0, 'a plot of groups where there are none');
    const dark = await open('grouped', { ...desktop, colorScheme: 'dark' }, false);
    await look('groups-dark', dark);
    assert.deepEqual(await serious(dark), []);
    assert.deepEqual(await serious(await open('grouped', desktop, false)), []);
  },
  async 'a real run'() {
    const page = await real('real', 26);
    assert.equal(await text(page, 'replay-title'), 'Replay');
    assert.match(await page.locator('.marks').textContent(), /^All that was expected held: 1 expectation$/);
    assert.equal(await page.locator('#message option').count(), 20);
    for (const name of ['has it', 'has it not', 'author', 'just passed on', 'hub', 'mute', 'dozing', 'down']) assert.equal(await page.locator('#legend').getByText(name, { exact: true }).count(), 1, name);
  },
  async 'a real run in groups'() {
    const page = await real('real-groups', 25);
    await drawn(page, 'groups');
    assert.match(await page.locator('#map').getAttribute('aria-label'), /[1-9]\d* are in [1-9]\d* groups/);
  },
  async 'a real run cut short'() {
    const page = await open('real-cut');
    assert.match(await page.locator('.marks').textContent(), /^Cut short in line 4What was looked at so far held: 1 of the story's 2 expectations looked at$/);
    await allDrawn(page);
    for (const id of ['hops', 'latency']) { /* of five deliveries: there is no half of one */
      const ticks = (await page.locator(`#${id} svg text[text-anchor=end]`).allTextContents()).filter(s => /^\d+$/.test(s));
      assert.ok(ticks.length > 1 && new Set(ticks).size === ticks.length, `${id}: ${ticks}`);
    }
    await look('real-cut', page);
    await narrow(page);
  },
};

/* depth is how high the traffic's plot is filled half of the time, in pixels. */
const depth = page => page.locator('#traffic svg').evaluate(svg => {
  const paths = [...svg.querySelectorAll('path')], { x, y, width, height } = svg.viewBox.baseVal, found = [];
  for (let k = 1; k < 40; k++) {
    let filled = 0;
    for (let at = y; at < y + height; at++) {
      const point = new DOMPoint(x + 58 + (width - 68) * k / 40, at);
      if (paths.some(p => p.isPointInFill(point))) filled++;
    }
    found.push(filled);
  }
  return found.sort((a, b) => a - b)[20];
});

/* real looks at the page of a run of real nodes: all is drawn, and its film is played until it ends. Nobody who has a message
   loses it, and most have it in the end. */
async function real(name, nodes) {
  const page = await open(name);
  await allDrawn(page);
  const deep = await depth(page);
  assert.ok(deep > 5, `half of the time the traffic is ${deep} pixels high: the plot is for something else`);
  await page.locator('#message').selectOption('1');
  const began = await time(page), had = [await has(page)], maps = new Set();
  assert.equal(had[0], 1);
  await page.locator('[name=speed][value="60"]').check();
  await page.locator('#play').click();
  for (let i = 0; i < 100 && await playing(page); i++) {
    await page.clock.runFor(200);
    had.push(await has(page));
    maps.add(await page.locator('#map').evaluate(c => c.toDataURL()));
    if (i === 2) await look(name, page);
  }
  assert.equal(await playing(page), false, 'the film does not end');
  assert.ok(await time(page) > began && maps.size > 10, `${maps.size} pictures`);
  assert.deepEqual(had, had.toSorted((a, b) => a - b), 'who has a message loses it');
  assert.ok(had.at(-1) > nodes / 2 && had.at(-1) <= nodes, `${had.at(-1)} of ${nodes} have it in the end`);
  assert.match(await text(page, 'of'), new RegExp(`of ${nodes} have it`));
  quiet(page);
  await look(name + '-end', page);
  assert.deepEqual(await serious(await open(name, { ...desktop, colorScheme: 'dark' }, false)), [], 'dark');
  await narrow(page);
  await look(name + '-narrow', page);
  return page;
}

for (const [check, run] of Object.entries(checks)) {
  let wrong = '';
  try { await run(); } catch (error) { wrong = String(error.stack || error).slice(0, 1500); }
  process.stdout.write(JSON.stringify({ check, wrong }) + '\n');
  for (const context of browser.contexts()) if (context !== walking.context()) await context.close();
}
await browser.close();
