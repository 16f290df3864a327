// Batches of signatures give what checking one by one gives.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Signed, allHold, verifyAll } from "./batch.ts";
import { authorOf, sign } from "./ed25519.ts";
import { signedBytes } from "./id.ts";
import { contentOf, decode } from "./message.ts";
import { readAll } from "./read.ts";
import { bytesOf, vectors } from "./vectors.ts";
import { isRefusal } from "./verdict.ts";

/** n good signatures by a few authors. */
function good(n: number): Signed[] {
  return Array.from({ length: n }, (_, i) => {
    const seed = new Uint8Array(32).fill(i % 7);
    const bytes = Uint8Array.of(i, i >> 8);
    return { author: authorOf(seed), bytes, signature: sign(seed, bytes) };
  });
}

test("good signatures", () => {
  for (const n of [0, 1, 2, 63, 64, 65, 130]) assert.deepEqual(verifyAll(good(n)), new Array(n).fill(true));
});

test("a bad one among good ones is found, wherever it is", () => {
  const list = good(70);
  for (const at of [0, 13, 63, 64, 69]) {
    for (const part of [0, 40]) {
      const changed = list.map((s, i) => {
        if (i !== at) return s;
        const signature = s.signature.slice();
        signature[part] = (signature[part] ?? 0) ^ 1;
        return { ...s, signature };
      });
      assert.deepEqual(verifyAll(changed), list.map((_, i) => i !== at));
    }
  }
});

test("bad ones that make up for each other are found", () => {
  // Two by one author whose S differ by as much, one up and one down: the plain sum of their equations holds.
  const [a, b, ...rest] = good(20).filter((_, i) => i % 7 < 2);
  assert.ok(a && b);
  const step = (s: Signed, by: number): Signed => {
    const signature = s.signature.slice();
    signature[40] = (signature[40] ?? 0) + by;
    return { ...s, signature };
  };
  const changed = [step(a, 1), step(b, -1), ...rest];
  assert.deepEqual(verifyAll(changed), [false, false, ...rest.map(() => true)]);
});

test("signatures on which libraries disagree, among others of their verdict and of both", () => {
  const all = vectors("ed25519").vectors;
  const wires = all.map((v) => bytesOf(v.wire));
  const told = (from: Uint8Array[]): string[] => readAll(from).map((m) => (isRefusal(m) ? m : "accept"));
  assert.deepEqual(told(wires), all.map((v) => v.verdict));
  const accepted = wires.filter((_, i) => all[i]?.verdict === "accept");
  assert.ok(accepted.length > 100);
  assert.ok(told(accepted).every((v) => v === "accept"));
});

test("what is valid adds up, what is not does not", () => {
  // Were it not so, the results above would be the same and only slower.
  const accepted = vectors("ed25519").vectors.filter((v) => v.verdict === "accept").map((v) => signedIn(bytesOf(v.wire)));
  const rejected = vectors("ed25519").vectors.filter((v) => v.verdict !== "accept").map((v) => signedIn(bytesOf(v.wire)));
  for (const list of [good(1), good(2), good(64), accepted, [...good(10), ...accepted]]) assert.ok(allHold(list));
  for (const bad of rejected) assert.ok(!allHold([bad]) && !allHold([...good(3), bad]));
});

function signedIn(wire: Uint8Array): Signed {
  const m = decode(wire);
  if (isRefusal(m)) throw new Error(m);
  return { author: m.author, bytes: signedBytes(contentOf(wire)), signature: m.signature };
}
