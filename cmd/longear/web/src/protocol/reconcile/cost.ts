// Whether to list keys or to go on through their children: SPEC.md section 14, "List or Expand". Both ends need not agree on
// this, but what is cheaper for one is cheaper for both.

import { leafSize } from "./trie.ts";

/** Bytes of an item's kind, prefix and size. */
const itemCost = 4;

/**
 * How many differences lie under a child that differs, when so many of the compared children do. Differences thrown at random
 * leave a child equal with probability e^-x, x being their mean.
 */
export function guess(compared: number, unequal: number): number {
  if (unequal === 0) return 1;
  if (unequal === compared) return Math.log(compared) + 2;
  const f = unequal / compared;
  return -Math.log1p(-f) / f;
}

/** Whether listing n keys, of which so many differ, takes no more bytes than going on through their children. */
export function listIsCheaper(n: number, differ: number): boolean {
  return listCost(n) <= splitCost(n, differ);
}

function listCost(n: number): number {
  return itemCost + 4 * n;
}

function splitCost(n: number, differ: number): number {
  const kids = Math.min(16, n);
  const hit = kids * (1 - Math.exp(-differ / kids));
  const list = listCost(n / kids);
  // What fits in a leaf is always listed.
  const each = n / kids > leafSize ? Math.min(list, splitCost(n / kids, differ / hit)) : list;
  return itemCost + 2 + 3 * kids + hit * each;
}
