// Reconciliation by itself: the worked example of SPEC.md section 14, sets that change, and what a hostile peer may send.
// test/web has it talk with the Go side.

import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "@noble/hashes/sha2.js";
import { toHex } from "../bytes.ts";
import { bytesOf } from "../vectors.ts";
import { type Key, newKey } from "./key.ts";
import { keyBytes, keyFrom } from "./prefix.ts";
import { newKeySet, within } from "./keyset.ts";
import { type Received, type Session, newSession } from "./session.ts";
import { type Nodes, sumUnder } from "./trie.ts";
import { decodeWants, encodeWants, matching } from "./want.ts";

const key = (i: number): Key => newKey(1, 1_790_000_000_000 + 1000 * i, sha256(Uint8Array.of(i)));
const all = Array.from({ length: 21 }, (_, i) => i);
const salt = Uint8Array.from({ length: 16 }, (_, i) => i);

const example = [
  "0000143d00bec607f0ef13c9219aef5106bb89",
  "002009101a0c4500400fc00fc09f0901b0034f5bcf837c03840781299df081a0048472b82f40c1c14e6514077ce61ee6ca8190040cdc22b2" +
    "2c584698df0a0a2ff16b9e72818003120276d15d3e84b786cb269a817004ab49533392d365bf162007df3004174e8160020db43a68e9e20748",
  "00bf000a101a0c4508011208491a",
];

test("the worked example", () => {
  const setA = newKeySet(all.filter((i) => i !== 20).map(key));
  const setB = newKeySet(all.filter((i) => i !== 7).map(key));
  assert.equal(
    toHex(sumUnder(setA, "").hash ?? new Uint8Array()),
    "89a9ffca90a0318dbc2cba8ea7f2775dfc888c52cb09410c5a1baf1c84a6fca2",
  );
  const a = newSession({ salt, initiator: true });
  const b = newSession({ salt, initiator: false });
  const said = talk(a, setA, b, setB);
  assert.deepEqual(said.map(toHex), example);
  const [wantsA, wantsB] = [a.wants(), b.wants()];
  assert.equal(toHex(encodeWants(wantsA)), "1f000a101a0c450b0181299df0");
  assert.equal(toHex(encodeWants(wantsB)), "1f000a101a0c4508011208491a");
  assert.deepEqual(wantsA.map((w) => matching(setB, salt, w)), [[key(20)]]);
  assert.deepEqual(wantsB.map((w) => matching(setA, salt, w)), [[key(7)]]);
});

/** A round between two ends: all messages in order. */
function talk(a: Session, setA: Nodes, b: Session, setB: Nodes): Uint8Array[] {
  const said: Uint8Array[] = [];
  let message: Uint8Array | undefined = a.start(setA);
  for (let toB = true; message; toB = !toB) {
    said.push(message);
    const got: Received | "malformed" = toB ? b.receive(setB, message) : a.receive(setA, message);
    if (got === "malformed") throw new Error("malformed");
    message = got.reply;
  }
  return said;
}

test("equal sets say so in two messages", () => {
  const set = newKeySet(all.map(key));
  const [a, b] = [newSession({ salt, initiator: true }), newSession({ salt, initiator: false })];
  const said = talk(a, set, b, newKeySet(all.map(key)));
  assert.deepEqual(said.map((m) => m.length), [19, 1]);
  assert.ok(a.equal() && b.equal() && !a.incomplete());
});

test("a set that changed has the hashes of one made anew", () => {
  const many = Array.from({ length: 600 }, (_, i) => newKey(i % 3, 1_790_000_000_000 + i * 997, sha256(Uint8Array.of(i & 255, i >> 8))));
  const set = newKeySet(many.slice(0, 300));
  sumUnder(set, "");
  set.change(many.slice(300), many.slice(100, 200));
  const anew = newKeySet([...many.slice(0, 100), ...many.slice(200)]);
  assert.deepEqual(sumUnder(set, ""), sumUnder(anew, ""));
  assert.equal(set.size(), 500);
  assert.ok(set.has(many[0] ?? "") && !set.has(many[150] ?? ""));
  set.change([], many);
  assert.deepEqual(sumUnder(set, ""), { count: 0, hash: undefined });
});

test("a scope leaves out what is older, and other ranks", () => {
  const keys = [newKey(0, 2 ** 24 * 5, salt), newKey(1, 2 ** 24 * 5 - 1, salt), newKey(2, 2 ** 40, salt)].map((k) => k.padEnd(77, "0"));
  const kept = (floor: number, ranks: number): number => [...within(newKeySet(keys), { floor, ranks }).keys("")].length;
  assert.equal(kept(0, 0), 3);
  assert.equal(kept(2 ** 24 * 5 + 77, 0), 2);
  assert.equal(kept(0, 0b100), 1);
  assert.equal(kept(2 ** 60, 0), 0);
});

test("keys come back from their bytes", () => {
  for (const i of all) assert.equal(keyFrom(keyBytes(key(i))), key(i));
  assert.equal(keyFrom(new Uint8Array(38)), undefined);
  assert.equal(keyFrom(new Uint8Array(39).fill(16)), undefined);
});

