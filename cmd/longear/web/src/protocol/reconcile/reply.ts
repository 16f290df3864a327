// A reply to one reconciliation message while it is being made: what it is made from, what is in it so far, and the bounds on
// the work for it, which does not grow with what the peer claims.

import { type Item, type Writer, addItem, newWriter } from "./item.ts";
import type { Key } from "./key.ts";
import type { Prefix } from "./prefix.ts";
import { type Salt, shortID } from "./salt.ts";
import { type Pair, type Settled, noteMet } from "./settled.ts";
import { type Node, type Nodes, splitLeaf, totalOf } from "./trie.ts";
import type { Want } from "./want.ts";

/** What a session needs to know. */
export interface Config {
  /** Shared by both ends. */
  readonly salt: Salt;
  /** True on the one end that starts rounds. */
  readonly initiator: boolean;
  /** Keys under a prefix, ascending, that this side lacks and will not take again: they are left out of wants. */
  readonly refused?: (p: Prefix) => Iterable<Key>;
}

/** What a reply is made from, and what it brings out beside the message. */
export interface Reply {
  readonly nodes: Nodes;
  readonly config: Config;
  readonly settled: Settled;
  readonly out: Writer;
  readonly wants: Want[];
  wanted: number; // size of wants
  left: boolean; // something was left out: nothing more is sent
  equal: boolean;
  reads: number; // nodes loaded and ranges opened
  scanned: number; // keys visited
  refusals: number; // refused keys visited
}

const maxReads = 20_000;
const maxScanned = 65_536;
const maxWanted = 65_536;

/** A reply without anything in it. */
export function newReply(from: Pick<Reply, "nodes" | "config" | "settled" | "wants" | "wanted">): Reply {
  return { ...from, out: newWriter(), left: false, equal: false, reads: 0, scanned: 0, refusals: 0 };
}

/** Whether the work allowed for one message is done; what remains waits for the next round. */
export function spent(r: Reply): boolean {
  if (r.reads < maxReads && r.scanned < maxScanned) return false;
  r.left = true;
  return true;
}

/** Keeps a want. */
export function note(r: Reply, w: Want): void {
  const size = 1 + w.shorts.length;
  if (r.wanted + size > maxWanted) {
    r.left = true;
    return;
  }
  r.wants.push(w);
  r.wanted += size;
}

/** Records a pair on which all there is to say for now has been said. */
export function met(r: Reply, p: Prefix, pair: Pair): void {
  if (!r.left) noteMet(r.settled, p, pair);
}

/** Adds an item to the reply, if it and all before it fit. */
export function send(r: Reply, it: Item): boolean {
  r.left ||= !addItem(r.out, it);
  return !r.left;
}

/** Sends all my keys under p, which are at most `maxList`. */
export function sendList(r: Reply, p: Prefix): void {
  r.reads++;
  const shorts: string[] = [];
  for (const k of r.nodes.keys(p)) shorts.push(shortID(r.config.salt, k));
  r.scanned += shorts.length;
  send(r, { kind: "list", p, shorts });
}

/** The children of p, which need not be an inner node. */
export function load(r: Reply, p: Prefix): Node {
  r.reads++;
  const node = r.nodes.node(p);
  if (node) return node;
  const keys = [...r.nodes.keys(p)];
  r.scanned += keys.length;
  return splitLeaf(p, keys);
}

/** The number of my keys under p. */
export function total(r: Reply, p: Prefix): number {
  r.reads++;
  const node = r.nodes.node(p);
  return node ? totalOf(node) : [...r.nodes.keys(p)].length;
}
