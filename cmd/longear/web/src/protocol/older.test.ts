// The page's scripts as they are built, on a browser as old as they are built for and on plain http: what came later is taken
// away before anything is loaded.

import assert from "node:assert/strict";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import type { Tag } from "./bytes.ts";

/** Built-ins that are younger than Chrome 87 or Safari 15, by what they hang on. */
const younger: readonly (readonly [object, readonly string[]])[] = [
  [Object, ["hasOwn", "groupBy"]],
  [Array, ["fromAsync"]],
  [Array.prototype, ["at", "findLast", "findLastIndex", "toSorted", "toReversed", "toSpliced", "with"]],
  [String.prototype, ["at", "isWellFormed", "toWellFormed"]],
  [Object.getPrototypeOf(Uint8Array.prototype) as object, ["at", "findLast", "findLastIndex", "toSorted", "toReversed", "with"]],
  [Uint8Array, ["fromHex", "fromBase64"]],
  [Uint8Array.prototype, ["toHex", "toBase64"]],
  [Promise, ["withResolvers", "try"]],
  [Set.prototype, ["union", "intersection", "difference"]],
  [ArrayBuffer.prototype, ["transfer", "resize"]],
  [globalThis, ["structuredClone"]],
  [crypto, ["randomUUID"]],
];

test("everything works without them", async () => {
  for (const [on, names] of younger) {
    for (const name of names) Reflect.deleteProperty(on, name);
  }
  // On plain http there is no crypto.subtle.
  const real = crypto.getRandomValues.bind(crypto);
  Object.defineProperty(globalThis, "crypto", { value: { getRandomValues: real } });
  assert.equal("subtle" in crypto, false);
  assert.equal("hasOwn" in Object, false);

  const built = pathToFileURL("built/protocol/index.js").href;
  const p = (await import(built)) as typeof import("./index.ts");
  const seed = new Uint8Array(32).fill(1);
  const channel = p.publicTag(p.canonicalName("#Қала") ?? "") as Tag;
  const wire = p.write({ channel, body: p.utf8("су") }, seed);
  for (const m of [p.read(wire), ...p.readAll([wire, wire])]) assert.ok(!p.isRefusal(m));

  const { newCarryReader, writeCarry } = await p.carry();
  const reader = newCarryReader();
  assert.equal([...writeCarry([{ wire, age: 1 }])].flatMap((piece) => reader.push(piece)).length, 1);
  assert.equal(reader.end().length, 0);

  const { newKeySet, newSession } = await p.reconcile();
  assert.equal(newSession({ salt: seed.slice(0, 16), initiator: true }).start(newKeySet()).length, 19);

  const { keyPair, writeDirect, openDirect } = await p.direct();
  const pair = keyPair(seed);
  const letter = p.read(writeDirect(seed, pair.public, { text: p.utf8("hi") }) ?? seed);
  assert.ok(!p.isRefusal(letter) && typeof openDirect(pair, letter) === "object");

  const { passphraseSecret } = await p.passphrases();
  const { channelKey, seal } = await p.sealed();
  const secret = await passphraseSecret("north-gate", "tin river seven lamps");
  assert.ok(secret);
  assert.equal(p.toBase32(channelKey(secret).tag), "b7k3l5tr73dmqiq4b5ziyfqekq");
  assert.equal(seal(channelKey(secret), p.authorOf(seed), p.utf8("x"))?.length, 256);
});
