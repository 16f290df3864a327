// Wants, SPEC.md section 14: what a round found missing here and is to be pulled from the peer.

import type { Cursor } from "../uvarint.ts";
import { decodePrefix, decodeShorts, encodePrefix, encodeShorts, maxItems, maxList } from "./item.ts";
import type { Key } from "./key.ts";
import { type Prefix, nibble } from "./prefix.ts";
import { type Salt, shortID } from "./salt.ts";
import { type Nodes, totalOf } from "./trie.ts";

/** A place, and the short IDs wanted there; none is all that the peer has there. */
export interface Want {
  readonly p: Prefix;
  readonly shorts: readonly string[];
}

/** Wants as they are sent. */
export function encodeWants(wants: readonly Want[]): Uint8Array {
  const out: number[] = [];
  let prev: Prefix = "";
  for (const w of wants) {
    encodePrefix(out, 0, prev, w.p);
    encodeShorts(out, w.shorts);
    prev = w.p;
  }
  return Uint8Array.from(out);
}

/** Reads wants, or undefined if the bytes are not their one encoding. */
export function decodeWants(bytes: Uint8Array): Want[] | undefined {
  const c: Cursor = { bytes, at: 0 };
  const wants: Want[] = [];
  let prev: Prefix = "";
  while (c.at < bytes.length) {
    if (wants.length === maxItems || (bytes[c.at] ?? 0) >> 5 !== 0) return undefined;
    const p = decodePrefix(c, prev);
    const shorts = p === undefined ? undefined : decodeShorts(c);
    if (p === undefined || !shorts) return undefined;
    wants.push({ p, shorts });
    prev = p;
  }
  return wants;
}

/** The most keys under a prefix among which short IDs are looked for. */
export const maxMatch = 2 * maxList;

/** The keys that a want names, ascending, or "broad" if so many lie there that no honest peer was told short IDs. */
export function matching(nodes: Nodes, salt: Salt, w: Want): Key[] | "broad" {
  if (w.shorts.length === 0) return [...nodes.keys(w.p)];
  const node = nodes.node(w.p);
  if (node && totalOf(node) > maxMatch) return "broad";
  const named = new Set(w.shorts);
  return [...nodes.keys(w.p)].filter((k) => named.has(shortID(salt, k)));
}

/** Wants in the order to be served (the root, then by rank, then newest first), without those that another one holds. */
export function orderWants(wants: readonly Want[]): Want[] {
  const out: Want[] = [];
  let whole: Prefix | undefined;
  for (const w of [...wants].sort((a, b) => order(a.p, b.p))) {
    if (whole !== undefined && w.p.startsWith(whole)) continue;
    if (w.shorts.length === 0) whole = w.p;
    out.push(w);
  }
  return out.sort((a, b) => rank(a.p) - rank(b.p) || order(b.p, a.p));
}

function order(p: Prefix, q: Prefix): number {
  return p < q ? -1 : Number(p > q);
}

function rank(p: Prefix): number {
  return p === "" ? -1 : nibble(p, 0);
}
