/* Starts a browser for the scripts beside this one. */
import { chromium } from 'playwright-core';

/* died is the exit code of a script whose browser ended by itself: of a renderer that ends the page would tell, so that this is no fault of a page. */
const died = 70;

/* patience is how long a page is waited for, in ms: what takes moments takes long on a machine that does much else. */
const patience = 90_000;

/* launch starts a browser, which draws by the processor. If it ends before it is closed its last words go to standard error, and the script ends. */
export async function launch(executablePath, more = []) {
  const words = [];
  const logger = { isEnabled: name => name === 'browser', log: (_, __, text) => words.push(String(text)) > 60 && words.shift() };
  const args = ['--disable-background-networking', '--disable-gpu', ...(process.getuid() === 0 ? ['--no-sandbox'] : []), ...more];
  const browser = await chromium.launch({ executablePath, args, logger });
  let closing = false;
  browser.on('disconnected', () => {
    if (closing) return;
    console.error(`the browser ended by itself; its last words:\n${words.join('\n')}`);
    process.exit(died);
  });
  const open = browser.newContext.bind(browser);
  browser.newContext = async options => {
    const context = await open(options);
    context.setDefaultTimeout(patience);
    return context;
  };
  const close = browser.close.bind(browser);
  browser.close = () => { closing = true; return close(); };
  return browser;
}
