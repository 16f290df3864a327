// Short forms of hashes and IDs, SPEC.md section 14. They are keyed by a salt that changes now and then: two that are equal by
// chance hide a difference only until the next one.

import { sha256 } from "@noble/hashes/sha2.js";
import { concat, toHex } from "../bytes.ts";
import type { Key } from "./key.ts";
import { idIn } from "./prefix.ts";
import type { Sum } from "./trie.ts";

/** 16 random bytes that both ends of a link share. */
export type Salt = Uint8Array;

/** Sizes of the short forms, in hexadecimal digits, as which they are kept here. */
export const digits = { root: 32, print: 6, short: 8 } as const;

const nothing = new Uint8Array(32);

/** The form of a set's hash that begins a round. */
export function rootPrint(salt: Salt, sum: Sum): string {
  return form(salt, sum.hash ?? nothing, digits.root);
}

/** The form of a child's hash. */
export function childPrint(salt: Salt, hash: Uint8Array): string {
  return form(salt, hash, digits.print);
}

/** The form of the ID in a key. */
export function shortID(salt: Salt, key: Key): string {
  return form(salt, idIn(key), digits.short);
}

function form(salt: Salt, hash: Uint8Array, n: number): string {
  return toHex(sha256(concat(salt, hash))).slice(0, n);
}
