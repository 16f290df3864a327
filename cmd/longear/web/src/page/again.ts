// Parts that are fetched later. Some browsers remember for the page's life that a file could not be had, and do not ask again for the
// same address: so the build ends those addresses in what stands here (merge.mjs), and after a failure that is another query.

const scope = globalThis as { again?: string };
let failures = 0;
let last: Promise<unknown> = Promise.resolve();

/** Fetches a part, after those that are fetched already: each at once would be a connection more. The next try after a failure asks anew. */
export function fetched<T>(load: () => Promise<T>): Promise<T> {
  const got = last.then(load);
  last = got.catch(() => (scope.again = `?${++failures}`));
  return got;
}
