/* Walks with a phone from hub to hub, inside the phone's network namespace: node walk.mjs CHROMIUM MESSAGES. The networks are wa, wb and wl, each
   with a hub at 192.168.49.1; the last one lies. Prints a line of JSON for each check, as guest.mjs does, with a note of what was measured. */
import { execFileSync } from 'node:child_process';
import assert from 'node:assert/strict';
import { launch } from './browser.mjs';

const [, , executablePath, many] = process.argv;
const hub = 'http://192.168.49.1:8440';
let note = '';

async function check(name, run) {
  let wrong = '';
  note = '';
  try { await run(); } catch (e) { wrong = e.stack || String(e); }
  console.log(JSON.stringify({ check: name, wrong, note }));
}

/* walk leaves the Wi-Fi, and joins another one or none. */
function walk(to) {
  for (const dev of ['wa', 'wb', 'wl']) execFileSync('ip', ['addr', 'flush', 'dev', dev]);
  if (to) execFileSync('ip', ['addr', 'add', '192.168.49.20/24', 'dev', to]);
}

const browser = await launch(executablePath);
const context = await browser.newContext({ viewport: { width: 320, height: 640 } });

/* open opens the page and gives it the name core, as its own script has it. */
async function open() {
  const page = await context.newPage();
  page.said = [];
  page.on('console', m => page.said.push(`${m.type()}: ${m.text()}`));
  page.on('pageerror', e => page.said.push(`error: ${e.message}`));
  await page.goto(hub);
  await name(page);
  return page;
}
async function name(page) {
  await page.evaluate(async () => {
    const src = (await (await fetch('/')).text()).match(/\/page\/main-\w+\.js/)[0];
    window.core = (await import(src)).core;
  });
}
const until = (page, what, f, arg) => page.waitForFunction(f, arg, { timeout: 60_000, polling: 50 }).catch(async e => {
  const now = await page.evaluate(() => ({ ...core.now(), posts: core.now().posts.length, rooms: core.now().rooms.length }));
  throw new Error(`never: ${what}: ${JSON.stringify(now)} ${page.said.join('\n')}: ${e.message}`);
});
const held = () => core.now().carrying;
const isAt = ([text, ...places]) => places.includes(core.now().posts.find(p => p.text === text)?.delivery?.at);
const write = (page, text) => page.evaluate(text => core.write({ kind: 'post', channel: 'water', text, alert: false }), text);

walk('wa');
const page = await open();
let author = '';
await check('what the hub has comes', async () => {
  const began = Date.now();
  await until(page, 'all messages', n => core.now().carrying >= n, Number(many));
  note = `${many} messages were here ${Date.now() - began} ms after the page`;
});
await check('post, and live arrival elsewhere', async () => {
  const other = await open();
  await until(other, 'ready', () => core.now().line === 'live');
  await write(page, 'first');
  await until(page, 'at the hub', isAt, ['first', 'hub', 'carried']);
  await until(other, 'there', () => core.now().posts.some(p => p.text === 'first'));
  await other.close();
  author = await page.evaluate(() => core.now().author);
  assert.match(author, /^[a-z2-7]{52}$/);
});
await check('a reload keeps key and messages', async () => {
  const before = await page.evaluate(held);
  await page.reload();
  await name(page);
  await until(page, 'ready', () => core.now().ready);
  await until(page, 'all', n => core.now().carrying >= n, before);
  assert.equal(await page.evaluate(() => core.now().author), author);
  assert.ok(await page.evaluate(() => core.now().posts.some(p => p.text === 'first' && p.mine)));
});
await check('out of reach', async () => {
  walk();
  await until(page, 'away', () => core.now().line === 'away');
  await write(page, 'on the way');
  await until(page, 'kept here', isAt, ['on the way', 'phone']);
  assert.equal(await page.evaluate(() => core.now().waiting), 1);
});
await check('the next hub gets what this phone carries', async () => {
  const began = Date.now();
  walk('wb');
  await until(page, 'the other hub', () => core.now().hub?.name === 'south gate' && core.now().line === 'live');
  const met = Date.now();
  await until(page, 'taken', isAt, ['on the way', 'hub', 'carried']);
  let messages = 0;
  for (let i = 0; i < 1800 && messages < Number(many) + 2; i++) {
    messages = await page.evaluate(async () => (await (await fetch('/guest/state')).json()).messages);
    await page.waitForTimeout(50);
  }
  assert.ok(messages >= Number(many) + 2, `${messages} messages at the second hub`);
  note = `the hub was met ${met - began} ms after the walk, and had all ${messages} messages ${Date.now() - met} ms later`;
});
await check('nothing of a lying hub is shown or carried', async () => {
  const before = await page.evaluate(held);
  walk('wl');
  await until(page, 'the liar', () => core.now().hub?.name === 'liar' && core.now().lies > 0);
  await page.waitForTimeout(3000);
  const [now, after, lies] = await page.evaluate(() => [core.now().posts.map(p => p.text), core.now().carrying, core.now().lies]);
  const odd = now.filter(text => !/^(water \d+|first|on the way|true \d+)$/.test(text));
  assert.deepEqual(odd, []);
  assert.equal(new Set(now).size, now.length);
  assert.ok(page.said.some(s => s.startsWith('warning') && /not what they say/.test(s)), page.said.join('\n'));
  note = `${lies} lies were dropped; the phone carries ${before} messages before and ${after} after`;
  const fresh = await browser.newContext();
  const stranger = await fresh.newPage();
  await stranger.goto(hub);
  await name(stranger);
  await until(stranger, 'lied to', () => core.now().lies > 0);
  await stranger.waitForTimeout(1000);
  const seen = await stranger.evaluate(() => core.now().posts.map(p => p.text));
  assert.ok(seen.every(text => /^(true \d+|water \d+|first|on the way)$/.test(text)), String(seen));
  await fresh.close();
});
await check('forgetting', async () => {
  await page.evaluate(() => core.forget());
  await until(page, 'empty', () => core.now().posts.length === 0 && core.now().author === '');
  walk('wa');
  await page.reload();
  await name(page);
  await until(page, 'ready', () => core.now().ready);
  assert.equal(await page.evaluate(() => core.now().author), '');
});
await browser.close();
