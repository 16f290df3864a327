/* Looks at the screens of the page, over an inside that is made up, as a phone's browser does: node page.mjs CHROMIUM URL LANG
   [PICTURES]. Prints a line of JSON for each check: {"check": "its name", "wrong": "what did not hold, or nothing", "note": "what was
   measured"}. */
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import assert from 'node:assert/strict';
import { launch } from './browser.mjs';

const [, , executablePath, hub, lang, pictures] = process.argv;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const browser = await launch(executablePath);
const languages = { ar: 'rtl', en: 'ltr', fa: 'rtl', kk: 'ltr', ru: 'ltr', zh: 'ltr' };
const english = JSON.parse(readFileSync(join(lang, 'en.json'), 'utf8'));

/* open shows the page. What it says and asks for is kept in page.said and page.asked. */
async function open(path = '/', options = {}, before = async () => {}, by = browser) {
  const context = await by.newContext({ viewport: { width: 320, height: 640 }, hasTouch: true, locale: 'en', ...options });
  const page = await context.newPage();
  Object.assign(page, { said: [], asked: [] });
  page.on('console', m => page.said.push(`${m.type()}: ${m.text()}`));
  page.on('pageerror', e => page.said.push(`error: ${e.message}`));
  page.on('dialog', d => { page.said.push('dialog'); d.dismiss(); });
  page.on('request', r => page.asked.push(new URL(r.url()).pathname));
  await before(page);
  await page.goto(hub + path);
  await page.waitForSelector('html[data-started]');
  await touch(page);
  return page;
}

/* touch tells the page that somebody is there: from now on new messages wait. It listens for that from the frame after its first drawing. */
const touch = async page => { await drawn(page); await page.keyboard.press('Shift'); };
/* drawn waits until what was asked for is on the screen. */
const drawn = page => page.evaluate(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 50)))));
const set = async (page, some) => { await page.evaluate(s => window.core.set(s), some); await drawn(page); };
const arrive = async (page, some) => { await page.evaluate(s => window.core.arrive(s), some); await drawn(page); };
/* fails has the first so many requests for a part fail, and counts in page.tries how often each was asked for. */
const fails = (page, part, times) => {
  page.tries = { ...page.tries, [part]: 0 };
  return page.route(`**/page/${part}`, route => ++page.tries[part] <= times ? route.abort() : route.continue());
};
const asked = page => page.evaluate(() => window.core.asked);
const article = (page, text) => page.locator('article', { hasText: text }).first();
const button = (where, name) => where.getByRole('button', { name, exact: true });

/* The screens: how to come to each from the feed, and back. */
const screens = {
  feed: [async () => {}, async () => {}],
  you: [async p => { await p.click('.me'); await p.waitForSelector('.you'); }, async p => { await p.click('.me'); await p.waitForSelector('.tabs'); }],
  forget: [ /* and whom this phone does not show */
    async p => {
      await set(p, { muted: [{ author: 'noisenoisenoise2', name: 'a noise of a name that is long' }, { author: 'other7other7othe', name: '' }] });
      await p.click('.me');
      await p.waitForSelector('.people');
      await p.click('.danger-edge');
    },
    async p => { await p.click('.me'); await p.waitForSelector('.tabs'); await set(p, { muted: [] }); },
  ],
  more: [async p => { await p.click('.to .plain'); await p.check('.to input'); }, async p => { await p.uncheck('.to input'); await p.click('.to .plain'); }],
  poll: [async p => { await p.click('.to .plain'); await p.click('.compose button.choice >> nth=1'); await p.waitForSelector('.fields'); }, async p => { await p.click('.doing button'); await p.click('.to .plain'); }],
  reply: [ /* and what else can be done */
    async p => { await p.click('article .acts button >> nth=0'); await p.click('article .acts [aria-label]'); await p.waitForSelector('.menu'); },
    async p => { await p.click('article .acts [aria-label]'); await p.click('.doing button'); },
  ],
  trouble: [
    async p => { await set(p, { line: 'away', waiting: 2, keeping: 'tab', clockOff: 7_300_000 }); await p.click('.line .first'); },
    async p => { await set(p, { line: 'live', waiting: 0, keeping: 'phone', clockOff: 0 }); await p.click('.notice button'); },
  ],
  empty: [async p => { await p.evaluate(() => { window.old = window.core.now().posts; }); await set(p, { posts: [], line: 'full', old: true }); }, async p => { await p.evaluate(() => window.core.set({ posts: window.old, line: 'live', old: false })); await drawn(p); }],
};

