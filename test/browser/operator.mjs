/* Looks at the operator's page as a browser on the node's machine does: node operator.mjs CHROMIUM ADDRESS NEIGHBOUR FILE [PICTURES], where
   ADDRESS has the token, NEIGHBOUR is the end of the only neighbour's identity and FILE a carry file with one message that is new. Prints a
   line of JSON for each check: {"check": "its name", "wrong": "what did not hold, or nothing"}. The last check stops the node. */
import { createRequire } from 'node:module';
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import assert from 'node:assert/strict';
import { launch } from './browser.mjs';

const [, , executablePath, address, neighbour, carryFile, pictures] = process.argv;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const { origin, port, hash } = new URL(address);
const token = hash.slice(1);
const browser = await launch(executablePath, ['--host-resolver-rules=MAP evil.example 127.0.0.1']);
const laptop = { viewport: { width: 1280, height: 800 }, locale: 'en-GB' };
const directions = { ar: 'rtl', en: 'ltr', fa: 'rtl', kk: 'ltr', ru: 'ltr', zh: 'ltr' };

/* open shows the page. What it says and asks for is kept in page.said and page.asked. */
async function open(at = address, options = {}) {
  const context = await browser.newContext({ ...laptop, ...options });
  const page = await context.newPage();
  Object.assign(page, { said: [], asked: [] });
  page.on('console', m => page.said.push(`${m.type()}: ${m.text()}`));
  page.on('pageerror', e => page.said.push(`error: ${e.message}`));
  page.on('dialog', d => { page.said.push('dialog'); d.dismiss(); });
  page.on('request', r => page.asked.push(r.url()));
  await page.goto(at);
  await page.waitForSelector('.board, [role=alert]');
  return page;
}

