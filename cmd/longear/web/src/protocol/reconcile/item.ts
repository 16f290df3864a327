// The items of a reconciliation message, and the one encoding that each message has (SPEC.md section 14). Everything that a
// peer declares is bounded before it is read.

import { toHex } from "../bytes.ts";
import { type Cursor, readUvarint, uvarint } from "../uvarint.ts";
import { type Prefix, nibbles, packNibbles, shared } from "./prefix.ts";
import { digits } from "./salt.ts";

/** The largest message, in bytes, sent or accepted. */
export const maxBytes = 65_536;
/** The most items of a message, and the most wants. */
export const maxItems = 4096;
/** The most short IDs of a list, an offer or a want. */
export const maxList = 4096;

/** Bits of a message's first byte. */
export const flag = { incomplete: 1, equal: 2 } as const;

/** One item. Fingerprints and short IDs are hexadecimal. */
export type Item =
  /** So many keys in all. */
  | { readonly kind: "root"; readonly p: ""; readonly count: number; readonly print: string }
  /** All my keys under p lie under rest. */
  | { readonly kind: "only"; readonly p: Prefix; readonly rest: Prefix }
  /** My children with keys, and the fingerprints of those for which no item of their own follows (all, if follow is 0). */
  | {
      readonly kind: "children";
      readonly p: Prefix;
      readonly present: number;
      readonly follow: number;
      readonly prints: readonly string[];
    }
  /** All my keys under p, or those that your list lacks. */
  | { readonly kind: "list"; readonly p: Prefix; readonly shorts: readonly string[] }
  | { readonly kind: "offer"; readonly p: Prefix; readonly shorts: readonly string[] }
  /** You have nothing under p, and I have. */
  | { readonly kind: "have"; readonly p: Prefix };

/** Whether the receiver has to answer. A round ends with the first message that asks nothing. */
export function asks(it: Item): boolean {
  return it.kind !== "offer";
}

/** A message being written. */
export interface Writer {
  readonly bytes: number[];
  prev: Prefix;
  items: number;
  asks: boolean;
}

/** A message without items. */
export function newWriter(): Writer {
  return { bytes: [0], prev: "", items: 0, asks: false };
}

/** Adds an item, or leaves the message as it was and returns false if it does not fit. */
export function addItem(w: Writer, it: Item): boolean {
  if (w.items === maxItems) return false;
  const before = w.bytes.length;
  const next = encodeItem(w.bytes, w.prev, it);
  if (w.bytes.length > maxBytes) {
    w.bytes.length = before;
    return false;
  }
  w.prev = next;
  w.items++;
  w.asks ||= asks(it);
  return true;
}

/** Appends an item whose prefix is coded against prev, and returns the prefix for the next one. */
function encodeItem(out: number[], prev: Prefix, it: Item): Prefix {
  switch (it.kind) {
    case "root":
      out.push(0, ...uvarint(it.count), ...packNibbles(it.print));
      return prev;
    case "only":
      encodePrefix(out, 1, prev, it.p);
      out.push(it.rest.length - it.p.length, ...packNibbles(it.rest.slice(it.p.length)));
      return it.rest;
    case "children":
      encodePrefix(out, it.follow === 0 ? 3 : 2, prev, it.p);
      out.push(it.present >> 8, it.present & 0xff);
      if (it.follow !== 0) out.push(it.follow >> 8, it.follow & 0xff);
      out.push(...packNibbles(it.prints.join("")));
      return it.p;
    case "list":
    case "offer":
      encodePrefix(out, it.kind === "list" ? 4 : 5, prev, it.p);
      encodeShorts(out, it.shorts);
      return it.p;
    case "have":
      encodePrefix(out, 6, prev, it.p);
      return it.p;
  }
}

/** Appends a number of short IDs, and the IDs. */
export function encodeShorts(out: number[], shorts: readonly string[]): void {
  out.push(...uvarint(shorts.length));
  for (const s of shorts) out.push(...packNibbles(s));
}

const longForm = 31;

/** Appends a prefix coded against the one before, with a kind in the upper bits of the first byte. */
export function encodePrefix(out: number[], kind: number, prev: Prefix, p: Prefix): void {
  const same = shared(prev, p);
  const add = p.length - same;
  if (p.length === prev.length && add < longForm) out.push((kind << 5) | add);
  else out.push((kind << 5) | longForm, same, add);
  out.push(...packNibbles(p.slice(same)));
}

