// Carry files against the vectors, whole and in pieces.

import assert from "node:assert/strict";
import { test } from "node:test";
import { concat, toHex } from "./bytes.ts";
import { type CarryEvent, newCarryReader, writeCarry } from "./carry.ts";
import { bytesOf, vectors } from "./vectors.ts";

/** What a reader meets in a file that comes in pieces of n bytes. */
function readIn(file: Uint8Array, n: number): CarryEvent[] {
  const r = newCarryReader();
  const events: CarryEvent[] = [];
  for (let at = 0; at < file.length; at += n) events.push(...r.push(file.subarray(at, at + n)));
  return [...events, ...r.end()];
}

/** Events in the words of the vectors. */
function told(events: readonly CarryEvent[]): unknown[] {
  return events.map((e) => ("damage" in e ? { damage: e.damage } : { wire: toHex(e.wire), age: e.age }));
}

for (const v of vectors("carry").files) {
  test(`file: ${v.name}`, () => {
    const file = bytesOf(v.file);
    const want = v.events.map((e) =>
      e.damage ? { damage: e.damage } : { wire: toHex(bytesOf(e.wire)), age: e.age },
    );
    for (const n of [file.length + 1, 1, 2, 7, 1000]) assert.deepEqual(told(readIn(file, n)), want, `pieces of ${n}`);
  });
}

test("what is written is read", () => {
  const records = [
    { wire: new Uint8Array(118).fill(1), age: 0 },
    { wire: new Uint8Array(33_280).fill(2), age: 1_209_600_000 },
    { wire: new Uint8Array(300).fill(3), age: 2 ** 45 },
  ];
  const file = concat(...writeCarry(records));
  const want = records.map((r) => ({ wire: toHex(r.wire), age: Math.min(r.age, 1_209_600_000) }));
  assert.deepEqual(told(readIn(file, 4096)), want);
  assert.deepEqual(told(readIn(concat(...writeCarry([])), 1)), []);
});

test("a reader that has stopped holds nothing and says nothing more", () => {
  const r = newCarryReader();
  assert.equal(r.push(new Uint8Array(100)).length, 1);
  assert.deepEqual(r.push(new Uint8Array(100)), []);
  assert.deepEqual(r.end(), []);
});
