// The small encodings under everything else; and that no list of vectors is left out by the tests beside this one.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { toBase32 } from "./base32.ts";
import { fromBase32 } from "./frombase32.ts";
import { hugeUvarint, readUvarint, uvarint } from "./uvarint.ts";
import { type VectorFiles, vectors } from "./vectors.ts";

test("uvarints come back", () => {
  for (const n of [0, 1, 127, 128, 16_383, 16_384, 2 ** 31, 2 ** 32 + 5, 2 ** 48 - 1, 2 ** 53 - 1]) {
    const c = { bytes: Uint8Array.from([...uvarint(n), 0xff]), at: 0 };
    assert.equal(readUvarint(c), n);
    assert.equal(c.at, c.bytes.length - 1);
  }
});

test("a uvarint has one form", () => {
  const read = (...bytes: number[]): number | undefined => readUvarint({ bytes: Uint8Array.from(bytes), at: 0 });
  const nine = new Array<number>(9).fill(0xff);
  assert.equal(read(...nine, 0x01), hugeUvarint); // 2^64 - 1
  assert.equal(read(...nine, 0x02), undefined); // 2^64 and more
  assert.equal(read(...nine, 0x81, 0x00), undefined); // eleven bytes
  assert.equal(read(0x80, 0x00), undefined); // a longer 0
  assert.equal(read(0x81, 0x80, 0x00), undefined); // a longer 1
  assert.equal(read(0x80), undefined); // cut
  assert.equal(read(), undefined);
});

test("base32 has one form", () => {
  for (let n = 0; n < 40; n++) {
    const bytes = Uint8Array.from({ length: n }, (_, i) => (i * 37 + n) & 0xff);
    const text = toBase32(bytes);
    assert.deepEqual(fromBase32(text, n), bytes);
    assert.deepEqual(fromBase32(text.toUpperCase(), n), bytes);
    assert.equal(fromBase32(text + "a", n), undefined);
  }
  assert.equal(toBase32(Uint8Array.of(0xff)), "74");
  assert.equal(fromBase32("75", 1), undefined); // a spare bit
  assert.equal(fromBase32("\u212aa", 1), undefined); // the Kelvin sign
  assert.equal(fromBase32("7=", 1), undefined);
});

test("every list of every file of vectors is known here", () => {
  const known: Record<keyof VectorFiles, string[]> = {
    cards: ["valid", "invalid"],
    carry: ["files"],
    channels: ["names", "refused", "keys", "passphrases"],
    direct: ["open"],
    ed25519: ["vectors"],
    manifests: ["valid", "invalid"],
    messages: ["valid", "invalid"],
    polls: ["valid", "malformed"],
    responses: ["valid", "malformed"],
    sealed: ["seal", "open"],
    stamps: ["stamps", "minted"],
  };
  const files = readdirSync("../../../protocol/testdata/vectors").map((name) => name.replace(".json", ""));
  assert.deepEqual(files.sort(), Object.keys(known).sort());
  for (const [name, lists] of Object.entries(known)) {
    assert.deepEqual(Object.keys(vectors(name as keyof VectorFiles)).sort(), lists.sort(), name);
  }
});