test("what comes at the wrong time is malformed", () => {
  const set = newKeySet(all.map(key));
  const root = bytesOf(example[0]);
  const initiator = newSession({ salt, initiator: true });
  const responder = newSession({ salt, initiator: false });
  assert.equal(initiator.receive(set, root), "malformed"); // a root for the initiator
  assert.equal(responder.receive(set, Uint8Array.of(0)), "malformed"); // no round
  assert.equal(initiator.receive(set, Uint8Array.of(2)), "malformed");
  initiator.start(set);
  assert.equal(initiator.receive(set, Uint8Array.of(3)), "malformed"); // equal and incomplete
  initiator.start(set);
  assert.deepEqual(initiator.receive(set, Uint8Array.of(2)), { reply: undefined, done: true });
  assert.equal(initiator.receive(set, Uint8Array.of(2)), "malformed"); // the round is over
  assert.equal(responder.receive(set, new Uint8Array(65_537)), "malformed");
  assert.equal(responder.receive(set, new Uint8Array(0)), "malformed");
});

/** The items of a message, behind its first byte: one for each rule of the encoding, and whether it keeps to it. */
const encodings: readonly (readonly [string, boolean, readonly number[]])[] = [
  ["have, under one nibble", true, [0xdf, 0, 1, 0x10]],
  ["kind 7", false, [0xff, 0, 1, 0x10]],
  ["the root, short", true, [0xc0]],
  ["the root, in the long form", false, [0xdf, 0, 0]],
  ["a half that is not used", false, [0xdf, 0, 1, 0x11]],
  ["longer than before", true, [0xdf, 0, 1, 0x10, 0xdf, 1, 1, 0x20]],
  ["longer than before, all of it again", false, [0xdf, 0, 1, 0x10, 0xdf, 0, 2, 0x12]],
  ["more in common than there is", false, [0xdf, 1, 0]],
  ["a prefix of 77 nibbles", true, [0xdf, 0, 77, ...zeros(39)]],
  ["a prefix of 78 nibbles", false, [0xdf, 0, 78, ...zeros(39)]],
  ["a prefix cut short", false, [0xdf, 0, 5, 0, 0]],
  ["only", true, [0x20, 1, 0x10]],
  ["only, no longer", false, [0x20, 0]],
  ["only, of 78 nibbles", false, [0x20, 78, ...zeros(39)]],
  ["expand", true, [0x60, 0, 1, 1, 2, 3]],
  ["expand into nothing", false, [0x60, 0, 0]],
  ["expand, fingerprints cut short", false, [0x60, 0, 1, 1, 2]],
  ["expand a whole key", false, [0x7f, 0, 77, ...zeros(39), 0, 1, 1, 2, 3]],
  ["branch", true, [0x40, 0, 3, 0, 1, 1, 2, 3]],
  ["branch that follows nothing", false, [0x40, 0, 1, 0, 0, 1, 2, 3]],
  ["branch that follows what is not there", false, [0x40, 0, 1, 0, 2, 1, 2, 3]],
  ["list of none", true, [0x80, 0]],
  ["offer of none", false, [0xa0, 0]],
  ["offer of one", true, [0xa0, 1, 1, 2, 3, 4]],
  ["a number in a longer form", false, [0x80, 0x80, 0]],
  ["list of 4,096", true, [0x80, 0x80, 0x20, ...zeros(4 * 4096)]],
  ["list of 4,097", false, [0x80, 0x81, 0x20, ...zeros(4 * 4097)]],
  ["4,096 items", true, new Array<number>(4096).fill(0xc0)],
  ["4,097 items", false, new Array<number>(4097).fill(0xc0)],
];

function zeros(n: number): number[] {
  return new Array<number>(n).fill(0);
}

test("each rule of the encoding", () => {
  const set = newKeySet(all.map(key));
  for (const [what, fine, items] of encodings) {
    const session = newSession({ salt, initiator: true });
    session.start(set);
    const got = session.receive(set, Uint8Array.of(0, ...items));
    assert.equal(got !== "malformed", fine, what);
  }
  const root = [...bytesOf(example[0])];
  for (const [what, fine, message] of [
    ["root", true, root],
    ["root, longer", false, [0, 1, ...root.slice(2)]],
    ["root cut short", false, root.slice(0, -1)],
    ["two roots", false, [...root, ...root.slice(1)]],
    ["root and another", false, [...root, 0xc0]],
    ["a flag that is none", false, [4, ...root.slice(1)]],
  ] as const) {
    const session = newSession({ salt, initiator: false });
    assert.equal(session.receive(set, Uint8Array.from(message)) !== "malformed", fine, what);
  }
});

test("no bytes make a session throw, and a round ends", () => {
  const set = newKeySet(all.map(key));
  let state = 7;
  const next = (n: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  let answered = 0;
  for (let i = 0; i < 5000; i++) {
    const session = newSession({ salt, initiator: i % 2 === 0 });
    if (i % 2 === 0) session.start(set);
    const message = i % 3 === 0 ? bytesOf(example[next(3)]) : Uint8Array.from({ length: next(40) }, () => next(256));
    if (message.length > 0 && i % 3 > 0) message[0] = next(2);
    else if (message.length > 0) message[next(message.length)] = next(256);
    const got = session.receive(set, message);
    if (got !== "malformed") answered++;
    decodeWants(message);
  }
  assert.ok(answered > 50);
  // A peer that asks for ever: the fortieth message is the last.
  const victim = newSession({ salt, initiator: true });
  victim.start(set);
  const have = Uint8Array.of(0, 6 << 5);
  let messages = 1;
  for (let done = false; !done; messages += 2) {
    const got = victim.receive(set, have);
    assert.ok(got !== "malformed");
    done = got.done;
  }
  assert.ok(messages <= 41 && victim.incomplete());
});
