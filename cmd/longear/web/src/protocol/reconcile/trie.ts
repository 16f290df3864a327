// The hashes of the trie over a set of keys, SPEC.md section 13: equal sets have equal hashes, however they came about.

import { sha256 } from "@noble/hashes/sha2.js";
import { utf8 } from "../bytes.ts";
import { uvarint } from "../uvarint.ts";
import type { Key } from "./key.ts";
import { type Prefix, idIn } from "./prefix.ts";

/** The most keys that lie in one leaf. Part of the protocol: nodes that disagree on it never agree on a root. */
export const leafSize = 16;

/** What the trie says of a prefix: how many keys lie under it, and their hash if there are any. */
export interface Sum {
  readonly count: number;
  readonly hash: Uint8Array | undefined;
}

/** An inner node: a sum for each of the 16 children. */
export type Node = readonly Sum[];

/** The trie and the ordered keys of one set. */
export interface Nodes {
  /** The inner node at a prefix; undefined where at most `leafSize` keys lie. */
  node(p: Prefix): Node | undefined;
  /** The keys under a prefix, ascending. */
  keys(p: Prefix): Iterable<Key>;
}

/** The sum of a place without keys. */
export const empty: Sum = { count: 0, hash: undefined };

const leafDomain = utf8("longear/1 leaf\0");
const nodeDomain = utf8("longear/1 node\0");

/** The sum of a leaf, by its keys in ascending order. */
export function leafSum(keys: readonly Key[]): Sum {
  if (keys.length === 0) return empty;
  const h = sha256.create().update(leafDomain);
  for (const k of keys) h.update(idIn(k));
  return { count: keys.length, hash: h.digest() };
}

/** The number of keys under a node. */
export function totalOf(node: Node): number {
  return node.reduce((n, child) => n + child.count, 0);
}

/** The sum of an inner node. */
export function nodeSum(node: Node): Sum {
  const h = sha256.create().update(nodeDomain);
  node.forEach((child, c) => {
    if (child.hash) h.update(Uint8Array.of(c, ...uvarint(child.count))).update(child.hash);
  });
  return { count: totalOf(node), hash: h.digest() };
}

/** What the trie says of any prefix, also one under a leaf. */
export function sumUnder(nodes: Nodes, p: Prefix): Sum {
  const node = nodes.node(p);
  return node ? nodeSum(node) : leafSum([...nodes.keys(p)]);
}

/** A bit for each child that has keys. */
export function presentIn(node: Node): number {
  return node.reduce((m, child, c) => (child.count > 0 ? m | (1 << c) : m), 0);
}

/** The children of a place that is a leaf, or under one. */
export function splitLeaf(p: Prefix, keys: readonly Key[]): Node {
  return Array.from({ length: 16 }, (_, c) => leafSum(keys.filter((k) => parseInt(k.charAt(p.length), 16) === c)));
}
