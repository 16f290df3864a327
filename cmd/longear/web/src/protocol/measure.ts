// Prints what the protocol costs on this machine, in CPU time: npm run measure.

import { performance } from "node:perf_hooks";
import { type Author, type Tag, random } from "./bytes.ts";
import { channelKey } from "./channelkey.ts";
import { keyPair, openDirect, writeDirect } from "./direct.ts";
import { idOf } from "./id.ts";
import { decode } from "./message.ts";
import { passphraseSecret } from "./passphrase.ts";
import { read, readAll } from "./read.ts";
import { newKey } from "./reconcile/key.ts";
import { newKeySet } from "./reconcile/keyset.ts";
import { sumUnder } from "./reconcile/trie.ts";
import { openSealed, seal } from "./seal.ts";
import { findNonce } from "./stamp.ts";
import { isRefusal } from "./verdict.ts";
import { contentFrom, write } from "./write.ts";

/** CPU time in ms of n runs of f, each. */
async function cost(what: string, n: number, f: () => unknown): Promise<void> {
  for (let i = 0; i < Math.min(n, 20); i++) await f();
  const began = process.cpuUsage();
  const at = performance.now();
  for (let i = 0; i < n; i++) await f();
  const used = process.cpuUsage(began);
  const ms = (used.user + used.system) / 1000 / n;
  const wall = (performance.now() - at) / n;
  const each = `${ms.toFixed(4).padStart(10)} ms CPU  ${(1000 / ms).toFixed(0).padStart(8)} a second`;
  console.log(`${what.padEnd(45)} ${each}  (${wall.toFixed(3)} ms by the clock)`);
}

const seed = new Uint8Array(32).fill(7);
const channel = new Uint8Array(16).fill(1) as Uint8Array as Tag;
const draft = { channel, created: 1_790_000_000_000, body: new Uint8Array(200).fill(0x61) };
const wire = write(draft, seed);
const key = channelKey(seed);
const sealedBody = seal(key, seed as Author, draft.body);
const sealedDraft = { ...draft, channel: key.tag, body: sealedBody ?? new Uint8Array() };
const sealedMessage = { ...contentFrom(sealedDraft, seed), author: seed as Author };
const sealKey = keyPair(seed);
const otherKey = keyPair(new Uint8Array(32).fill(9));
const letter = read(writeDirect(seed, sealKey.public, { text: draft.body }) ?? new Uint8Array());

await cost("write a message", 300, () => write(draft, seed));
await cost("decode it", 100_000, () => decode(wire));
await cost("read it: decode and verify", 300, () => read(wire));
for (const authors of [1, 8, 64]) {
  const wires = Array.from({ length: 64 }, (_, i) => write({ ...draft, created: i }, new Uint8Array(32).fill(i % authors)));
  await cost(`read 64 at once, of ${authors} authors`, 10, () => readAll(wires));
}
await cost("its ID", 20_000, () => idOf(wire));
await cost("10,000 tries for a stamp", 3, () => findNonce(contentFrom(draft, seed), 256, 1n, 10_000));
await cost("open a sealed body", 2000, () => openSealed(key, sealedMessage));
if (!isRefusal(letter)) {
  await cost("open a direct message", 100, () => openDirect(sealKey, letter));
  await cost("try one that is for somebody else", 100, () => openDirect(otherKey, letter));
}
await cost("a passphrase (Argon2id, 64 MiB)", 1, () => passphraseSecret("north-gate", "tin river seven lamps"));

const keys = Array.from({ length: 10_000 }, (_, i) => newKey(1, 1_790_000_000_000 + i * 5000, random(32)));
await cost("the trie of 10,000 messages, from nothing", 5, () => sumUnder(newKeySet(keys), ""));
