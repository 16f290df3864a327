// Snapshots: never changed, newest first, once a frame, and cheap with many messages.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Post } from "./core.ts";
import type { Delta } from "./inside/delta.ts";
import { newMirror } from "./mirror.ts";

const post = (id: string, created: number, text = ""): Post =>
  ({ id, created, text, kind: "post", channel: "", tag: "", author: "", name: "", mine: false, alert: false, parents: [] }) as unknown as Post;
const delta = (posts: Post[], gone: string[] = []): Delta => ({ head: { ready: true } as Delta["head"], posts, gone, rooms: undefined });

test("any sequence of deltas gives what one would make of all of them", () => {
  const frames: (() => void)[] = [];
  const m = newMirror((f) => void frames.push(f));
  const all = new Map<string, Post>();
  let random = 7;
  const next = (n: number): number => (random = (random * 48_271) % 2_147_483_647) % n;
  for (let step = 0; step < 400; step++) {
    const posts = Array.from({ length: next(step % 50 === 0 ? 100 : 3) }, () => post(`p${next(300)}`, next(50), String(step)));
    const unique = [...new Map(posts.map((p) => [p.id, p])).values()];
    const gone = Array.from({ length: next(3) }, () => `p${next(300)}`).filter((id) => !unique.some((p) => p.id === id));
    const before = m.now();
    const copy = [...before.posts];
    m.apply(delta(unique, gone));
    unique.forEach((p) => all.set(p.id, p));
    gone.forEach((id) => all.delete(id));
    if (next(3) > 0) frames.splice(0).forEach((f) => f());
    assert.deepEqual(before.posts, copy);
  }
  frames.splice(0).forEach((f) => f());
  const want = [...all.values()].sort((a, b) => b.created - a.created || (a.id < b.id ? -1 : 1));
  assert.deepEqual(m.now().posts, want);
});

test("many deltas, one frame; who has ended is not called", () => {
  const frames: (() => void)[] = [];
  const m = newMirror((f) => void frames.push(f));
  let calls = 0;
  const end = m.subscribe(() => calls++);
  for (let i = 0; i < 10; i++) m.apply(delta([post(`x${i}`, i)]));
  assert.deepEqual([frames.length, calls, m.now().posts.length], [1, 0, 0]);
  frames.splice(0).forEach((f) => f());
  assert.deepEqual([calls, m.now().posts.length], [1, 10]);
  end();
  m.apply(delta([post("y", 1)]));
  frames.splice(0).forEach((f) => f());
  assert.equal(calls, 1);
});
