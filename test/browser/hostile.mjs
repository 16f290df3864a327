/* Looks at hostile messages as a phone does, inside its network namespace: node hostile.mjs CHROMIUM BODY... posts the bodies to the hub and opens its
   pages. The phone has an address for each body. Prints a line of JSON for each check, as guest.mjs does, with a note of what was measured. */
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import assert from 'node:assert/strict';
import { launch } from './browser.mjs';

const [, , executablePath, ...bodies] = process.argv;
const pictures = process.env.PICTURES;
const hub = 'http://192.168.49.1:8440';
let note = '';

async function check(name, run) {
  let wrong = '';
  note = '';
  try { await run(); } catch (e) { wrong = e.stack || String(e); }
  console.log(JSON.stringify({ check: name, wrong, note }));
}
const post = (body, localAddress) => new Promise((done, failed) => {
  const ask = request(hub + '/guest/messages', { method: 'POST', localAddress, headers: { 'Content-Type': 'application/vnd.longear.records' } }, res => {
    let text = '';
    res.on('data', part => text += part);
    res.on('end', () => done(JSON.parse(text)));
  });
  ask.on('error', failed);
  ask.end(body);
});

const browser = await launch(executablePath);

/* open opens the hub's page. What it says wrongly, what it asks for and what it opens is kept. */
async function open(path, options = {}) {
  const context = await browser.newContext({ viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true, locale: 'en', ...options });
  const page = await context.newPage();
  Object.assign(page, { said: [], asked: [] });
  page.on('console', m => page.said.push(`${m.type()}: ${m.text()}`));
  page.on('dialog', d => { page.said.push('dialog'); d.dismiss(); });
  context.on('weberror', e => page.said.push(`error: ${e.error().message}`));
  context.on('request', r => page.asked.push(r.url()));
  context.on('page', () => page.said.push('a window'));
  await page.addInitScript(() => {
    window.broken = [];
    window.made = {}; // the types of what has an address of the page's own
    const make = URL.createObjectURL;
    URL.createObjectURL = blob => { const url = make.call(URL, blob); window.made[url] = blob.type; return url; };
    addEventListener('securitypolicyviolation', e => window.broken.push(`${e.violatedDirective}: ${e.blockedURI}`));
  });
  await page.goto(hub + path);
  return page;
}
/* wide names what is wider than the phone. */
const wide = page => page.evaluate(() => document.documentElement.scrollWidth <= 320 ? [] : [document.documentElement.scrollWidth,
  ...[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > 321 || e.getBoundingClientRect().left < -1 || e.scrollWidth > 321).slice(-4).map(e => `${e.closest('article')?.innerText.slice(0, 60)}: ${e.outerHTML.slice(0, 160)}`)]);
/* calm asserts that nothing of a stranger's ran, left, or widened the page. */
async function calm(page, where) {
  const [pwned, broken, scripts, odd] = await page.evaluate(() => [window.pwned, window.broken ?? [],
    [...document.scripts].filter(s => !/^\/page\/main-\w+\.js$/.test(new URL(s.src, location).pathname)).map(s => s.outerHTML),
    [...document.querySelectorAll('#page *, main *')].filter(e => e.matches('iframe, object, embed, base, meta, link, style, svg script, a[href^="javascript:"]') || [...e.attributes].some(a => /^on/i.test(a.name))).map(e => e.outerHTML.slice(0, 200))]);
  assert.equal(pwned, undefined, `${where}: a stranger's script ran`);
  assert.deepEqual([broken, scripts, odd, page.said], [[], [], [], []], where);
  assert.deepEqual(await wide(page), [], `${where} is too wide`);
  assert.deepEqual(page.asked.filter(url => !url.startsWith(hub + '/') && !url.startsWith(`blob:${hub}/`)), [], where);
}

await check('all are kept', async () => {
  let kept = 0;
  for (const [i, file] of bodies.entries()) {
    const { records, error } = await post(readFileSync(file), `192.168.49.${30 + i}`);
    assert.ok(records, error);
    const odd = records.filter(r => r.word !== 'kept');
    assert.deepEqual(odd, []);
    kept += records.length;
  }
  note = `${kept} messages`;
});
let page;
await check('the page', async () => {
  page = await open('/');
  await page.waitForSelector('#page article', { timeout: 60_000 });
  assert.deepEqual(await wide(page), []);
  for (let i = 0; i < 200 && await page.locator('article').count() < 120; i++) { /* the newest come first, the others behind them with the exchange */
    await page.waitForTimeout(300);
    const more = page.locator('.more button, .fresh button').first();
    if (await more.count() > 0) await more.click();
  }
  note = `${await page.locator('article').count()} messages are shown`;
  assert.ok(await page.locator('article').count() >= 120, note);
  if (pictures) await page.screenshot({ path: join(pictures, 'final-hostile.png') });
  const spill = await page.evaluate(() => [...document.querySelectorAll('article')].filter(a => a.getBoundingClientRect().right > 321 || a.getBoundingClientRect().left < -1).length);
  assert.equal(spill, 0);
  const twins = await page.locator('.twin').count();
  assert.ok(twins >= 4, `${twins} imitations are named`);
  const tall = await page.evaluate(() => Math.max(...[...document.querySelectorAll('article')].map(a => a.getBoundingClientRect().height)));
  note += `, the tallest ${Math.round(tall)} px`;
  await calm(page, 'the page');
});
await check('every picture and every answer', async () => {
  const pressed = await page.evaluate(() => {
    const all = [...document.querySelectorAll('article .photo button, article button[aria-expanded=false], article > .t + .plain')];
    all.forEach(b => b.click());
    return all.length;
  });
  assert.ok(pressed > 100, `${pressed} buttons`);
  await page.waitForTimeout(3000);
  await page.waitForFunction(() => Object.values(window.made).includes('application/octet-stream'));
  for (const a of await page.locator('a.button[download]').all()) {
    const [href, name] = await a.evaluate(e => [e.href, e.download]);
    assert.match(href, /^blob:/);
    assert.doesNotMatch(name, /[\u0000-\u001f\u202a-\u202e\u2066-\u2069\\/]/);
  }
  const types = new Set(await page.evaluate(() => Object.values(window.made)));
  assert.ok(types.has('application/octet-stream'), 'no file was opened');
  for (const type of types) assert.match(type, /^(application\/octet-stream|image\/(png|jpeg|webp))$/);
  await calm(page, 'with all opened');
});
await check('the board without script', async () => {
  const board = await open('/', { javaScriptEnabled: false });
  let pages = 0, articles = 0;
  for (let next = '/'; next !== null && pages < 40; pages++) {
    await board.goto(new URL(next, hub + '/').href);
    articles += await board.locator('article').count();
    assert.deepEqual(await wide(board), [], `page ${pages} is too wide`);
    assert.equal(await board.locator('main script, main img, main iframe, main svg, main style, main form form').count(), 0);
    const older = board.locator('a[href*="after="]');
    next = await older.count() ? await older.last().getAttribute('href') : null;
  }
  note = `${articles} messages on ${pages} pages`;
  assert.ok(articles >= 100, note);
  assert.deepEqual(board.said, []);
  assert.deepEqual(board.asked.filter(url => !url.startsWith(hub + '/')), []);
});
await check('writing goes on', async () => {
  await page.evaluate(() => scrollTo(0, 0));
  await page.fill('#text', 'is anybody here?');
  await page.click('.compose button.first');
  await page.locator('article.own', { hasText: 'is anybody here?' }).getByText(/kept here|carried by/).waitFor({ timeout: 60_000 });
  await calm(page, 'after a post');
});
await browser.close();
