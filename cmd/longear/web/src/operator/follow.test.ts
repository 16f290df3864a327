// Following a node: what is done while it is being asked is asked for again, and a node that is being stopped is not asked.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { follow } from "./follow.ts";
import { asWrong, put } from "./node.ts";

/** Requests that wait for their answers, by path, and all that were made. One that is given up fails, as fetch does. */
const open = new Map<string, (body: string) => void>();
let asked: string[] = [];
const requested = (path: string, { signal }: RequestInit): Promise<Response> => {
  asked.push(path);
  return new Promise((done, failed) => {
    open.set(path, (body) => done(new Response(body)));
    signal?.addEventListener("abort", () => {
      open.delete(path);
      failed(signal.reason);
    });
  });
};
const settled = async (): Promise<void> => {
  for (let i = 0; i < 10; i++) await new Promise((done) => setImmediate(done));
};
async function answer(path: string, body = "{}"): Promise<void> {
  open.get(path)?.(body);
  open.delete(path);
  await settled();
}
const live = "/v1/live?seen=0";
const node = JSON.stringify({ seq: 0, status: { peer: "a" } });
const seldom = ["/v1/store", "/v1/channels", "/v1/mutes"];

/** The time limits that are running, which tests let pass. */
let limits: { ms: number; end: () => void }[] = [];
const pass = async (ms: number): Promise<void> => {
  const over = limits.filter((l) => l.ms <= ms);
  limits = limits.filter((l) => l.ms > ms);
  for (const l of over) l.end();
  await settled();
};

mock.method(AbortSignal, "timeout", (ms: number) => {
  const limit = new AbortController();
  limits.push({ ms, end: () => limit.abort(new DOMException("", "TimeoutError")) });
  return limit.signal;
});
mock.method(globalThis, "fetch", requested);
mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_790_000_000_000 });
Object.assign(globalThis, {
  window: globalThis,
  document: { hidden: false, addEventListener: () => undefined },
  sessionStorage: { getItem: () => "token" },
});
beforeEach(() => {
  open.clear();
  asked = [];
  limits = [];
});

/** A page that has looked once. */
async function looked(): Promise<ReturnType<typeof follow>> {
  const f = follow(() => undefined);
  void f.ask();
  await settled();
  await answer(live, node);
  for (const path of seldom) await answer(path, path === "/v1/store" ? "{}" : "");
  assert.equal(f.now().line, "open");
  asked = [];
  return f;
}

test("what is done while the seldom things are asked for is asked for again at once", async () => {
  const f = await looked();
  void f.refresh();
  await settled();
  await answer(live, node);
  assert.deepEqual(asked, [live, ...seldom]);
  void f.refresh(); // something more was done, which these answers may lack
  for (const path of seldom) await answer(path, path === "/v1/store" ? "{}" : "");
  asked = [];
  mock.timers.tick(1);
  await settled();
  await answer(live, node);
  assert.deepEqual(asked, [live, ...seldom]);
});

test("a node that is being stopped is not asked, one that does not stop is asked again", async () => {
  const f = await looked();
  const kept = f.stop().catch(() => "kept");
  mock.timers.tick(60_000);
  await settled();
  assert.deepEqual(asked, ["/v1/stop"]);
  await answer("/v1/stop", "no JSON");
  assert.equal(await kept, "kept");
  assert.deepEqual(asked, ["/v1/stop", live]);
  await answer(live, node);

  const gone = f.stop();
  await settled();
  await answer("/v1/stop");
  await gone;
  asked = [];
  mock.timers.tick(60_000);
  await settled();
  assert.deepEqual([f.now().line, asked], ["stopped", []]);
});

for (const hangs of [live, ...seldom]) {
  test(`a node that does not answer ${hangs} is stopped at once, and is asked again if it does not stop`, async () => {
    const f = await looked();
    void f.refresh();
    await settled();
    if (hangs !== live) await answer(live, node);
    for (const path of seldom) if (path !== hangs) await answer(path, path === "/v1/store" ? "{}" : "");
    assert.deepEqual([...open.keys()], [hangs]);
    asked = [];
    const kept = f.stop().catch(() => "kept");
    await settled();
    assert.deepEqual([...open.keys()], ["/v1/stop"], "nobody waits for what is left unanswered");
    assert.equal(f.now().line, "open", "it is not away because it is not asked any more");
    await answer("/v1/stop", "no JSON");
    assert.equal(await kept, "kept");
    await answer(live, node);
    assert.deepEqual(asked, ["/v1/stop", live, ...seldom]);
  });
}

for (const [hangs, ms] of [[live, 10_000], ...seldom.map((path) => [path, 60_000])] as [string, number][]) {
  test(`a node that does not answer ${hangs} is away, and is asked again`, async () => {
    const f = await looked();
    limits = [];
    void f.refresh();
    await settled();
    if (hangs !== live) await answer(live, node);
    for (const path of seldom) if (path !== hangs) await answer(path, path === "/v1/store" ? "{}" : "");
    await pass(ms - 1);
    assert.equal(f.now().line, "open");
    await pass(ms);
    assert.equal(f.now().line, "away");
    asked = [];
    mock.timers.tick(5_000);
    await settled();
    assert.deepEqual(asked, [live]);
  });
}

test("who stops a node that hangs is told so, and may try again", async () => {
  const f = await looked();
  for (let tries = 0; tries < 2; tries++) {
    const told = f.stop().catch(asWrong);
    await settled();
    asked = [];
    await pass(10_000);
    assert.deepEqual(asked, [live], "it is asked again");
    const wrong = await told;
    assert.match(`${wrong?.what}: ${wrong?.fix}`, /did not answer: .*kill/);
  }
});

test("what is done to a node has no time limit", async () => {
  await looked();
  limits = [];
  void put("/v1/mutes", {});
  assert.deepEqual(limits, []);
});
