// Messages, IDs, verdicts, signatures and stamps against the vectors.

import assert from "node:assert/strict";
import { test } from "node:test";
import { toBase32 } from "./base32.ts";
import { type Author, type Tag, toHex } from "./bytes.ts";
import { authorOf } from "./ed25519.ts";
import { idOf } from "./id.ts";
import { type Content, decode } from "./message.ts";
import { read } from "./read.ts";
import { findNonce, stampOf } from "./stamp.ts";
import { type MessageVector, bytesOf, vectors } from "./vectors.ts";
import { isRefusal } from "./verdict.ts";
import { write } from "./write.ts";

function contentOfVector(v: MessageVector): Content {
  return {
    author: bytesOf(v.author) as Author,
    created: v.created,
    lifetime: v.lifetime,
    channel: bytesOf(v.channel) as Tag,
    class: v.class,
    kind: v.kind,
    flags: v.flags,
    parents: v.parents.map(bytesOf),
    body: bytesOf(v.body),
    nonce: BigInt(v.nonce),
  };
}

for (const v of vectors("messages").valid) {
  test(`valid: ${v.name}`, () => {
    const wire = bytesOf(v.wire);
    const content = contentOfVector(v);
    assert.deepEqual(read(wire), { ...content, signature: bytesOf(v.signature) });
    assert.equal(toBase32(idOf(wire)), v.id);
    const { author, ...draft } = content;
    assert.equal(toHex(authorOf(bytesOf(v.seed))), toHex(author));
    assert.equal(toHex(write(draft, bytesOf(v.seed))), toHex(wire));
  });
}

const verdictOf = (wire: Uint8Array): string => {
  const m = read(wire);
  return isRefusal(m) ? m : "accept";
};

test("invalid messages get the verdict they must", () => {
  const { invalid } = vectors("messages");
  assert.ok(invalid.length >= 100);
  for (const v of invalid) assert.equal(verdictOf(bytesOf(v.wire)), v.verdict, v.name);
});

test("signatures on which libraries disagree", () => {
  const all = vectors("ed25519").vectors;
  assert.ok(all.length >= 261);
  assert.ok(new Set(all.map((v) => v.verdict)).size === 2);
  for (const v of all) assert.equal(verdictOf(bytesOf(v.wire)), v.verdict, v.name);
});

test("a message does not change with the buffer it came in", () => {
  const wire = bytesOf(vectors("messages").valid[1]?.wire);
  const m = read(wire);
  const before = structuredClone(m);
  wire.fill(0xff);
  assert.deepEqual(m, before);
});

test("stamps", () => {
  for (const v of vectors("stamps").stamps) assert.equal(stampOf(bytesOf(v.id)), v.bits);
});

test("stamps are found by the nonce that comes first", () => {
  const bits = [1, 1, 4, 4, 8, 8, 12, 12, 16, 16];
  vectors("stamps").minted.forEach((v, i) => {
    const { nonce, ...content } = contentOfVector(v);
    assert.equal(findNonce({ ...content, nonce: 0n }, bits[i] ?? 0, 1n, 1 << 20), nonce, v.name);
    assert.equal(toBase32(idOf(bytesOf(v.wire))), v.id);
    assert.equal(verdictOf(bytesOf(v.wire)), "accept");
  });
});

test("a search for a stamp ends", () => {
  const v = vectors("stamps").minted[9];
  assert.ok(v);
  assert.equal(findNonce(contentOfVector(v), 16, 1n, 3), undefined);
});

test("a draft beyond the limits is not written", () => {
  const v = vectors("messages").valid[0];
  assert.ok(v);
  const channel = bytesOf(v.channel) as Tag;
  const id = new Uint8Array(32);
  for (const draft of [
    { channel: channel.slice(1) as Uint8Array as Tag },
    { channel, created: 2 ** 48 },
    { channel, lifetime: 1_209_601 },
    { channel, class: 3 },
    { channel, kind: 65_536 },
    { channel, flags: 65_536 },
    { channel, body: new Uint8Array(32_769) },
    { channel, nonce: 1n << 64n },
    { channel, parents: [id, id] },
    { channel, parents: [id.slice(1)] },
    { channel, parents: [0, 1, 2, 3, 4].map((n) => id.slice().fill(n)) },
  ]) {
    assert.throws(() => write(draft, bytesOf(v.seed)), RangeError);
  }
});

test("no mutation of a message makes reading throw, or gives a message that is written otherwise", () => {
  let accepted = 0;
  let state = 1;
  const next = (n: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  for (const v of vectors("messages").valid.filter((x) => x.wire.length < 2000)) {
    for (let i = 0; i < 500; i++) {
      const wire = bytesOf(v.wire);
      wire[next(wire.length)] = next(256);
      const m = decode(i % 2 ? wire : wire.subarray(0, next(wire.length + 1)));
      if (isRefusal(m)) continue;
      accepted++;
      assert.equal(m.body.length <= 32_768 && m.parents.length <= 4, true);
    }
  }
  assert.ok(accepted > 100);
});
