// Keys as reconciliation takes them apart, SPEC.md section 13: a prefix is the first nibbles of a key, text like it, so that "lies under"
// is "begins with".

import { toHex } from "../bytes.ts";
import { type Key, maxRank } from "./key.ts";

/** The first nibbles of a key, none to all. The empty one is the root. */
export type Prefix = string;

/** The number of nibbles of a key. */
export const nibbles = 77;

/** The length of a key in bytes; the high half of the first is zero. */
export const keySize = 39;

/** The rank of a key: smaller is more urgent. */
export function rankOf(key: Key): number {
  return nibble(key, 0);
}

/** The creation time in a key, in ms. */
export function createdOf(key: Key): number {
  return parseInt(key.slice(1, 13), 16);
}

/** The ID in a key. */
export function idIn(key: Key): Uint8Array {
  return packNibbles(key.slice(13));
}

/** A key as its 39 bytes. */
export function keyBytes(key: Key): Uint8Array {
  return packNibbles("0" + key);
}

/** The key that 39 bytes are, or undefined. */
export function keyFrom(bytes: Uint8Array): Key | undefined {
  const first = bytes[0];
  return bytes.length === keySize && first !== undefined && first <= maxRank ? toHex(bytes).slice(1) : undefined;
}

/** Nibble i. */
export function nibble(p: Prefix, i: number): number {
  return parseInt(p.charAt(i), 16);
}

/** The child of a prefix at a nibble. */
export function childOf(p: Prefix, c: number): Prefix {
  return p + c.toString(16);
}

/** How many leading nibbles both have in common. */
export function shared(p: Prefix, q: Prefix): number {
  const n = Math.min(p.length, q.length);
  let i = 0;
  while (i < n && p[i] === q[i]) i++;
  return i;
}

/** Nibbles two a byte, the high half first; a last half that is not used is 0. */
export function packNibbles(p: string): Uint8Array {
  const out = new Uint8Array((p.length + 1) >> 1);
  for (let i = 0; i < out.length; i++) out[i] = parseInt(p.slice(2 * i, 2 * i + 2).padEnd(2, "0"), 16);
  return out;
}

/** The order in which the children of a prefix are taken: alerts first at the root, and newest first anywhere else. */
export function childOrder(p: Prefix): readonly number[] {
  return p.length === 0 ? ascending : descending;
}

const ascending = Array.from({ length: 16 }, (_, i) => i);
const descending = [...ascending].reverse();
