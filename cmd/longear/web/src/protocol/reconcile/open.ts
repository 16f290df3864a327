// Expanding a prefix into its children, SPEC.md section 14, "Answers" and "The first answer".

import type { Item } from "./item.ts";
import { type Prefix, childOf, childOrder, nibbles } from "./prefix.ts";
import { type Reply, send, sendList } from "./reply.ts";
import { childPrint } from "./salt.ts";
import { type Node, presentIn } from "./trie.ts";

/** The number of keys down to which the newest child is opened one level more: most differences are recent. */
const edgeKeys = 512;

/**
 * Sends the children of p, or of the first prefix below it where my keys part; with the children's children in place of their
 * fingerprints where there is room for so many, and along the newest edge if newest is set.
 */
export function open(r: Reply, p: Prefix, room: number, newest: boolean): void {
  const part = parting(r, p);
  if (!part) return sendList(r, p);
  const { q, node } = part;
  const present = presentIn(node);
  const kids = bitCount(present);
  const follow = 16 * kids <= room ? present : newest ? newestTwo(node) : 0;
  const prints = node.flatMap((child, c) =>
    child.hash && !((follow >> c) & 1) ? [childPrint(r.config.salt, child.hash)] : [],
  );
  const before = { ...r.out, length: r.out.bytes.length };
  if (q !== p && !send(r, { kind: "only", p, rest: q })) return;
  const it: Item = { kind: "children", p: q, present, follow, prints };
  if (!send(r, it)) {
    // Without the Only, which promised it.
    r.out.bytes.length = before.length;
    r.out.prev = before.prev;
    r.out.items = before.items;
    r.out.asks = before.asks;
    return;
  }
  const edge = 31 - Math.clz32(follow);
  for (const c of childOrder(q)) {
    if (!((follow >> c) & 1)) continue;
    open(r, childOf(q, c), Math.floor(room / kids), newest && (c === edge || q === ""));
  }
}

/** The first prefix at or under p below which my keys part, with its node; undefined if they fit in a leaf. */
function parting(r: Reply, p: Prefix): { q: Prefix; node: Node } | undefined {
  for (let q = p; ; ) {
    r.reads++;
    const node = r.nodes.node(q);
    if (!node) return undefined;
    const present = presentIn(node);
    if (bitCount(present) !== 1 || q.length === nibbles - 1) return { q, node };
    q = childOf(q, 31 - Math.clz32(present));
  }
}

/** A bit for each of the two newest children that holds enough keys. Two, as what is recent often began in the one before. */
function newestTwo(node: Node): number {
  let bits = 0;
  let seen = 0;
  for (let c = 15; c >= 0 && seen < 2; c--) {
    const count = node[c]?.count ?? 0;
    if (count > 0) seen++;
    if (count > edgeKeys) bits |= 1 << c;
  }
  return bits;
}

function bitCount(bits: number): number {
  let n = 0;
  for (; bits !== 0; bits &= bits - 1) n++;
  return n;
}