const checks = {
  async 'every screen'() {
    for (const colorScheme of ['light', 'dark']) for (const width of [320, 390]) {
      const page = await open('/', { colorScheme, viewport: { width, height: 640 } });
      await page.evaluate(axe);
      for (const code of Object.keys(languages)) {
        await page.selectOption('.head select', code);
        await page.waitForSelector(`html[lang=${code}]`);
        await drawn(page);
        for (const [screen, [go, back]] of Object.entries(screens)) {
          const where = `${screen} ${code} ${colorScheme} ${width}`;
          await go(page);
          await drawn(page);
          const [wide, dir, ground] = await page.evaluate(() => {
            const html = document.documentElement;
            return [html.scrollWidth, getComputedStyle(html).direction, getComputedStyle(document.body).backgroundColor];
          });
          assert.ok(wide <= width, `${where} is ${wide} wide`);
          assert.equal(dir, languages[code], where);
          assert.equal(ground, colorScheme === 'dark' ? 'rgb(0, 0, 0)' : 'rgb(255, 255, 255)', where);
          if (pictures) await page.screenshot({ path: join(pictures, `page-${where.replaceAll(' ', '-')}.png`) });
          if (width > 320) { /* where there is more room the same things are there */
            await back(page);
            continue;
          }
          const { violations } = await page.evaluate(async () => {
            /* What a bar happens to cover can be scrolled to, and is no small target. "keyboard" sees to what is covered. */
            const bars = [...document.querySelectorAll('.dock, .tabs, .fresh')];
            bars.forEach(b => { b.style.position = 'static'; });
            const found = await window.axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] });
            bars.forEach(b => { b.style.position = ''; });
            return found;
          });
          assert.deepEqual(violations.map(v => `${v.id}: ${v.nodes[0].html} ${v.nodes[0].failureSummary}`), [], where);
          await back(page);
        }
      }
      assert.deepEqual(page.said, []);
      await page.context().close();
    }
  },
  async 'only words of the catalogue'() {
    const strange = Object.fromEntries(Object.entries(english).map(([key, text]) => [key, `⟦${key} ${(text.match(/\{\w+\}/g) ?? []).join(' ')}⟧`]));
    const page = await open('/', {}, p => p.route('**/page/en-*.js', route => route.fulfill({ contentType: 'text/javascript', body: `export default ${JSON.stringify({ ...strange, dir: 'ltr' })}` })));
    for (const [screen, [go, back]] of Object.entries(screens)) {
      await go(page);
      await drawn(page);
      const bare = await page.evaluate(() => {
        const out = [];
        const walk = document.createTreeWalker(document.getElementById('page'), NodeFilter.SHOW_TEXT);
        for (let n = walk.nextNode(); n; n = walk.nextNode()) {
          if (n.parentElement.closest('bdi, code, time, option, .t, .said, .name, .vh')) continue;
          const rest = n.data.replace(/\u2068[^\u2069]*\u2069/g, '').replace(/⟦[^⟧]*⟧/g, '');
          if (/\p{L}/u.test(rest) && rest.trim() !== 'longear') out.push(n.data);
        }
        for (const e of document.querySelectorAll('#page [aria-label], #page [placeholder], #page [alt]')) for (const a of ['aria-label', 'placeholder', 'alt']) {
          const said = e.getAttribute(a);
          if (said && !/⟦/.test(said)) out.push(said);
        }
        return out;
      });
      assert.deepEqual(bare, [], screen);
      await back(page);
    }
  },
  async 'one language is fetched'() {
    const page = await open('/?lang=kk');
    const files = () => page.asked.filter(path => /\/(ar|en|fa|kk|ru|zh)-/.test(path)).map(path => path.slice(6, 8));
    assert.deepEqual([...new Set(files())], ['kk']);
    await page.selectOption('.head select', 'fa');
    await page.waitForSelector('html[lang=fa][dir=rtl]');
    assert.deepEqual([...new Set(files())], ['kk', 'fa']);
    await page.goto(hub + '/'); /* what was chosen stays chosen */
    await page.waitForSelector('html[data-started][lang=fa]');
    assert.deepEqual(page.said, []);
  },
  async 'takes over'() {
    let go;
    const gate = new Promise(done => { go = done; });
    const context = await browser.newContext({ viewport: { width: 320, height: 640 }, locale: 'en' });
    const page = await context.newPage();
    await page.route('**/page/fakepage.js', async route => { await gate; await route.continue(); });
    await page.goto(hub + '/?board', { waitUntil: 'commit' });
    await page.waitForSelector('article >> nth=10');
    await page.locator('article').nth(6).evaluate(a => scrollTo(0, a.offsetTop + 20));
    await page.fill('#t', 'half a sentence');
    await page.locator('article').nth(6).evaluate(a => scrollTo(0, a.offsetTop + 20));
    const [id, top] = await page.locator('article').nth(6).evaluate(a => [a.id, a.getBoundingClientRect().top]);
    go();
    await page.waitForSelector('html[data-started]');
    await drawn(page);
    const now = await page.evaluate(id => document.querySelector(`[id^="${id}"]`).getBoundingClientRect().top, id);
    assert.ok(Math.abs(now - top) <= 2, `the text that is read moved from ${top} to ${now}`);
    assert.equal(await page.inputValue('#text'), 'half a sentence');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'text');
    /* At the top nobody reads yet, if the page is young: by its own clock, for it may take long to come. */
    for (const [age, moves] of [[1400, false], [1600, true]]) {
      const young = await open('/?board', {}, p => p.addInitScript(age => { performance.now = () => age; }, age));
      assert.equal(await young.evaluate(() => scrollY > 0), moves, `${age} ms`);
    }
  },
  async 'nothing moves while one reads'() {
    const page = await open();
    await page.evaluate(() => scrollTo(0, 700));
    await drawn(page);
    const place = () => page.locator('article').nth(3).evaluate(a => a.getBoundingClientRect().top);
    const before = await place();
    for (const text of ['one', 'two', 'three']) await arrive(page, { text });
    assert.equal(await place(), before);
    await button(page, '3 new').click();
    await drawn(page);
    assert.match(await page.locator('article').first().textContent(), /three/);
    assert.equal(await page.evaluate(() => document.activeElement === document.querySelector('article')), true);
    assert.equal(await button(page, '3 new').count(), 0);
    assert.equal(await page.evaluate(() => scrollY), 0);
    await arrive(page, { text: 'four' }); /* at the top too: somebody may be reading the first one */
    assert.ok(await button(page, '1 new').isVisible());
    const many = await open('/?posts=120');
    assert.equal(await many.locator('article').count(), 50);
    await button(many, 'Older messages').click();
    await drawn(many);
    assert.equal(await many.locator('article').count(), 100);
    assert.equal(await many.evaluate(() => [...document.querySelectorAll('article')].indexOf(document.activeElement)), 50);
  },
  async 'news are told'() {
    const page = await open();
    const region = page.locator('[aria-live=polite]');
    await region.waitFor({ state: 'attached' });
    await page.waitForTimeout(5500); /* it looks every 5 s */
    assert.equal(await region.textContent(), '');
    const told = await page.evaluate(() => new Promise(done => {
      const region = document.querySelector('[aria-live=polite]');
      new MutationObserver(() => region.textContent !== '' && done(region.textContent)).observe(region, { characterData: true, childList: true, subtree: true });
      setTimeout(done, 30_000, 'nothing');
      for (const alert of [false, true, false]) window.core.arrive({ text: 'x', alert }); /* together: no look comes between them */
    }));
    assert.equal(told.replace(/[\u2068\u2069]/g, ''), '3 new. There is a new alert.');
  },
  async 'answers'() {
    const page = await open();
    const alert = article(page, 'The north gate is closed');
    assert.match(await alert.textContent(), /confirmed: .?12 keys.*contradicted: .?1 key.*Keys are counted, not people/);
    await button(alert, 'I see this too').click();
    await page.waitForFunction(() => window.core.asked.some(a => a === 'respond {"kind":"confirm"}'));
    await alert.getByRole('button', { name: 'I see this too', pressed: true }).waitFor();
    assert.match(await alert.textContent(), /13 keys.*Your answer: .?I see this too/);
    await button(alert, 'This is not so').click();
    await page.waitForFunction(() => document.querySelector('article').textContent.includes('2 keys'));
    await button(alert, 'Take back').click();
    await page.waitForFunction(() => !document.querySelector('article').textContent.includes('Your answer'));
    const petition = article(page, 'Просим открыть');
    await button(petition, 'Sign').click();
    await petition.getByText('42 keys').waitFor();
    await petition.getByText('Your answer').waitFor();
    const poll = article(page, 'What is short');
    for (const option of ['Water', 'Blankets']) await poll.getByRole('checkbox', { name: option }).check();
    assert.ok(await poll.getByRole('checkbox', { name: 'Bread' }).isDisabled(), 'more than may be chosen');
    await button(poll, 'Vote').click();
    await poll.getByText('5 keys').first().waitFor();
    assert.ok((await asked(page)).includes('respond {"kind":"vote","options":[0,2]}'));
    const own = article(page, 'Water at the east stairs');
    await button(own, 'React').click();
    await own.getByRole('button', { name: '😢' }).click();
    await own.getByRole('button', { name: /😢.*1 key/, pressed: true }).waitFor();
    await own.getByRole('button', { name: /😢.*1 key/ }).click();
    await page.waitForFunction(() => window.core.asked.at(-1) === 'respond {"kind":"withdraw"}');
    assert.deepEqual(page.said, []);
  },
  async 'replies lead'() {
    const page = await open();
    await button(page.locator('.tabs'), '#water 5').click();
    await page.locator('.quote', { hasText: 'rain coat' }).click();
    await page.waitForFunction(() => document.activeElement.textContent.includes('about 200 bottles'));
    assert.equal(await page.locator('.tabs [aria-current]').textContent(), 'All', 'what is answered is in another channel');
    assert.ok(await page.evaluate(() => { const r = document.activeElement.getBoundingClientRect(); return r.top >= 0 && r.top < innerHeight; }));
    const many = await open('/?posts=200');
    await many.evaluate(() => window.core.arrive({ text: 'about an old one', parents: [window.core.now().posts[150].id] }));
    await button(many, '1 new').click();
    await many.locator('.quote').click();
    await many.waitForFunction(() => document.activeElement.textContent.includes('Message 50:'));
  },
  async 'writing'() {
    const page = await open();
    await page.fill('#text', 'half');
    await page.check('.to input');
    assert.match(await page.locator('.compose').textContent(), /Only for danger and urgent help/);
    await page.reload();
    await page.waitForSelector('html[data-started]');
    assert.equal(await page.inputValue('#text'), 'half');
    assert.ok(await page.isChecked('.to input'));
    await page.selectOption('select.target', 'water');
    await page.fill('#text', 'water at gate 4');
    await button(page, 'Send').click();
    await article(page, 'water at gate 4').waitFor();
    assert.ok((await asked(page)).includes('write {"kind":"post","channel":"water","text":"water at gate 4","alert":true}'));
    assert.match(await article(page, 'water at gate 4').textContent(), /kept on this phone/);
    assert.equal(await page.inputValue('#text'), '');
    await page.locator('article', { hasText: 'Gate is open again' }).getByRole('button', { name: /^Reply / }).click();
    assert.match(await page.locator('.doing').textContent(), /Reply to .?blue kettle \w{8}/);
    await page.fill('#text', 'is it?');
    await page.keyboard.press('Control+Enter');
    await page.waitForFunction(() => window.core.asked.some(a => /"parent":"\w{52}"/.test(a)));
    await page.waitForFunction(() => document.getElementById('text').value === ''); // what was sent is gone from the bar a moment later
    await page.fill('#text', 'я'.repeat(2050));
    await page.locator('.compose', { hasText: /too long.*Room left: -4/ }).waitFor();
    await page.fill('#text', 'x');
    await page.setInputFiles('.compose', []).catch(() => {});
    await button(page, 'More').click();
    await page.setInputFiles('.compose input[type=file]', { name: 'my photo.jpg', mimeType: 'image/jpeg', buffer: Buffer.alloc(2_400_000) });
    assert.match(await page.locator('.doing').textContent(), /my photo\.jpg.*2\.4 MB.*Place and camera data are removed/);
    await button(page, 'Send').click();
    await page.waitForFunction(() => window.core.asked.some(a => /"kind":"photo"/.test(a)));
    await button(page.locator('.tabs'), await page.locator('.tabs button').last().textContent()).click();
    assert.match(await page.locator('.dock').textContent(), /name of this channel is not known/);
    assert.deepEqual(page.said, []);
  },
  async 'what fails is said'() {
    const page = await open();
    await button(page, 'Send').click();
    assert.equal(await page.locator('.notice [role=alert]').textContent(), 'There is no text.');
    await page.evaluate(() => window.core.fail('full'));
    await page.fill('#text', 'hello');
    assert.equal(await page.locator('.notice').count(), 0);
    await button(page, 'Send').click();
    await page.locator('.notice', { hasText: 'the hub is full' }).waitFor();
    assert.equal(await page.inputValue('#text'), 'hello', 'what failed is lost');
    await page.evaluate(() => window.core.fail('no such key'));
    await button(page, 'Send').click();
    await page.locator('.notice', { hasText: 'That did not work' }).waitFor();
    const state = async () => (await page.locator('.state').textContent()).replace(/[\u2068\u2069]/g, '');
    assert.match(await state(), /hub north gate · 11 phones · 2 neighbours · last sync \d+ sec\. ago/);
    await set(page, { line: 'away', waiting: 2 });
    assert.match(await state(), /Out of reach. Your 2 messages are kept and will go out at the next hub/);
    await set(page, { line: 'full', waiting: 0, keeping: 'tab', clockOff: -7_300_000 });
    assert.match(await state(), /hub is full.*until you close this tab.*2 h apart/);
    await page.route('**/page/ru-*.js', route => route.abort());
    await page.selectOption('.head select', 'ru');
    await page.locator('.notice', { hasText: 'The hub cannot be reached' }).waitFor();
    assert.equal(await page.getAttribute('html', 'lang'), 'en');
  },
  async 'a part that fails comes later'() {
    let held = true; /* until the test has seen what is said meanwhile: however slow the machine is, it is said for that long */
    const tries = { 'rest-': 0, 'later-': 0, 'sorts-': 0 };
    const page = await open('/', {}, p => p.route(/\/(rest-[^/]*\.js|later-[^/]*\.css|sorts-[^/]*\.js)/, route => {
      tries[/\/([a-z]+-)[^/]*$/.exec(route.request().url())[1]]++;
      return held ? route.abort() : route.continue();
    }));
    assert.equal(await page.locator('.compose').count(), 0);
    await page.locator('.dock', { hasText: 'The rest of the page is still to come' }).waitFor();
    for (let i = 0; i < 1800 && Object.values(tries).some(n => n < 2); i++) await page.waitForTimeout(50);
    held = false;
    await page.locator('.compose').waitFor(); /* the longest pause is 56 s */
    await page.locator('fieldset.poll').first().waitFor();
    await page.waitForFunction(() => [...document.styleSheets].some(s => /later-/.test(s.href ?? '')));
    assert.equal(await page.locator('.compose').evaluate(e => getComputedStyle(e).display), 'grid');
    for (const [part, n] of Object.entries(tries)) assert.ok(n >= 3, `${part} was asked for ${n} times: it did not fail twice`);
    /* A phone without a hub asks seldom, and at once when it has one again. */
    let asked = 0, out = true;
    const away = await open('/', {}, p => p.route(/rest-.*\.js/, route => { asked++; return out ? route.abort() : route.continue(); }));
    for (let i = 0; i < 1800 && asked < 3; i++) await away.waitForTimeout(50);
    assert.ok(asked >= 3, `asked ${asked} times`);
    out = false; /* by itself it would be asked for in 4.8 s at the earliest */
    await away.evaluate(() => dispatchEvent(new Event('online')));
    await away.locator('.compose').waitFor({ timeout: 4500 });
  },
  async 'what is first needed and fails comes later'() {
    for (const part of ['en-*.js', 'style-*.css']) {
      const page = await open('/?board', {}, p => fails(p, part, 1));
      await page.locator('#page .compose').waitFor();
      assert.ok(await page.evaluate(() => [...document.styleSheets].some(s => /\/style-/.test(s.href ?? ''))), part);
      assert.ok(page.tries[part] >= 2, `${part} did not fail`);
    }
  },
  async 'no key is shown while its words are missing'() {
    const keys = new Set(Object.keys(english).map(key => key.split('.')[0]));
    const halves = [];
    const page = await open('/?lang=ru', {}, p => p.route('**/page/ru-*.js', route => {
      if (!halves.includes(route.request().url())) halves.push(route.request().url());
      return halves.length > 1 ? route.abort() : route.continue();
    }));
    await set(page, { line: 'full', keeping: 'tab', clockOff: 7_300_000, lies: 2 });
    await page.click('article .acts [aria-label]');
    await page.waitForTimeout(3500);
    const raw = await page.evaluate(() => {
      const out = [];
      const walk = document.createTreeWalker(document.getElementById('page'), NodeFilter.SHOW_TEXT);
      for (let n = walk.nextNode(); n; n = walk.nextNode()) out.push(n.data.trim());
      for (const e of document.querySelectorAll('#page [aria-label], #page [placeholder]')) out.push(e.getAttribute('aria-label'), e.getAttribute('placeholder'));
      return out;
    });
    assert.deepEqual(raw.filter(text => keys.has(text) || keys.has(text?.split('.')[0])), []);
    await page.unroute('**/page/ru-*.js');
    await page.evaluate(() => dispatchEvent(new Event('online')));
    await page.locator('.compose').waitFor();
    assert.match(await page.locator('#page').textContent(), /отклонено|не принято|отказ/i);
  },
  async 'who types keeps the field'() {
    let go;
    const gate = new Promise(done => { go = done; });
    const context = await browser.newContext({ viewport: { width: 320, height: 640 }, locale: 'en' });
    const page = await context.newPage();
    await page.route('**/page/fakepage.js', async route => { await gate; await route.continue(); });
    let failed = 0;
    await page.route('**/page/rest-*.js', route => failed++ < 1 ? route.abort() : route.continue());
    await page.goto(hub + '/?board', { waitUntil: 'commit' });
    await page.evaluate(() => sessionStorage.setItem('longear.sketch', JSON.stringify({ kind: 'post', text: 'from before', parent: '', options: [] })));
    await page.fill('#t', 'half a tence');
    await page.evaluate(() => document.getElementById('t').setSelectionRange(7, 7));
    await page.evaluate(() => { window.lost = 0; document.getElementById('t').addEventListener('blur', () => window.lost++); });
    go();
    for (let i = 0; i < 1800 && failed === 0; i++) await page.waitForTimeout(50);
    await page.waitForTimeout(300);
    assert.equal(await page.evaluate(() => document.activeElement.id), 't', 'a part that failed took the field away');
    await page.keyboard.type('sen'); /* and it is still written in */
    await page.waitForSelector('html[data-started]');
    assert.equal(await page.inputValue('#text'), 'half a sentence\n\nfrom before');
    assert.deepEqual(await page.evaluate(() => [document.activeElement.id, document.activeElement.selectionStart, document.activeElement.selectionEnd]), ['text', 10, 10]);
    await page.unroute('**/page/fakepage.js');
    await page.reload();
    await page.waitForSelector('html[data-started]');
    assert.equal(await page.inputValue('#text'), 'half a sentence\n\nfrom before');
  },
  async 'what the old page sends is not sent again'() {
    let go;
    const gate = new Promise(done => { go = done; });
    const page = await (await browser.newContext({ viewport: { width: 320, height: 640 }, locale: 'en' })).newPage();
    let asked = 0, posted = 0;
    await page.route('**/page/en-*.js', async route => { asked++; await gate; await route.continue(); });
    let answer;
    await page.route('**/post', route => { posted++; answer = () => route.fulfill({ status: 204 }); }); /* an answer that leaves the page where it is */
    await page.goto(hub + '/?board', { waitUntil: 'commit' });
    for (let i = 0; i < 1800 && asked === 0; i++) await page.waitForTimeout(50);
    assert.equal(asked, 1);
    await page.fill('#t', 'sent already');
    await page.evaluate(() => setTimeout(() => document.querySelector('form[action="/post"]').requestSubmit()));
    for (let i = 0; i < 1800 && posted === 0; i++) await page.waitForTimeout(50);
    assert.equal(posted, 1);
    go();
    await answer();
    await page.waitForSelector('html[data-started]');
    assert.deepEqual(await page.evaluate(() => [document.querySelector('#page'), sessionStorage.getItem('longear.sketch'), document.querySelector('#t').value]), [null, null, 'sent already']);
  },
  async 'a hub with another page'() {
    let opened = 0; /* once: what this page lacks is not to be had, however often it asks */
    const page = await open('/', {}, async p => {
      p.on('request', r => { if (r.isNavigationRequest()) opened++; });
      await p.route('**/page/*.js', route => opened < 2 && route.request().method() === 'HEAD' ? route.fulfill({ status: 404 }) : route.fallback());
      await p.route('**/page/rest-*.js', route => opened < 2 ? route.fulfill({ status: 404 }) : route.continue());
    });
    const warning = page.locator('.warn', { hasText: 'another version of this page' });
    await warning.waitFor();
    await set(page, { line: 'away' }); /* then nobody knows */
    assert.equal(await warning.count(), 0);
    await set(page, { line: 'live', keeping: 'tab', waiting: 1 });
    assert.equal(await warning.getByRole('button').count(), 0, 'a reload that loses what waits is offered');
    await set(page, { keeping: 'phone', waiting: 1 });
    await page.evaluate(() => sessionStorage.setItem('longear.sketch', JSON.stringify({ kind: 'post', text: 'half', parent: '', options: [] })));
    if (pictures) await page.screenshot({ path: join(pictures, 'page-old.png') });
    await warning.getByRole('button', { name: 'Reload' }).click();
    await page.locator('.compose').waitFor();
    assert.equal(await page.inputValue('#text'), 'half');
    assert.equal(await warning.count(), 0);
  },
  async 'a hub that has another page before this one is drawn'() {
    for (const [mended, part] of [[true, 'en-*.js'], [true, 'style-*.css'], [false, 'en-*.js']]) {
      const page = await (await browser.newContext({ viewport: { width: 320, height: 640 }, locale: 'en' })).newPage();
      let opened = 0, asked = 0;
      page.on('request', r => { if (r.isNavigationRequest()) opened++; });
      await page.route('**/page/*.js', route => (!mended || opened < 2) && route.request().method() === 'HEAD' ? route.fulfill({ status: 404 }) : route.fallback());
      await page.route(`**/page/${part}`, route => { asked++; return mended && opened > 1 ? route.continue() : route.fulfill({ status: 404 }); });
      await page.goto(hub + '/?board');
      if (mended) await page.waitForSelector('html[data-started]');
      else for (let i = 0; i < 1800 && asked < 5; i++) await page.waitForTimeout(50);
      assert.ok(asked >= (mended ? 2 : 5), `${part} was asked for ${asked} times`);
      assert.equal(opened, 2, 'it is opened anew once');
      assert.ok(await page.locator('article').count() > 10);
    }
  },
  async 'muting'() {
    const page = await open();
    const loud = page.locator('article', { hasText: 'Gate is open again' });
    const author = await page.evaluate(() => window.core.now().posts.find(p => p.text.startsWith('Gate is open')).author);
    const menu = loud.getByRole('button', { name: /^More / });
    await page.locator('.compose').waitFor(); /* what the menu says comes with it */
    await menu.focus();
    await page.keyboard.press('Enter');
    assert.equal(await menu.getAttribute('aria-expanded'), 'true');
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Show nothing of this author');
    assert.match(await loud.textContent(), /Only on this phone. Nobody is told/);
    const next = await loud.evaluate(e => e.nextElementSibling.id);
    await page.keyboard.press('Enter');
    await loud.waitFor({ state: 'detached' });
    await page.locator('.notice', { hasText: 'Nothing of this author is shown any more' }).waitFor();
    await page.waitForFunction(next => document.activeElement.id === next, next);
    assert.ok((await asked(page)).includes(`mute ${author} true`));
    assert.equal(await page.locator('article.own').first().getByRole('button', { name: /^More/ }).count(), 0, 'nobody mutes themselves');
    await page.click('.me');
    await page.locator('.people li', { hasText: 'blue kettle' }).waitFor();
    await page.getByRole('button', { name: /^Show again/ }).click();
    await page.waitForSelector('.people', { state: 'detached' });
    assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
    await page.click('.me');
    await loud.waitFor();
    assert.deepEqual(page.said, []);
  },
  async 'petitions and polls'() {
    const page = await open();
    await button(page, 'More').click();
    await button(page, 'Poll').click();
    await page.waitForSelector('.fields');
    await page.fill('#text', 'Where to?');
    await page.getByLabel('Option 1').fill('north');
    await button(page, 'Send').click();
    await page.locator('.notice', { hasText: 'two different options' }).waitFor();
    await page.getByLabel('Option 2').fill('south');
    await button(page, 'Add an option').click();
    await page.getByLabel('Option 3').fill('stay');
    await page.getByLabel('How many may be chosen').selectOption('2');
    await page.reload();
    await page.waitForSelector('.fields');
    assert.equal(await page.getByLabel('Option 3').inputValue(), 'stay');
    await button(page, 'Send').click();
    await page.waitForFunction(() => window.core.asked.includes('write {"kind":"poll","channel":"all","text":"Where to?","options":["north","south","stay"],"most":2}'));
    await page.waitForSelector('.fields', { state: 'detached' });
    await button(page, 'More').click();
    await button(page, 'Petition').click();
    await page.fill('#text', 'Open the door');
    await button(page, 'Send').click();
    await page.waitForFunction(() => window.core.asked.includes('write {"kind":"petition","channel":"all","text":"Open the door"}'));
    assert.deepEqual(page.said, []);
  },
  async 'photos and files'() {
    const page = await open();
    const photo = page.locator('article', { has: page.locator('img') });
    assert.ok(await photo.locator('img').evaluate(i => i.decode().then(() => i.naturalWidth === 16)));
    await page.evaluate(() => new MutationObserver(() => { window.progressed ||= document.querySelector('.photo progress') !== null; }).observe(document.body, { childList: true, subtree: true }));
    await photo.getByRole('button', { name: /^Load \(.?61 kB/ }).click();
    await page.waitForFunction(() => document.querySelector('.photo img').naturalWidth === 640);
    assert.ok(await page.evaluate(() => window.progressed), 'it is not said how far it has come'); /* a quarter of a second long */
    assert.ok(await photo.getByRole('link', { name: 'Save the file' }).getAttribute('download'));
    const file = article(page, 'map of the square');
    await file.getByRole('button', { name: /^Load/ }).click();
    const link = file.getByRole('link', { name: 'Save the file' });
    await link.waitFor();
    assert.equal(await link.getAttribute('download'), 'map of the square.pdf');
    const type = await link.evaluate(async a => (await fetch(a.href).catch(() => undefined))?.headers.get('content-type') ?? 'refused');
    assert.ok(type === 'application/octet-stream' || type === 'refused', type);
    assert.equal(await file.locator('img').count(), 0);
    const complaints = page.said.filter(s => !s.includes('connect-src') && !s.includes('Fetch API')); /* this check's own request */
    assert.deepEqual(complaints, []);
  },
  async 'your own screen'() {
    const page = await open();
    await page.click('.me');
    await page.waitForSelector('.you');
    assert.match((await page.locator('.you').textContent()).replace(/[\u2068\u2069]/g, ''), /carries 231 messages.*Private talk needs|Private talk needs.*carries 231 messages/s);
    await page.getByLabel('Your name').fill('umbrella');
    await button(page, 'Save').click();
    await page.locator('.notice', { hasText: 'Saved.' }).waitFor();
    const saving = page.waitForEvent('download');
    await button(page, 'Save a carry file').click();
    assert.match((await saving).suggestedFilename(), /^longear-\d{12}\.ear$/);
    await page.setInputFiles('.you input[type=file]', { name: 'a.ear', mimeType: 'application/octet-stream', buffer: Buffer.alloc(7) });
    await page.locator('.notice', { hasText: 'New: 12 · known: 3 · refused: 1 The file is damaged' }).waitFor();
    await page.getByLabel('Add a channel').fill('Medic');
    await button(page, 'Add').click();
    await page.locator('.notice', { hasText: 'channel was added' }).waitFor();
    await page.goBack();
    await button(page.locator('.tabs'), '#medic').waitFor();
    assert.deepEqual((await asked(page)).filter(a => !a.startsWith('looking')), ['name umbrella', 'save', 'load 7', 'channel Medic']);
    assert.deepEqual(page.said, []);
  },
  async 'forgetting'() {
    const page = await open();
    await page.fill('#text', 'secret');
    await page.selectOption('.head select', 'en');
    await page.click('.me');
    await page.waitForSelector('.you');
    await button(page, 'Forget everything').click();
    await page.waitForFunction(() => document.activeElement.textContent === 'Cancel'); /* what comes to hand does no harm */
    assert.ok(!(await asked(page)).includes('forget'));
    await button(page, 'Yes, erase everything').click();
    await page.getByText('Everything on this phone is erased').waitFor();
    assert.ok((await asked(page)).includes('forget'));
    assert.deepEqual(await page.evaluate(() => [sessionStorage.length, localStorage.length]), [0, 0]);
    assert.equal(await page.locator('#text, article').count(), 0);
  },
  async 'keyboard'() {
    for (const [path, options] of [['/', {}], ['/?lang=ar', { colorScheme: 'dark' }]]) {
      const page = await open(path, options);
      await page.locator('.compose').waitFor();
      const want = await page.evaluate(() => document.querySelectorAll('#page :is(a, button, input, select, textarea):not(:disabled)').length);
      const seen = new Set();
      const hidden = [];
      for (let i = 0; i < want + 40; i++) {
        await page.keyboard.press('Tab');
        const got = await page.evaluate(() => {
          const e = document.activeElement;
          if (!e || !document.getElementById('page').contains(e)) return undefined;
          e.dataset.n ??= String(window.count = (window.count ?? 0) + 1);
          const r = e.getBoundingClientRect();
          const at = document.elementFromPoint((r.left + r.right) / 2, (r.top + r.bottom) / 2);
          const ring = getComputedStyle(e).outlineStyle !== 'none' || getComputedStyle(e.closest('label') ?? e).outlineStyle !== 'none';
          const unseen = !(at && (e.contains(at) || at.contains(e) || e.closest('label')?.contains(at)));
          return { n: e.dataset.n, what: e.outerHTML.slice(0, 90), ring, unseen };
        });
        if (got === undefined) break;
        if (seen.has(got.n)) break;
        seen.add(got.n);
        if (!got.ring || got.unseen) hidden.push(got);
      }
      assert.deepEqual(hidden, [], path);
      /* Of a group of radio buttons one is reached, the arrows lead to the others. */
      const radios = await page.evaluate(() => document.querySelectorAll('input[type=radio]').length - new Set([...document.querySelectorAll('input[type=radio]')].map(r => r.name)).size);
      assert.equal(seen.size, want - radios, path);
    }
  },
  async 'targets'() {
    const page = await open();
    for (const [screen, [go, back]] of Object.entries(screens)) {
      await go(page);
      await drawn(page);
      const small = await page.evaluate(() => [...document.querySelectorAll('#page :is(a, button, input, select, textarea)')].flatMap(e => {
        const r = (e.closest('label') ?? e).getBoundingClientRect();
        return r.height >= 43.5 && r.width >= 43.5 ? [] : [`${e.outerHTML.slice(0, 80)} ${r.width} x ${r.height}`];
      }));
      assert.deepEqual(small, [], screen);
      await back(page);
    }
  },
  async 'large text'() {
    /* As a reader sets it in the browser: then heights in em grow too. */
    const large = await launch(executablePath, ['--blink-settings=defaultFontSize=32']);
    for (const code of ['en', 'kk', 'ar']) {
      const page = await open(`/?lang=${code}`, {}, async () => {}, large);
      assert.equal(await page.evaluate(() => getComputedStyle(document.body).fontSize), '32px');
      for (const [screen, [go, back]] of Object.entries(screens)) {
        await go(page);
        await drawn(page);
        const [wide, cut] = await page.evaluate(() => [document.documentElement.scrollWidth, [...document.querySelectorAll('#page :is(button, a.button, label, p, h1, h2)')].filter(e => !e.closest('.tabs') && !e.matches('.vh') && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline').map(e => e.outerHTML.slice(0, 100))]);
        assert.ok(wide <= 320, `${screen} ${code} is ${wide} wide`);
        assert.deepEqual(cut, [], `${screen} ${code}`);
        if (pictures) await page.screenshot({ path: join(pictures, `page-large-${screen}-${code}.png`) });
        await back(page);
      }
    }
    await large.close();
  },
  async 'forced colours'() {
    const page = await open('/', { forcedColors: 'active' });
    await button(article(page, 'The north gate'), 'I see this too').click();
    await page.locator('[aria-pressed=true]').first().waitFor();
    const look = e => { const s = getComputedStyle(e); return [s.borderTopWidth, s.borderTopColor, s.borderTopStyle].join(' '); };
    const pressed = await article(page, 'The north gate').locator('[aria-pressed=true]').evaluate(look);
    const other = await article(page, 'The north gate').locator('[aria-pressed=false]').evaluate(look);
    assert.notEqual(pressed, other);
    assert.notEqual(await page.locator('.tabs [aria-current]').evaluate(e => getComputedStyle(e).borderBottomColor), await page.locator('.tabs button:not([aria-current])').first().evaluate(e => getComputedStyle(e).borderBottomColor));
    assert.match(await article(page, 'The north gate').textContent(), /Alert/);
    const fill = await page.locator('.g path').first().evaluate(e => [getComputedStyle(e).fill, getComputedStyle(document.body).color]);
    assert.equal(fill[0], fill[1]);
    if (pictures) await page.screenshot({ path: join(pictures, 'page-forced.png') });
  },
  async 'reduced motion'() {
    const moving = page => page.evaluate(() => [...document.querySelectorAll('#page *')].filter(e => getComputedStyle(e).transitionDuration !== '0s' || getComputedStyle(e).animationName !== 'none').length);
    assert.equal(await moving(await open('/', { reducedMotion: 'reduce' })), 0);
    assert.ok(await moving(await open('/', { reducedMotion: 'no-preference' })) > 0, 'nothing moves at all: this check sees nothing');
  },
  async 'hostile texts'() {
    const page = await open();
    await arrive(page, { text: '<img src=x onerror=alert(1)> \u202egnp.exe javascript:alert(1) http://example.org/', name: '<script>\u202e\u200b', channel: 'all' });
    await button(page, '1 new').click();
    const got = page.locator('article').first();
    assert.match(await got.textContent(), /<img src=x onerror=alert\(1\)> gnp\.exe/);
    assert.equal(await got.locator('a, img, script, iframe').count(), 0);
    assert.doesNotMatch(await got.evaluate(e => e.innerText), /[\u202a-\u202e\u0000-\u0008]/);
    await arrive(page, { text: '\n'.repeat(9000), name: 'z' + '\u0301'.repeat(500) });
    await button(page, '1 new').click();
    assert.ok(await page.locator('article').first().evaluate(e => e.offsetHeight) < 250);
    const twin = article(page, 'Gate is open again');
    assert.match(await twin.textContent(), /Another key uses this name too/);
    assert.doesNotMatch(await article(page, 'Просим').textContent(), /Another key/);
    assert.deepEqual(page.said, []);
  },
  async 'without storage'() {
    const page = await open('/', {}, p => p.addInitScript(() => {
      for (const name of ['localStorage', 'sessionStorage', 'indexedDB']) Object.defineProperty(window, name, { get() { throw new DOMException('no', 'SecurityError'); } });
    }));
    await page.selectOption('.head select', 'zh');
    await page.waitForSelector('html[lang=zh]');
    await page.fill('#text', 'x');
    await page.click('.line .first');
    await page.waitForFunction(() => window.core.asked.some(a => a.startsWith('write')));
    assert.deepEqual(page.said, []);
  },
  async 'a thousand messages'() {
    const context = await browser.newContext({ viewport: { width: 320, height: 640 }, locale: 'en' });
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send('Emulation.setCPUThrottlingRate', { rate: 6 });
    await page.addInitScript(() => {
      window.long = [];
      new PerformanceObserver(list => window.long.push(...list.getEntries().map(e => Math.round(e.duration)))).observe({ type: 'longtask', buffered: true });
    });
    const note = [];
    const measure = async (what, run) => {
      await page.evaluate(() => { window.long = []; }).catch(() => {});
      const begun = performance.now();
      await run();
      const took = Math.round(performance.now() - begun);
      await page.waitForTimeout(300);
      note.push(`${what}: ${took} ms, long tasks ${JSON.stringify(await page.evaluate(() => window.long))}`);
    };
    await measure('start', async () => { await page.goto(hub + '/?posts=1000'); await page.waitForSelector('html[data-started]'); });
    await touch(page);
    await measure('one arrives', async () => { await page.evaluate(() => { window.core.arrive({ text: 'x' }); }); await page.waitForSelector('.fresh button'); });
    await measure('it is shown', async () => { await page.click('.fresh button'); await page.waitForSelector('.fresh button', { state: 'detached' }); });
    await measure('an answer', async () => { await page.evaluate(() => { void window.core.respond(window.core.now().posts[8].id, { kind: 'confirm' }); }); await page.waitForSelector('[aria-pressed=true]'); });
    await measure('fifty older', async () => { await page.click('.more button'); await page.waitForSelector('article >> nth=99'); });
    await measure('another channel', async () => { await page.click('.tabs button >> nth=4'); await page.waitForSelector('.tabs button[aria-current] >> nth=0'); });
    await measure('a letter', async () => { await page.type('#text', 'a'); });
    assert.equal(await page.locator('article').count(), 50);
    return note.join('; ');
  },
};

for (const [check, run] of Object.entries(checks)) {
  let wrong = '', note;
  try { note = await run(); } catch (error) { wrong = String(error.stack || error).slice(0, 1500); }
  process.stdout.write(JSON.stringify({ check, wrong, note }) + '\n');
  for (const context of browser.contexts()) await context.close();
}
await browser.close();