/** Reads the items of a message behind its first byte, or undefined if it is malformed: then none of them counts. */
export function decodeItems(message: Uint8Array): Item[] | undefined {
  const c: Cursor = { bytes: message, at: 1 };
  const items: Item[] = [];
  let prev: Prefix = "";
  while (c.at < message.length) {
    const it = items.length < maxItems ? decodeItem(c, prev) : undefined;
    if (!it) return undefined;
    items.push(it);
    if (it.kind !== "root") prev = it.kind === "only" ? it.rest : it.p;
  }
  return items;
}

function decodeItem(c: Cursor, prev: Prefix): Item | undefined {
  const head = c.bytes[c.at] ?? 0;
  const kind = head >> 5;
  if (kind === 0) return head === 0 ? decodeRoot(c) : undefined;
  const p = decodePrefix(c, prev);
  if (p === undefined) return undefined;
  switch (kind) {
    case 1:
      return decodeOnly(c, p);
    case 2:
    case 3:
      return decodeChildren(c, p, kind === 2);
    case 4:
    case 5: {
      const shorts = decodeShorts(c);
      if (!shorts || (kind === 5 && shorts.length === 0)) return undefined;
      return { kind: kind === 4 ? "list" : "offer", p, shorts };
    }
    case 6:
      return { kind: "have", p };
    default:
      return undefined;
  }
}

function decodeRoot(c: Cursor): Item | undefined {
  c.at++;
  const count = readUvarint(c);
  const print = readHex(c, digits.root);
  return count === undefined || print === undefined ? undefined : { kind: "root", p: "", count, print };
}

function decodeOnly(c: Cursor, p: Prefix): Item | undefined {
  const r = c.bytes[c.at++];
  if (!r || p.length + r > nibbles) return undefined;
  const rest = readHex(c, r);
  return rest === undefined ? undefined : { kind: "only", p, rest: p + rest };
}

function decodeChildren(c: Cursor, p: Prefix, branch: boolean): Item | undefined {
  const present = readBits(c);
  const follow = branch ? readBits(c) : 0;
  if (!present || follow === undefined || p.length >= nibbles) return undefined;
  if (branch && (follow === 0 || (follow & ~present) !== 0)) return undefined;
  const prints: string[] = [];
  for (let rest = present & ~follow; rest !== 0; rest &= rest - 1) {
    const print = readHex(c, digits.print);
    if (print === undefined) return undefined;
    prints.push(print);
  }
  return { kind: "children", p, present, follow, prints };
}

function readBits(c: Cursor): number | undefined {
  const [high, low] = [c.bytes[c.at++], c.bytes[c.at++]];
  return high === undefined || low === undefined ? undefined : (high << 8) | low;
}

/** Reads a number of short IDs, at most `maxList`, and the IDs. */
export function decodeShorts(c: Cursor): string[] | undefined {
  const n = readUvarint(c);
  if (n === undefined || n > maxList) return undefined;
  const all = readHex(c, n * digits.short);
  return all === undefined ? undefined : Array.from({ length: n }, (_, i) => all.slice(i * 8, i * 8 + 8));
}

/** Reads a prefix coded against prev, from its first byte on. Only what `encodePrefix` makes is accepted. */
export function decodePrefix(c: Cursor, prev: Prefix): Prefix | undefined {
  let add = (c.bytes[c.at++] ?? 0) & 31;
  let same = prev.length - add;
  const long = add === longForm;
  if (long) {
    same = c.bytes[c.at++] ?? -1;
    add = c.bytes[c.at++] ?? -1;
  }
  if (add < 0 || same < 0 || same > prev.length || same + add > nibbles) return undefined;
  const added = readHex(c, add);
  if (added === undefined) return undefined;
  const p = prev.slice(0, same) + added;
  const short = p.length === prev.length && add < longForm;
  return shared(prev, p) === same && long !== short ? p : undefined;
}

/** Reads n packed nibbles; undefined if the bytes end, or a last half that is not used is not 0. */
function readHex(c: Cursor, n: number): string | undefined {
  const size = (n + 1) >> 1;
  if (size > c.bytes.length - c.at) return undefined;
  const hex = toHex(c.bytes.subarray(c.at, c.at + size));
  c.at += size;
  return n % 2 === 1 && hex.charAt(n) !== "0" ? undefined : hex.slice(0, n);
}
