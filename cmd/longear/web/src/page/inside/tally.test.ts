// Counts of answers: of each author the latest, whatever the order in which they come and go.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Answer } from "../core.ts";
import { type Said, type Target, newTallies } from "./tally.ts";

const said = (at: number, author: string, answer: Answer, tag = "t"): Said => ({ key: `1${String(at).padStart(4, "0")}${author}`, author, tag, answer });
const post: Target = { tag: "t", kind: "other", options: 0, most: 0 };
const poll: Target = { tag: "t", kind: "poll", options: 3, most: 2 };
const petition: Target = { tag: "t", kind: "petition", options: 0, most: 0 };

test("the latest answer counts and no other, in every order", () => {
  const all = [said(1, "a", { kind: "confirm" }), said(2, "a", { kind: "contradict" }), said(3, "b", { kind: "confirm" }), said(9, "b", { kind: "withdraw" })];
  for (const order of [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]]) {
    for (const first of [true, false]) {
      const t = newTallies();
      if (first) t.know("x", post);
      for (const i of order) t.hear("x", all[i] as Said);
      if (!first) t.know("x", post);
      const { confirms, contradicts, mine } = t.of("x", "a");
      assert.deepEqual([confirms, contradicts, mine], [0, 1, { kind: "contradict" }]);
      assert.equal(t.of("x", "b").mine, undefined);
      t.unhear("x", all[1] as Said); // what dies stops counting
      t.unhear("x", all[3] as Said);
      assert.deepEqual([t.of("x", "a").confirms, t.of("x", "a").contradicts], [2, 0]);
    }
  }
});

test("votes count if the poll has the option and no more than allowed were chosen; signs on petitions only", () => {
  const t = newTallies();
  const votes: Answer[] = [{ kind: "vote", options: [0] }, { kind: "vote", options: [0, 2] }, { kind: "vote", options: [0, 1, 2] }, { kind: "vote", options: [3] }, { kind: "sign" }];
  votes.forEach((v, i) => {
    for (const x of ["poll", "petition", "post"]) t.hear(x, said(i, `author${i}`, v));
  });
  t.know("poll", poll);
  t.know("petition", petition);
  t.know("post", post);
  assert.deepEqual([t.of("poll", "").votes, t.of("poll", "").voters, t.of("poll", "").signs], [[2, 0, 1], 2, 0]);
  assert.deepEqual([t.of("petition", "").signs, t.of("petition", "").voters, t.of("post", "").signs], [1, 0, 0]);
});

test("an answer in another channel neither counts nor hides one that does", () => {
  const t = newTallies();
  t.know("x", post);
  t.hear("x", said(1, "a", { kind: "confirm" }));
  t.hear("x", said(2, "a", { kind: "contradict" }, "other"));
  assert.deepEqual([t.of("x", "").confirms, t.of("x", "").contradicts], [1, 0]);
});

test("reactions: the most frequent first, not more than somebody means", () => {
  const t = newTallies();
  t.know("x", post);
  for (let i = 0; i < 100; i++) t.hear("x", said(i, `a${i}`, { kind: "react", text: i < 60 ? "👍" : `r${i}` }));
  const { reactions } = t.of("x", "a70");
  assert.deepEqual([reactions.length, reactions[0]], [16, { text: "👍", count: 60 }]);
  for (let i = 0; i < 60; i++) t.hear("x", said(200 + i, `a${i}`, { kind: "withdraw" }));
  assert.ok(t.of("x", "").reactions.every((r) => r.count === 1));
});

test("what is gone has no count, and its answers wait", () => {
  const t = newTallies();
  t.know("x", post);
  t.hear("x", said(1, "a", { kind: "confirm" }));
  t.know("x", undefined);
  assert.equal(t.of("x", "a").confirms, 0);
  t.know("x", post);
  assert.equal(t.of("x", "a").confirms, 1);
});
