// Parts that do not come: asked for again ever later, by all who wait together, and at once when the hub is there again.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { atOnce, back, fetched, isOld, once, pause, until, whenOld } from "./again.ts";

const settled = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};
/** How long the next pause is, in ms, and its end. */
async function paused(): Promise<number> {
  let over = false;
  void pause().then(() => (over = true));
  for (let ms = 0; ; ms += 100) {
    await settled();
    if (over) return ms;
    assert.ok(ms < 600_000, "a pause without end");
    mock.timers.tick(100);
  }
}
/** Fetches a part that fails, and waits until the look that follows has its answer. */
async function fail(how: typeof atOnce): Promise<void> {
  await how(() => Promise.reject(new Error("no"))).catch(() => undefined);
  await settled();
}
const looks = mock.method(globalThis, "fetch", () => Promise.reject(new Error("out of reach")));

mock.timers.enable({ apis: ["setTimeout"] });
beforeEach(back);

test("pauses grow to a minute, differ, and begin anew when the hub is there again", async () => {
  const first: number[] = [];
  for (let i = 0; i < 24; i++) {
    back();
    first.push(await paused());
  }
  assert.ok(new Set(first).size > 3, `in step: ${first}`); // of the 16 lengths that there are
  assert.ok(first.every((ms) => ms >= 1000 && ms <= 3000), String(first));
  const pauses: number[] = [];
  for (let i = 0; i < 12; i++) pauses.push(await paused());
  assert.ok(pauses.slice(5).every((ms) => ms >= 20_000 && ms <= 60_000), String(pauses));
  back();
  assert.ok((await paused()) <= 3000);
});

test("who waits is woken at once, and waits with the others", async () => {
  let woken = 0;
  for (let i = 0; i < 3; i++) void pause().then(() => woken++);
  await settled();
  assert.equal(woken, 0);
  back();
  await settled();
  assert.equal(woken, 3);
});

test("a part is asked for until it is there, and once for all who want it", async () => {
  let asked = 0;
  const get = once(() => (++asked < 3 ? Promise.reject(new Error("no")) : Promise.resolve("there")));
  const [one, two] = [until(get), until(get)];
  for (let i = 0; i < 200 && asked < 3; i++) {
    await settled();
    mock.timers.tick(100);
  }
  assert.deepEqual([await one, await two, asked], ["there", "there", 3]);
});

test("a part that never answers is given up, and the next gets its turn", async () => {
  const stuck = fetched(() => new Promise(() => undefined)).catch(() => "given up");
  const next = fetched(async () => "next");
  await settled();
  mock.timers.tick(30_000);
  assert.deepEqual([await stuck, await next], ["given up", "next"]);
});

test("a hub that does not have the page's own file has another page; one that cannot be reached says nothing", async () => {
  const answer = (status: number): void => looks.mock.mockImplementation(() => Promise.resolve({ status } as Response));
  await fail(fetched);
  assert.equal(isOld(), false);
  answer(404);
  await fail(fetched);
  assert.equal(isOld(), true);
  const asked = looks.mock.calls.at(-1)?.arguments as unknown as [string, RequestInit];
  assert.deepEqual([asked[1].method, asked[1].cache], ["HEAD", "no-store"]);
  answer(429);
  await fail(fetched);
  assert.equal(isOld(), false);
  answer(404);
  await fail(fetched);
  await fetched(async () => "there");
  await settled();
  assert.equal(isOld(), false);
});

test("a look is given up after a while, and its answer does not count once something came or the hub came back", async () => {
  let answer = (_: unknown): void => undefined;
  let stop: AbortSignal | undefined;
  looks.mock.mockImplementation(((_: string, { signal }: RequestInit) => {
    stop = signal ?? undefined;
    return new Promise((done, failed) => {
      answer = done;
      stop?.addEventListener("abort", failed);
    });
  }) as never);
  let found = 0;
  whenOld(() => found++);
  await fail(atOnce);
  mock.timers.tick(9_999);
  assert.equal(stop?.aborted, false);
  mock.timers.tick(1);
  assert.equal(stop?.aborted, true);
  for (const meanwhile of [() => fetched(async () => "there"), async () => back()]) {
    await fail(atOnce);
    await meanwhile();
    answer({ status: 404 });
    await settled();
    assert.deepEqual([isOld(), found], [false, 0]);
  }
  await fail(atOnce);
  answer({ status: 404 });
  await settled();
  assert.deepEqual([isOld(), found], [true, 1]);
  back();
  assert.equal(isOld(), false);
  whenOld(() => undefined);
});

test("what others need not wait for is not waited for", async () => {
  const stuck = fetched(() => new Promise(() => undefined)).catch(() => "given up");
  assert.equal(await atOnce(async () => "at once"), "at once");
  mock.timers.tick(30_000);
  await settled();
  assert.equal(await stuck, "given up");
});

test("what comes after it was given up is there, whatever becomes of the next try", async () => {
  let come = (_: string): void => undefined;
  let asked = 0;
  const get = once(() => new Promise<string>((done) => {
    if (asked++ === 0) come = done;
  }));
  for (let i = 0; i < 2; i++) {
    const given = get().catch(() => "given up");
    await settled();
    if (i === 1) come("late");
    mock.timers.tick(30_000);
    assert.equal(await given, "given up");
  }
  assert.deepEqual([await get(), asked], ["late", 2]);
});
