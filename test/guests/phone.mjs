/* A phone's browser in the Wi-Fi of a hub: node phone.mjs CHROMIUM URL. It comes by a name, as a phone that looks for the internet
   does, and prints ok. It runs in the phone's own network, where there is nothing but the hub, which resolves the names. */
import assert from 'node:assert/strict';
import { launch } from './browser.mjs';

const [, , executablePath, hub] = process.argv;
const browser = await launch(executablePath);
const context = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 320, height: 640 }, hasTouch: true });
const page = await context.newPage();

await page.goto('http://connectivitycheck.gstatic.com/generate_204');
assert.equal(page.url(), `${hub}/signin`, 'a phone that looks for the internet is led to the sign-in page');
await page.click('form button');
await page.locator('body', { hasText: '192.168.49.1:8440' }).waitFor(); // the sign-in page names the address of the page, when the button was pressed
const online = await context.request.get('http://connectivitycheck.gstatic.com/generate_204', { maxRedirects: 0 });
assert.equal(online.status(), 204, 'after the button the phone is told that it is online');

await page.goto(hub + '/');
await page.fill('textarea', 'written in a browser');
await page.click('form button');
await page.waitForURL(/notice=kept/); // a guest posts through the form
assert.match(await page.textContent('main'), /written in a browser/);

const scripted = await browser.newContext();
const board = await scripted.newPage();
await board.goto('http://192.168.49.1/');
assert.equal(board.url(), `${hub}/`, 'without a port it is the same page');
await board.locator('article', { hasText: 'written in a browser' }).first().waitFor(); // with script the page takes the board's place, and then has its own messages
await browser.close();
console.log('ok');
