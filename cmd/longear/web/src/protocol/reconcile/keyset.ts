// A set of keys in memory with its trie. Hashes are made when they are asked for and kept until a key beneath them changes, so
// that a set which gains one message makes a handful of hashes anew.

import { maxCreated } from "../limits.ts";
import type { Key } from "./key.ts";
import { type Prefix, childOf, createdOf, rankOf } from "./prefix.ts";
import { type Node, type Nodes, type Sum, leafSize, leafSum, nodeSum } from "./trie.ts";

/** A set that can change between messages. */
export interface KeySet extends Nodes {
  readonly size: () => number;
  readonly has: (key: Key) => boolean;
  /** Adds and removes keys, in time in proportion to the set. */
  readonly change: (add: Iterable<Key>, remove?: Iterable<Key>) => void;
}

/** The keys, ascending, and the inner nodes made so far. */
interface State {
  sorted: Key[];
  readonly kept: Map<Prefix, Node>;
}

/** A set of keys. */
export function newKeySet(keys: Iterable<Key> = []): KeySet {
  const s: State = { sorted: [...new Set(keys)].sort(), kept: new Map() };
  return {
    size: () => s.sorted.length,
    has: (key) => s.sorted[firstAt(s.sorted, key, 0, s.sorted.length)] === key,
    node: (p) => inner(s, p, ...range(s, p)),
    *keys(p) {
      const [from, to] = range(s, p);
      // What is being read stays as it was, even if the set changes meanwhile.
      const now = s.sorted;
      for (let i = from; i < to; i++) yield now[i] as Key;
    },
    change: (add, remove = []) => change(s, add, remove),
  };
}

function change(s: State, add: Iterable<Key>, remove: Iterable<Key>): void {
  const next = new Set(s.sorted);
  const touched = [...add];
  for (const k of touched) next.add(k);
  for (const k of remove) {
    next.delete(k);
    touched.push(k);
  }
  for (const k of touched) for (let n = 0; n <= k.length; n++) s.kept.delete(k.slice(0, n));
  s.sorted = [...next].sort();
}

/** The node over sorted[from, to), which are the keys under p. */
function inner(s: State, p: Prefix, from: number, to: number): Node | undefined {
  if (to - from <= leafSize) return undefined;
  const known = s.kept.get(p);
  if (known) return known;
  const children: Sum[] = [];
  let start = from;
  for (let c = 0; c < 16; c++) {
    const child = childOf(p, c);
    const end = firstAfter(s.sorted, child, start, to);
    const node = inner(s, child, start, end);
    children.push(node ? nodeSum(node) : leafSum(s.sorted.slice(start, end)));
    start = end;
  }
  s.kept.set(p, children);
  return children;
}

/** The places of the keys under p. */
function range(s: State, p: Prefix): [number, number] {
  const from = firstAt(s.sorted, p, 0, s.sorted.length);
  return [from, firstAfter(s.sorted, p, from, s.sorted.length)];
}

/** The first place in sorted[from, to) whose key is at or after p. */
function firstAt(sorted: readonly Key[], p: Prefix, from: number, to: number): number {
  while (from < to) {
    const mid = (from + to) >> 1;
    if ((sorted[mid] as Key) < p) from = mid + 1;
    else to = mid;
  }
  return from;
}

/** The first place behind all keys under p. No digit comes after "f" and before "g". */
function firstAfter(sorted: readonly Key[], p: Prefix, from: number, to: number): number {
  return p === "" ? to : firstAt(sorted, p + "g", from, to);
}

/** A part of the set that two peers agree to compare. */
export interface Scope {
  /** Leaves out keys created before it, in ms; rounded down to a multiple of `floorStep`. */
  readonly floor: number;
  /** A bit (1 << rank) for each rank wanted; 0 is all. */
  readonly ranks: number;
}

/** The granularity of a scope's floor: 4 h 39 min. */
export const floorStep = 2 ** 24;

/** The part of a set within a scope, as it is now. */
export function within(set: Nodes, scope: Scope): Nodes {
  const floor = Math.floor(Math.min(scope.floor, maxCreated) / floorStep) * floorStep;
  const ranks = scope.ranks === 0 ? 0xffff : scope.ranks;
  if (floor === 0 && ranks === 0xffff) return set;
  return newKeySet([...set.keys("")].filter((k) => (ranks >> rankOf(k)) & 1 && createdOf(k) >= floor));
}