/* quiet checks that a page said nothing, asked nobody but its node, and named the token in no address. */
function quiet(page) {
  assert.deepEqual(page.said, []);
  for (const url of page.asked) {
    assert.ok(url.startsWith(origin + '/') || url.startsWith(`blob:${origin}/`), `it asked ${url}`);
    assert.ok(!url.slice(url.indexOf('/', 8)).replace(/#.*/, '').includes(token), 'the token is in an address');
  }
  assert.ok(page.asked.length > 3);
}

async function check(name, run) {
  let wrong = '';
  try { await run(); } catch (e) { wrong = (e.message || String(e)).slice(0, 2000); }
  console.log(JSON.stringify({ check: name, wrong }));
}

const text = (page, selector) => page.locator(selector).innerText();

await check('the token', async () => {
  const page = await open();
  assert.equal(page.url(), origin + '/');
  assert.equal(await page.evaluate(() => sessionStorage.getItem('longear-token')), token);
  assert.equal(await page.evaluate(() => document.cookie + JSON.stringify(localStorage)), '{}');
  assert.ok(!(await page.content()).includes(token));
  await page.reload();
  await page.waitForSelector('.board');
  await page.goBack().catch(() => {});
  assert.ok(!page.url().includes(token));
  quiet(page);
  const other = await page.context().newPage(); // another tab has no token
  await other.goto(origin + '/');
  assert.match(await text(other, '[role=alert]'), /longear page/);
  await page.context().close();
});
await check('a wrong token', async () => {
  const page = await open(origin + '/#WRONGWRONGWRONGWRONGWRONGWR');
  assert.match(await text(page, '[role=alert]'), /no token, or a wrong one[\s\S]*longear page/);
  assert.equal(await page.locator('.board').count(), 0);
  assert.equal(await page.evaluate(() => sessionStorage.getItem('longear-token')), null);
  const asked = page.asked.length;
  await page.waitForTimeout(2500);
  assert.equal(page.asked.length, asked, 'it goes on asking');
  await page.context().close();
});

const page = await open();
await check('neighbours', async () => {
  const row = await text(page, '#neighbours tbody tr');
  assert.match(row, new RegExp(`${neighbour}[\\s\\S]*typed address`));
  await page.waitForFunction(() => /equal, /.test(document.querySelector('#neighbours tbody').innerText), null, { timeout: 60_000 });
  assert.match(await text(page, '#state'), /neighbours: 1/);
  await page.locator('#neighbours summary').click();
  assert.match(await text(page, '#neighbours details'), /typed address: .*found: 1/);
});
await check('links', async () => {
  const dot = page.locator('#links [role=button]');
  assert.equal(await dot.count(), 1);
  assert.match(await dot.textContent(), new RegExp(`${neighbour}typed address`));
  await page.locator('#neighbours summary').focus();
  await page.keyboard.press('Tab');
  assert.ok(await dot.evaluate(e => e === document.activeElement), 'it is not the next by the Tab key');
  await page.keyboard.press('Enter');
  assert.match(await text(page, '#links [role=status]'), new RegExp(neighbour));
  assert.equal(await dot.getAttribute('aria-pressed'), 'true');
  assert.equal(await page.locator('tr.chosen').count(), 1);
  assert.equal(await page.locator('#links line').count(), 1);
});
await check('what happened', async () => assert.match(await text(page, '#events'), new RegExp(`\\d\\d:\\d\\d:\\d\\d ${neighbour} connected \\(typed address\\)`)));

let id = '';
await check('posting', async () => {
  await page.fill('#send input[list]', '#water');
  await page.fill('#send textarea', '<img src=x onerror=alert(1)> clean water at gate 4');
  await page.check('#send [type=checkbox]');
  await page.click('#send form > button');
  await page.locator('#send .n').waitFor();
  id = await text(page, '#send .n code');
  assert.match(id, /^[a-z2-7]{8}$/);
  assert.equal(await page.inputValue('#send textarea'), '');
  await page.waitForFunction(() => /#water/.test(document.querySelector('#carried tbody')?.innerText));
  await page.waitForFunction(() => /alerts\s+[\d.]+ kB · messages: 1/.test(document.querySelector('#store').innerText), null, { timeout: 40_000 });
  await page.locator('#rates', { hasText: /written here or by guests: 1/ }).waitFor();
  await page.locator('#rates rect').first().waitFor({ state: 'attached' });
});
await check('why', async () => {
  await page.click('#send .n button');
  await page.click('#why form > button');
  await page.locator('#why article').waitFor();
  const story = await text(page, '#why article');
  assert.match(story, /<img src=x onerror=alert\(1\)> clean water at gate 4/);
  assert.match(story, /made here/);
  assert.match(story, /(kept here|carried by 1) · /);
  assert.equal(await page.locator('img, iframe').count(), 0);
});
await check('mute', async () => {
  const author = 'a'.repeat(52);
  assert.match(await text(page, '#muted'), /Nobody is muted/);
  await page.fill('#muted input:not([type=checkbox])', author);
  await page.selectOption('#muted select', '86400');
  await page.check('#muted [type=checkbox]');
  await page.click('#muted form > button');
  await page.locator('#muted li').waitFor();
  assert.match(await text(page, '#muted li'), /aaaaaaaa · not carried · until .* Unmute/);
  await page.click('#muted li button');
  await page.waitForFunction(() => /Nobody is muted/.test(document.querySelector('#muted').innerText));
  await page.fill('#muted input:not([type=checkbox])', 'zzzz');
  await page.click('#muted form > button');
  await page.locator('#muted [role=alert]').waitFor();
  assert.match(await text(page, '#muted [role=alert]'), /give the whole key, or a card/);
  assert.match(page.said.pop() ?? '', /404/); // what a browser says of every answer that is no success
});
await check('carry out', async () => {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('#carry form:nth-of-type(1) button')]);
  assert.match(download.suggestedFilename(), /^longear-\d{4}-\d\d-\d\d\.ear$/);
  const file = await download.path();
  assert.ok(readFileSync(file).length > 100);
  assert.match(await text(page, '#carry form:nth-of-type(1) [role=status]'), /Saved/);
  await page.setInputFiles('#carry [type=file]', file);
  await page.click('#carry form:nth-of-type(2) button');
  await page.waitForFunction(() => /new 0, known [1-9]/.test(document.querySelector('#carry').innerText));
});
await check('carry in', async () => {
  await page.setInputFiles('#carry [type=file]', carryFile);
  await page.click('#carry form:nth-of-type(2) button');
  await page.waitForFunction(() => /new 1, known 0, refused 0, damaged 0/.test(document.querySelector('#carry').innerText));
  await page.waitForFunction(() => /from a file: 1/.test(document.querySelector('#rates').innerText));
});
await check('channels', async () => {
  await page.locator('#carried summary').click();
  await page.fill('#carried details input', 'crew');
  await page.selectOption('#carried details select', 'new');
  await page.click('#carried form > button');
  await page.locator('#carried .n code').waitFor();
  assert.ok((await text(page, '#carried .n code')).length > 20);
  await page.waitForFunction(() => /crew\s+sealed, key held/.test(document.querySelector('#carried tbody')?.innerText));
  await page.click('[aria-label="Leave crew"]');
  await page.locator('dialog[open]').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
  await page.click('[aria-label="Leave crew"]');
  await page.click('dialog .danger');
  await page.waitForFunction(() => /Left crew/.test(document.querySelector('#carried').innerText) && !/crew\s+sealed/.test(document.querySelector('#carried tbody')?.innerText));
});
await check('dial', async () => {
  await page.fill('#dial input', '127.0.0.1:9');
  await page.click('#dial form > button');
  await page.waitForFunction(() => /tries 127\.0\.0\.1:9 until it is connected/.test(document.querySelector('#dial').innerText));
});
await check('doctor', async () => {
  await page.click('#doctor form > button');
  await page.waitForFunction(() => /ok node: running for/.test(document.querySelector('#doctor').innerText), null, { timeout: 60_000 });
});
await check('quiet', async () => {
  await page.evaluate(() => performance.clearResourceTimings());
  const when = () => page.evaluate(() => performance.getEntriesByType('resource').filter(e => e.name.includes('/v1/live')).map(e => e.startTime));
  let at = [];
  for (let i = 0; i < 600 && at.length < 4; i++) { await page.waitForTimeout(50); at = await when(); }
  assert.ok(at.length >= 4, `it asked ${at.length} times`);
  for (let i = 1; i < at.length; i++) assert.ok(at[i] - at[i - 1] >= 1990, `it asked at ${at} ms`); /* by the page's own clock */
  quiet(page);
});
await check('failures', async () => {
  const page = await open();
  await page.fill('#send input[list]', 'nokey');
  await page.fill('#send textarea', 'x');
  await page.click('#send form > button');
  await page.locator('#send [role=alert]').waitFor();
  assert.match(await text(page, '#send [role=alert]'), /Failed no key of a channel "nokey" is held here[\s\S]*What helps: '#nokey'/);
  assert.equal(await page.inputValue('#send textarea'), 'x', 'what was written is lost');
  await page.fill('#why input', 'aaaaaaaa');
  await page.click('#why form > button');
  await page.locator('#why [role=alert]').waitFor();
  await page.fill('#dial input', 'nonsense');
  await page.click('#dial form > button');
  await page.locator('#dial [role=alert]').waitFor();
  assert.match(await text(page, '#dial [role=alert]'), /What helps: give an address/);
  await page.context().close();
});

await check('another origin', async () => {
  const evil = createServer((_, w) => { w.setHeader('Content-Type', 'text/html'); w.end('<p>another page'); });
  await new Promise(done => evil.listen(0, '127.0.0.1', done));
  const context = await browser.newContext(laptop);
  const other = await context.newPage();
  for (const at of [`http://127.0.0.1:${evil.address().port}/`, `http://evil.example:${evil.address().port}/`, 'data:text/html,<p>another page']) {
    await other.goto(at);
    const got = await other.evaluate(async ([origin, token]) => {
      const answers = [];
      for (const path of ['/', '/v1/live', '/v1/messages?history=-1', '/v1/carry/out']) for (const mode of ['cors', 'no-cors']) for (const authorization of [{}, { Authorization: `Bearer ${token}` }]) {
        try {
          const r = await fetch(origin + path, { mode, headers: authorization });
          answers.push(r.type === 'opaque' ? 'opaque' : await r.text());
        } catch { answers.push('refused'); }
      }
      for (const type of ['application/json', 'text/plain']) for (const path of ['/v1/messages', '/v1/stop', '/v1/page']) for (const mode of ['cors', 'no-cors']) {
        try {
          const r = await fetch(origin + path, { method: 'POST', mode, body: '{"channel":"#all","text":"forged"}', headers: { 'Content-Type': type, Authorization: `Bearer ${token}` } });
          answers.push(r.type === 'opaque' ? 'opaque' : await r.text());
        } catch { answers.push('refused'); }
      }
      return answers;
    }, [origin, token]);
    assert.ok(got.length === 28 && got.every(a => a === 'refused' || a === 'opaque'), `${at}: ${got}`);
  }
  await other.goto(`http://127.0.0.1:${evil.address().port}/`);
  await other.setContent(`<iframe src="${address}" width=600 height=400></iframe><form method=post enctype="text/plain" action="${origin}/v1/messages"><input name='{"channel":"#all","text":"forged","x":"' value='"}'></form>`);
  await other.waitForTimeout(700);
  for (const frame of other.frames().slice(1)) await frame.waitForLoadState(); // or it would be between two pages, which have no content to read
  assert.ok(!(await Promise.all(other.frames().slice(1).map(f => f.content()))).some(c => c.includes('/page/')), 'the page can be framed');
  await Promise.all([other.waitForNavigation(), other.evaluate(() => document.forms[0].submit())]);
  assert.match(await other.content(), /not allowed|another site/);
  const answer = await (await context.newPage()).goto(`http://evil.example:${port}/#${token}`);
  assert.equal(answer.status(), 403);
  await context.close();
  evil.close();
  const left = await fetch(origin + '/v1/messages?history=-1', { headers: { Authorization: `Bearer ${token}` } });
  assert.ok(left.ok && !(await left.text()).includes('forged'));
});

/* everywhere shows the page in every language, narrow and light, wide and dark; in English also the other two. */
async function everywhere(run) {
  for (const lang of Object.keys(directions)) for (const width of [320, 1280]) for (const colorScheme of ['light', 'dark']) {
    if (lang !== 'en' && (width === 320) !== (colorScheme === 'light')) continue;
    const page = await open(address, { locale: lang, viewport: { width, height: 800 }, colorScheme });
    await page.waitForSelector('#store');
    await page.evaluate(() => document.querySelectorAll('details').forEach(d => { d.open = true; }));
    const where = `${lang}-${width}-${colorScheme}`;
    await run(page, where, lang, width, colorScheme);
    if (pictures) await page.screenshot({ path: join(pictures, `operator-${where}.png`), fullPage: true });
    await page.context().close();
  }
}
await check('accessible', () => everywhere(async (page, where, lang, width, scheme) => {
  const [wide, dir, read, background] = await page.evaluate(() => {
    const html = document.documentElement;
    return [html.scrollWidth, getComputedStyle(html).direction, html.lang, getComputedStyle(document.body).backgroundColor];
  });
  assert.ok(wide <= width, `${where} is ${wide} wide`);
  assert.equal(dir, directions[lang], where);
  assert.equal(read, lang, where);
  assert.equal(background, scheme === 'dark' ? 'rgb(0, 0, 0)' : 'rgb(255, 255, 255)', where);
  quiet(page);
  // The page's own policy runs no script from outside it; axe is let in by the debugger.
  const { violations } = await page.evaluate(`${axe}; window.axe.run()`);
  assert.deepEqual(violations.map(v => `${v.id}: ${v.nodes[0].html}`), [], where);
  const small = await page.evaluate(() => [...document.querySelectorAll('button, select, input:not([type=checkbox]), textarea, summary')].filter(e => e.getBoundingClientRect().height < 43).map(e => e.outerHTML.slice(0, 80)));
  assert.deepEqual(small, [], where);
}));
await check('another language', async () => {
  const page = await open();
  await page.selectOption('.language select', 'kk');
  await page.waitForFunction(() => document.documentElement.lang === 'kk' && /Көршілер/.test(document.body.innerText));
  await page.reload();
  await page.waitForFunction(() => /Көршілер/.test(document.body.innerText));
  quiet(page);
  await page.context().close();
});
await check('stop', async () => {
  await page.click('#stop button');
  await page.click('dialog button:not(.danger)');
  await page.waitForTimeout(300);
  assert.equal(await page.locator('.board').count(), 1);
  await page.click('#stop button');
  await page.click('dialog .danger');
  await page.locator('main [role=alert]').waitFor();
  assert.match(await text(page, 'main [role=alert]'), /was stopped[\s\S]*longear relay/);
  const asked = page.asked.length;
  await page.waitForTimeout(2500);
  assert.equal(page.asked.length, asked, 'it goes on asking');
  assert.deepEqual(page.said, []);
});
await browser.close();
