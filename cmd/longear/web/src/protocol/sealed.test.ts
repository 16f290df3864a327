// Channels, sealed bodies, direct messages and cards against the vectors.

import assert from "node:assert/strict";
import { test } from "node:test";
import { toBase32 } from "./base32.ts";
import { type Author, type Tag, toHex, utf8 } from "./bytes.ts";
import { readCard, writeCard } from "./card.ts";
import { canonicalName, publicTag } from "./channel.ts";
import { channelKey } from "./channelkey.ts";
import { type Direct, keyPair, maxDirectText, openDirect, splitCard, writeDirect } from "./direct.ts";
import { authorOf } from "./ed25519.ts";
import { fromBase32 } from "./frombase32.ts";
import type { Message } from "./message.ts";
import { isWeakPassphrase, passphraseSecret } from "./passphrase.ts";
import { read } from "./read.ts";
import { type PrivateText, maxSealedBytes, openSealed, seal, sealMedia } from "./seal.ts";
import { type OpenVector, bytesOf, vectors } from "./vectors.ts";
import { isRefusal } from "./verdict.ts";

function secretOf(base32: string | undefined): Uint8Array {
  const secret = fromBase32(base32 ?? "", 32);
  assert.ok(secret);
  return secret;
}

function messageOf(hex: string): Message {
  const m = read(bytesOf(hex));
  if (isRefusal(m)) throw new Error(m);
  return m;
}

test("names of channels", () => {
  const { names, refused } = vectors("channels");
  for (const v of names) {
    const name = canonicalName(bytesOf(v.input));
    assert.equal(name, v.name);
    assert.equal(canonicalName(Buffer.from(bytesOf(v.input)).toString("utf8")), v.name);
    assert.equal(toBase32(publicTag(name ?? "")), v.tag);
  }
  for (const v of refused) assert.equal(canonicalName(bytesOf(v.input)), undefined, v.input);
});

test("half a surrogate pair is no name", () => {
  assert.equal(canonicalName("a\ud800"), undefined);
  assert.equal(canonicalName("\udc00"), undefined);
});

test("one character alone has another lower case than the simple one", () => {
  const several: string[] = [];
  for (let c = 0; c < 0x110000; c++) {
    const s = String.fromCodePoint(c);
    if (Array.from(s.toLowerCase()).length !== 1) several.push(s);
  }
  assert.deepEqual(several, ["\u0130"]);
});

test("keys of channels", () => {
  for (const v of vectors("channels").keys) {
    const k = channelKey(secretOf(v.secret));
    assert.equal(toBase32(k.tag), v.tag);
    assert.equal(toHex(k.sealkey), v.sealkey);
  }
});

test("keys by passphrase", async () => {
  for (const v of vectors("channels").passphrases) {
    const secret = await passphraseSecret(canonicalName(v.name) ?? "", v.passphrase);
    assert.ok(secret);
    assert.equal(toBase32(secret), v.secret);
    assert.equal(toBase32(channelKey(secret).tag), v.tag);
    assert.equal(toHex(channelKey(secret).sealkey), v.sealkey);
  }
});

test("what is no passphrase, and what is a weak one", async () => {
  for (const p of ["", "x".repeat(1025), "қ".repeat(513), "\ud800"]) assert.equal(await passphraseSecret("a", p), undefined);
  for (const p of ["tin river seven", "a b c d", "one one one one one one"]) assert.ok(isWeakPassphrase(p), p);
  for (const p of ["tin river seven lamps", "k7qm-2xwd-hb4e-p5zs"]) assert.ok(!isWeakPassphrase(p), p);
});

test("sealing gives the vectors", () => {
  for (const v of vectors("sealed").seal) {
    const key = channelKey(secretOf(v.secret));
    const text = bytesOf(v.text);
    const body = (text.length > 4054 ? sealMedia : seal)(key, bytesOf(v.author) as Author, text, bytesOf(v.nonce));
    assert.equal(toHex(body ?? new Uint8Array()), toHex(bytesOf(v.body)), v.name);
    assert.equal(toHex(openSealed(key, messageOf(v.wire)) as Uint8Array), v.text === "" ? "" : toHex(bytesOf(v.text)), v.name);
  }
});

