// Keys, SPEC.md section 13. A key is 77 nibbles, written here as text of hexadecimal digits: its order is the order of keys. What
// reconciliation does with keys is in prefix.ts.

import { toHex } from "../bytes.ts";
import { maxCreated } from "../limits.ts";
import type { Message } from "../message.ts";

/** 77 nibbles: rank (1), created (12), ID (64). */
export type Key = string;

/** The largest rank. */
export const maxRank = 15;

/** The key of a message: a rank or creation time that is too large is lowered to the largest that fits. */
export function newKey(rank: number, created: number, id: Uint8Array): Key {
  const time = Math.min(created, maxCreated).toString(16).padStart(12, "0");
  return Math.min(rank, maxRank).toString(16) + time + toHex(id);
}

/** Ranks by class: alerts before text before media. */
const ranks = [1, 0, 2];

/** The key of a message with an ID. */
export function keyOf(m: Message, id: Uint8Array): Key {
  return newKey(ranks[m.class] ?? maxRank, m.created, id);
}
