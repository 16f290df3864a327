// Responses and polls against the vectors.

import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "./bytes.ts";
import { encodeAnswer, encodePoll } from "./encode.ts";
import { type Poll, decodePoll } from "./poll.ts";
import { type Answer, decodeAnswer } from "./response.ts";
import { bytesOf, vectors } from "./vectors.ts";

test("responses", () => {
  const { valid, malformed } = vectors("responses");
  for (const v of valid) {
    const a = decodeAnswer(bytesOf(v.body));
    assert.ok(a, v.name);
    assert.equal(a.kind, v.answer, v.name);
    assert.deepEqual(a.kind === "vote" ? a.options : undefined, v.options, v.name);
    assert.equal(a.kind === "react" ? a.text : undefined, v.text, v.name);
    assert.equal(toHex(encodeAnswer(a)), toHex(bytesOf(v.body)), v.name);
  }
  for (const v of malformed) assert.equal(decodeAnswer(bytesOf(v.body)), undefined, v.name);
});

test("polls", () => {
  const { valid, malformed } = vectors("polls");
  for (const v of valid) {
    const p = decodePoll(bytesOf(v.body));
    assert.deepEqual(p, { question: v.question, options: v.options, most: v.most }, v.name);
    assert.equal(toHex(encodePoll(v)), toHex(bytesOf(v.body)), v.name);
  }
  for (const v of malformed) assert.equal(decodePoll(bytesOf(v.body)), undefined, v.name);
});

test("what would be read as something else is not written", () => {
  const answers: Answer[] = [
    { kind: "vote", options: [] },
    { kind: "vote", options: [1, 0] },
    { kind: "vote", options: [1, 1] },
    { kind: "vote", options: [256] },
    { kind: "vote", options: [0.5] },
    { kind: "vote", options: [-1] },
    { kind: "react", text: "" },
    { kind: "react", text: "a b" },
    { kind: "react", text: "\ud83d" },
    { kind: "react", text: "x".repeat(33) },
  ];
  for (const a of answers) assert.throws(() => encodeAnswer(a), RangeError, JSON.stringify(a));
  const polls: Poll[] = [
    { question: "", options: ["a", "b"], most: 1 },
    { question: "?", options: ["a"], most: 1 },
    { question: "?", options: ["a", ""], most: 1 },
    { question: "?", options: ["a", "b"], most: 3 },
    { question: "?", options: ["a", "b"], most: 257 },
    { question: "?", options: ["a", "\udc00"], most: 1 },
    { question: "?", options: ["a", "x".repeat(201)], most: 1 },
    { question: "?", options: new Array<string>(258).fill("a"), most: 1 },
  ];
  for (const p of polls) assert.throws(() => encodePoll(p), RangeError, JSON.stringify(p));
});