test("a text that fits no size is not sealed", () => {
  const key = channelKey(new Uint8Array(32));
  const author = authorOf(new Uint8Array(32));
  assert.equal(seal(key, author, new Uint8Array(4054))?.length, 4096);
  assert.equal(seal(key, author, new Uint8Array(4055)), undefined);
  assert.equal(sealMedia(key, author, new Uint8Array(4055))?.length, 8192);
  assert.equal(sealMedia(key, author, new Uint8Array(maxSealedBytes))?.length, 32_768);
  assert.equal(sealMedia(key, author, new Uint8Array(maxSealedBytes + 1)), undefined);
});

/** What opening gave, in the words of the vectors. */
function opened(name: string, v: OpenVector, got: Direct | "other key" | "malformed"): void {
  if (typeof got === "string" || v.error) {
    assert.equal(typeof got === "string" ? got : "opened", v.error, name);
    return;
  }
  assert.equal(toBase32(got.author), v.author, name);
  assert.equal(got.created, v.created ?? 0, name);
  assert.equal(got.kind, v.kind ?? 0, name);
  assert.deepEqual(got.parents.map(toHex), v.parents ?? [], name);
  assert.equal(toHex(got.text), toHex(bytesOf(v.text)), name);
}

test("opening sealed bodies", () => {
  for (const v of vectors("sealed").open) {
    const m = messageOf(v.wire);
    const text = openSealed(channelKey(secretOf(v.secret)), m);
    opened(v.name, v, typeof text === "string" ? text : { ...m, text });
  }
});

test("opening direct messages", () => {
  for (const v of vectors("direct").open) opened(v.name, v, openDirect(keyPair(bytesOf(v.key)), messageOf(v.wire)));
});

const seed = new Uint8Array(32).fill(1);
const key = keyPair(new Uint8Array(32).fill(2));

function deliver(text: Uint8Array): Direct {
  const wire = writeDirect(seed, key.public, { created: 7, text });
  const m = wire && read(wire);
  assert.ok(m && !isRefusal(m));
  const d = openDirect(key, m);
  assert.ok(typeof d !== "string");
  return d;
}

test("a direct message comes to its reader and to nobody else", () => {
  for (const n of [0, 1, 200, maxDirectText]) {
    const d = deliver(new Uint8Array(n).fill(0x61));
    assert.equal(toHex(d.author), toHex(authorOf(seed)));
    assert.equal(d.created, 7);
    assert.equal(d.text.length, n);
  }
  const wire = writeDirect(seed, key.public, { text: utf8("x") });
  const m = wire && read(wire);
  assert.ok(m && !isRefusal(m));
  assert.notEqual(toHex(m.author), toHex(authorOf(seed)));
  assert.equal(openDirect(keyPair(new Uint8Array(32).fill(3)), m), "other key");
  assert.equal(openDirect(key, { ...m, channel: new Uint8Array(16) as Uint8Array as Tag }), "other key");
});

test("a direct message too long, or to a key that is nobody's, is not written", () => {
  assert.equal(writeDirect(seed, key.public, { text: new Uint8Array(maxDirectText + 1) }), undefined);
  assert.equal(writeDirect(seed, new Uint8Array(32), { text: utf8("x") }), undefined);
});

test("an author's card is taken off the text, another's is text", () => {
  const own = writeCard(seed, key.public);
  const other = writeCard(new Uint8Array(32).fill(9), key.public);
  const text = (d: { text: PrivateText }): string => Buffer.from(d.text).toString();
  assert.equal(text(splitCard(deliver(utf8("hello\n" + own)))), "hello");
  assert.equal(splitCard(deliver(utf8("hello\n" + own))).card, own);
  assert.equal(text(splitCard(deliver(utf8("hello\n" + other)))), "hello\n" + other);
  assert.equal(text(splitCard(deliver(utf8(own)))), own);
  assert.equal(text(splitCard(deliver(utf8("hello\n" + own + "\n")))), "hello\n" + own + "\n");
});

test("cards", () => {
  const { valid, invalid } = vectors("cards");
  for (const v of valid) {
    const card = readCard(v.card);
    assert.ok(card, v.name);
    assert.equal(toHex(card.author), v.author);
    assert.equal(toHex(card.sealing), v.sealing);
  }
  for (const v of invalid) assert.equal(readCard(v.card), undefined, v.name);
  const made = writeCard(seed, key.public);
  assert.equal(made.length, 215);
  assert.deepEqual(readCard(made.toUpperCase()), readCard(made));
  assert.ok(readCard(made));
});
