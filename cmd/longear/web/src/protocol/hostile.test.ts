// Whatever comes from outside, nothing throws: every reader has its own way to say no.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Author, Tag } from "./bytes.ts";
import { readCard } from "./card.ts";
import { newCarryReader } from "./carry.ts";
import { canonicalName } from "./channel.ts";
import { channelKey } from "./channelkey.ts";
import { directTag, keyPair, openDirect, splitCard } from "./direct.ts";
import { decodeManifest } from "./manifest.ts";
import { type Content, decode } from "./message.ts";
import { read, readAll } from "./read.ts";
import { decodeItems } from "./reconcile/item.ts";
import { keyFrom } from "./reconcile/prefix.ts";
import { decodeWants } from "./reconcile/want.ts";
import { asPrivate, openSealed } from "./seal.ts";
import { vectors, bytesOf } from "./vectors.ts";

let state = 11;

/** A number below n, the same ones in every run. */
function below(n: number): number {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
  return Math.floor((state / 2 ** 32) * n);
}

function junk(n: number): Uint8Array {
  return Uint8Array.from({ length: n }, () => below(256));
}

test("bytes and text of any sort", () => {
  const magic = bytesOf(vectors("carry").files[0]?.file).subarray(0, 16);
  for (let i = 0; i < 3000; i++) {
    const b = junk(below(300));
    decode(b);
    read(b);
    readAll([b, b]);
    decodeItems(b);
    decodeWants(b);
    keyFrom(b);
    decodeManifest(b);
    canonicalName(b);
    const text = String.fromCharCode(...junk(400)).slice(0, below(400));
    canonicalName(text);
    readCard(text);
    readCard(("longear:" + text).slice(0, 215));
    const r = newCarryReader();
    r.push(magic);
    r.push(b);
    assert.ok(r.end().length <= 1);
  }
});

test("sealed bodies and direct messages of any sort", () => {
  const key = channelKey(junk(32));
  const smallOrder = [0, 1].map((n) => Uint8Array.of(n, ...new Uint8Array(31)));
  for (const size of [0, 1, 31, 255, 256, 512, 1024, 2048, 4096, 4097, 32_768]) {
    for (const start of [junk(32), ...smallOrder]) {
      const body = junk(size);
      body.set(start.subarray(0, size));
      const m: Content = {
        author: junk(32) as Author,
        channel: key.tag,
        created: 0,
        lifetime: 0,
        class: 0,
        kind: 5,
        flags: 0,
        parents: [],
        body,
        nonce: 0n,
      };
      assert.equal(openSealed(key, m), "other key");
      assert.equal(openDirect(keyPair(junk(32)), { ...m, channel: directTag }), "other key");
      assert.equal(openDirect(keyPair(junk(32)), { ...m, channel: junk(16) as Tag }), "other key");
      const d = { author: m.author, created: 0, kind: 0, parents: [], text: asPrivate(body) };
      assert.equal(splitCard(d).card, undefined);
    }
  }
});

test("a length that a peer declares costs nothing before it is there", () => {
  // 4,096 short IDs promised, none sent; and as much as a uvarint can say.
  const list = (...n: number[]): Uint8Array => Uint8Array.of(0, 4 << 5, ...n);
  assert.equal(decodeItems(list(0x80, 0x20)), undefined);
  assert.equal(decodeItems(list(...new Array<number>(9).fill(0xff), 1)), undefined);
  const wire = bytesOf(vectors("messages").valid[0]?.wire).slice();
  wire.set([0x52, 0xff, 0xff, 0xff, 0xff, 0x0f], 52); // a body of 4 GiB
  assert.equal(decode(wire), "reject: malformed");
});
