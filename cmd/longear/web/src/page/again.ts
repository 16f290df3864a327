// Parts that are fetched later, again until they are there. Some browsers remember for the page's life that a file could not be had, and
// do not ask again for the same address: so the build ends those addresses in what stands here (merge.mjs), and after a failure that is
// another query.

const scope = globalThis as { again?: string };
let failures = 0;
let last: Promise<unknown> = Promise.resolve();
let old = false;
let found = (): void => undefined;
let news = 0; // parts that came, and hubs that came back

/** After so many ms a part that does not come has failed: a phone that has left a Wi-Fi is told nothing, and the parts wait for each other. */
const longest = 30_000;
/** And a look at what page the hub has. */
const longestLook = 10_000;
/** Pauses after failures, in ms: the first one, each that follows is twice as long, and the longest. */
const firstPause = 2000;
const longestPause = 40_000;

/** Whether the hub has not this page but another: what this one lacks is not to be had from it. */
export function isOld(): boolean {
  return old;
}

/** Has somebody called at each look that finds another page. */
export function whenOld(call: () => void): void {
  found = call;
}

/** Fetches a part, after those that are fetched already: each at once would be a connection more. The next try after a failure asks anew. */
export function fetched<T>(load: () => Promise<T>): Promise<T> {
  const got = last.then(() => atOnce(load));
  last = got.catch(() => undefined);
  return got;
}

/** Fetches a part that others need not wait for. */
export function atOnce<T>(load: () => Promise<T>): Promise<T> {
  const got = new Promise<T>((done, failed) => {
    const timer = setTimeout(failed, longest);
    load().then(done, failed).then(() => clearTimeout(timer));
  });
  got.then(fits, () => {
    scope.again = `?${++failures}`;
    look();
  });
  return got;
}

function fits(): void {
  pauses = 0;
  old = false;
  news++;
}

/** Looks whether the hub has this page: a file's name says what is in it and in what it lacks, so that a hub without this one has another. */
function look(): void {
  const before = news;
  const stop = new AbortController();
  setTimeout(() => stop.abort(), longestLook);
  fetch(import.meta.url, { method: "HEAD", cache: "no-store", signal: stop.signal }).then(
    ({ status }) => {
      if (news === before && (old = status === 404)) found(); // else it is an answer of before
    },
    () => undefined,
  );
}

/** Fetches a part for all who want it, again for who wants it after a failure. One that comes after it was given up is there all the same. */
export function once<T>(load: () => Promise<T>): () => Promise<T> {
  let going: Promise<T> | undefined;
  let there: Promise<T> | undefined;
  const get = (): Promise<T> => {
    const coming = load();
    coming.then(() => (there = coming), () => undefined);
    return coming;
  };
  return () =>
    there ??
    (going ??= fetched(get).catch((e: unknown) => {
      going = undefined;
      throw e;
    }));
}

/** d, give or take 40 %: a crowd that lost a hub at once does not come back at once. */
export function jitter(d: number): number {
  return d * (0.6 + 0.8 * Math.random());
}

let pauses = 0; // since something came
let waiting: Promise<void> | undefined;
let wake = (): void => undefined;

/** Waits before the next try: ever longer, all who wait together, until the hub is there again. */
export function pause(): Promise<void> {
  return (waiting ??= new Promise((done) => {
    wake = () => {
      clearTimeout(timer);
      waiting = undefined;
      done();
    };
    const timer = setTimeout(wake, jitter(Math.min(firstPause * 2 ** pauses++, longestPause)));
  }));
}

/** The hub is there again: whatever waits is tried at once. */
export function back(): void {
  fits(); // for all that is known of it
  wake();
}

// The browser's word, in the page and in its worker. What the line to the hub says comes from there.
if ("addEventListener" in globalThis) addEventListener("online", back);

/** Tries until it succeeds. */
export async function until<T>(get: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await get();
    } catch {
      await pause();
    }
  }
}
