/* Looks at a hub's pages as a phone's browser does: node guest.mjs CHROMIUM URL [PICTURES]. Prints a line of JSON for each
   check: {"check": "its name", "wrong": "what did not hold, or nothing"}. */
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import assert from 'node:assert/strict';
import { launch } from './browser.mjs';

const [, , executablePath, hub, pictures] = process.argv;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const browser = await launch(executablePath);
const phone = { viewport: { width: 320, height: 640 }, hasTouch: true };
const languages = { ar: 'rtl', en: 'ltr', fa: 'rtl', kk: 'ltr', ru: 'ltr', zh: 'ltr' };

/* open shows a page. What it says and asks for is kept in page.said and page.asked. */
async function open(path, options = {}) {
  const context = await browser.newContext({ ...phone, ...options });
  const page = await context.newPage();
  Object.assign(page, { said: [], asked: [] });
  page.on('console', m => page.said.push(`${m.type()}: ${m.text()}`));
  page.on('dialog', d => { page.said.push('dialog'); d.dismiss(); });
  page.on('request', r => page.asked.push(r.url()));
  // The board alone is looked at: where the page has been built into the hub it would take the board's place.
  await page.route('**/page/main-*.js', r => r.fulfill({ contentType: 'text/javascript', body: '' }));
  await page.goto(hub + path);
  return page;
}

async function check(name, run) {
  let wrong = '';
  try { await run(); } catch (e) { wrong = e.message || String(e); }
  console.log(JSON.stringify({ check: name, wrong }));
}

const everywhere = async run => {
  for (const lang of Object.keys(languages)) for (const path of ['/?lang=', '/signin?lang=']) for (const colorScheme of ['light', 'dark']) {
    const page = await open(path + lang, { colorScheme });
    const where = `${path}${lang} ${colorScheme}`;
    await run(page, where, lang, colorScheme);
    if (pictures) await page.screenshot({ path: join(pictures, where.replaceAll(/[^a-z]/g, '') + '.png'), fullPage: true });
    await page.context().close();
  }
};

await check('every page', () => everywhere(async (page, where, lang, scheme) => {
  assert.deepEqual(page.said, [], where);
  assert.equal(page.asked.filter(url => !url.includes('/page/main-')).length, 1, `${where}: ${page.asked}`);
  const [wide, dir, read, background] = await page.evaluate(() => {
    const html = document.documentElement;
    return [html.scrollWidth, getComputedStyle(html).direction, html.lang, getComputedStyle(document.body).backgroundColor];
  });
  assert.ok(wide <= 320, `${where} is ${wide} wide`);
  assert.equal(dir, languages[lang], where);
  assert.equal(read, lang, where);
  assert.equal(background, scheme === 'dark' ? 'rgb(0, 0, 0)' : 'rgb(255, 255, 255)', where);
}));
await check('accessible', () => everywhere(async (page, where) => {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run());
  assert.deepEqual(violations.map(v => `${v.id}: ${v.nodes[0].html}`), [], where);
}));
await check('hostile texts', async () => {
  const page = await open('/');
  assert.match(await page.textContent('main'), /<script>alert\(1\)<\/script>/);
  assert.equal(await page.locator('script:not([src^="/page/main-"]), img, iframe, svg').count(), 0);
  assert.deepEqual(page.said, []);
});
await check('writing without script', async () => {
  const page = await open('/?lang=kk', { javaScriptEnabled: false });
  await page.fill('textarea', 'су шығыс баспалдақта');
  await page.click('form button');
  await page.waitForURL(/notice=kept/);
  assert.match(await page.textContent('[role=status]'), /осында сақталды/);
  assert.match(await page.textContent('main'), /\[guest without script at hub north gate\] су шығыс баспалдақта/);
});
await check('pages of others', async () => {
  const context = await browser.newContext(phone);
  const page = await context.newPage();
  await page.goto('data:text/html,<p>another page');
  const got = await page.evaluate(async hub => {
    const answers = [];
    for (const [path, type] of [['/guest/messages', 'application/vnd.longear.records'], ['/guest/messages', 'text/plain'], ['/post', 'application/x-www-form-urlencoded']]) {
      for (const mode of ['cors', 'no-cors']) {
        try {
          const r = await fetch(hub + path, { method: 'POST', mode, body: 'token=x&channel=all&text=forged', headers: { 'Content-Type': type } });
          answers.push(r.type === 'opaque' ? 'opaque' : r.status);
        } catch { answers.push('refused'); }
      }
    }
    try { answers.push(await (await fetch(hub + '/guest/messages')).text()); } catch { answers.push('refused'); }
    return answers;
  }, hub);
  assert.ok(got.every(a => a === 'refused' || a === 'opaque'), String(got));
  await page.setContent(`<form method=post action="${hub}/post"><input name=text value=forged><input name=channel value=all><input name=token value=x></form>`);
  await Promise.all([page.waitForNavigation(), page.evaluate(() => document.forms[0].submit())]);
  const board = await open('/');
  assert.doesNotMatch(await board.textContent('main'), /forged/);
  const frame = await context.newPage();
  await frame.setContent(`<iframe src="${hub}/" width=300 height=300></iframe>`);
  await frame.waitForTimeout(500);
  const inner = frame.frames()[1];
  await inner?.waitForLoadState(); // or it would be between two pages, which have no content to read
  assert.ok(!inner || !(await inner.content()).includes('north gate'), 'the board can be framed');
});
await check('the sign-in window', async () => {
  const page = await open('/signin?lang=ru', { javaScriptEnabled: false });
  await page.click('form button');
  await page.locator('[role=status]', { hasText: 'Готово' }).waitFor();
  assert.equal(await page.locator('form').count(), 0);
  await page.click('main a');
  await page.waitForURL(hub + '/');
});
await browser.close();
