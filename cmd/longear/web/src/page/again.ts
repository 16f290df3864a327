// Parts that are fetched later. Some browsers remember for the page's life that a file could not be had, and do not ask again for the
// same address: so the build ends those addresses in what stands here (merge.mjs), and after a failure that is another query.

const scope = globalThis as { again?: string };
let failures = 0;
let last: Promise<unknown> = Promise.resolve();

/** After so many ms a part that does not come has failed: a phone that has left a Wi-Fi is told nothing, and the parts wait for each other. */
const longest = 30_000;

/** After how many ms a part that failed is fetched again. */
export const againAfter = 3000;

/** Fetches a part, after those that are fetched already: each at once would be a connection more. The next try after a failure asks anew. */
export function fetched<T>(load: () => Promise<T>): Promise<T> {
  const got = last.then(
    () =>
      new Promise<T>((done, failed) => {
        setTimeout(failed, longest);
        load().then(done, failed);
      }),
  );
  last = got.catch(() => (scope.again = `?${++failures}`));
  return got;
}

/** Fetches a part for all who want it, again for who wants it after a failure. */
export function once<T>(load: () => Promise<T>): () => Promise<T> {
  let going: Promise<T> | undefined;
  return () =>
    (going ??= fetched(load).catch((e: unknown) => {
      going = undefined;
      throw e;
    }));
}
