// The frames of a sync request and its answer (SPEC.md section 15.1, node/api/GUEST.md): bytes to frames and back. What a hub sends is
// bounded before it is read.

import { type Cursor, readUvarint, take, uvarint } from "../../protocol/uvarint.ts";
import { type Key, type Scope, type Want, decodeWants, encodeWants, floorStep, keyBytes, keyFrom } from "../../protocol/reconcile/reconcile.ts";
import type { Arrival } from "./check.ts";

/** What a frame is. */
export const frame = { round: 2, recon: 3, pull: 4, messages: 5, done: 6 } as const;

/** One frame. */
export interface Frame {
  readonly kind: number;
  readonly payload: Uint8Array;
}

/** The largest frame, in bytes. */
export const mostFrame = 131_072;

/** A frame as it is sent. */
export function frameOf(kind: number, ...parts: (Uint8Array | readonly number[])[]): Uint8Array {
  const size = parts.reduce((n, p) => n + p.length, 0);
  const head = [kind, ...uvarint(size)];
  const out = new Uint8Array(head.length + size);
  out.set(head);
  let at = head.length;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

/** All frames of a body, or undefined if it is not frames. */
export function framesIn(body: Uint8Array): Frame[] | undefined {
  const c: Cursor = { bytes: body, at: 0 };
  const out: Frame[] = [];
  while (c.at < body.length) {
    const kind = body[c.at++] ?? 0;
    const size = readUvarint(c);
    if (size === undefined || size > mostFrame || size > body.length - c.at) return undefined;
    out.push({ kind, payload: body.subarray(c.at, c.at + size) });
    c.at += size;
  }
  return out;
}

/** The head of a ROUND. */
export function scopeBytes(s: Scope): number[] {
  return [...uvarint(Math.floor(s.floor / floorStep)), ...uvarint(s.ranks)];
}

/** The scope that a ROUND of the hub's names. */
export function scopeIn(b: Uint8Array): Scope | undefined {
  const c: Cursor = { bytes: b, at: 0 };
  const floor = readUvarint(c);
  const ranks = readUvarint(c);
  return floor === undefined || ranks === undefined || ranks > 7 ? undefined : { floor: floor * floorStep, ranks };
}

/** What a PULL asks for. */
export interface Pull {
  readonly number: number;
  readonly below: Key | undefined; // in the first want
  readonly wants: readonly Want[];
}

/** A PULL as it is sent. */
export function pullFrame(p: Pull): Uint8Array {
  const cursor = p.below === undefined ? [0] : [1, ...keyBytes(p.below)];
  return frameOf(frame.pull, uvarint(p.number), cursor, encodeWants(p.wants));
}

/** The PULL in a payload. */
export function pullIn(b: Uint8Array): Pull | undefined {
  const c: Cursor = { bytes: b, at: 0 };
  const number = readUvarint(c);
  const cursor = b[c.at++];
  const key = cursor === 1 ? take(c, 39) : undefined;
  const below = key && keyFrom(key);
  const wants = decodeWants(b.subarray(c.at));
  if (number === undefined || (cursor !== 0 && !below) || !wants || wants.length === 0) return undefined;
  return { number, below, wants };
}

/** The end of an answer: at and below say where to go on. */
export interface Done {
  readonly number: number;
  readonly more: { readonly at: number; readonly below: Key } | undefined;
}

/** A DONE as it is sent. */
export function doneFrame(d: Done): Uint8Array {
  return frameOf(frame.done, uvarint(d.number), d.more ? [...uvarint(d.more.at), ...keyBytes(d.more.below)] : []);
}

/** The DONE in a payload. */
export function doneIn(b: Uint8Array): Done | undefined {
  const c: Cursor = { bytes: b, at: 0 };
  const number = readUvarint(c);
  if (number === undefined) return undefined;
  if (c.at === b.length) return { number, more: undefined };
  const at = readUvarint(c);
  const below = keyFrom(b.subarray(c.at));
  return at === undefined || below === undefined ? undefined : { number, more: { at, below } };
}

/** The number and the records of a MESSAGES frame. */
export function messagesIn(b: Uint8Array): { readonly number: number; readonly records: readonly Arrival[] } | undefined {
  const c: Cursor = { bytes: b, at: 0 };
  const number = readUvarint(c);
  const records: Arrival[] = [];
  while (number !== undefined && c.at < b.length) {
    const size = readUvarint(c);
    const record = size === undefined ? undefined : take(c, size);
    const r: Cursor = { bytes: record ?? new Uint8Array(0), at: 0 };
    const age = readUvarint(r);
    if (age === undefined) return undefined;
    records.push({ wire: r.bytes.subarray(r.at), age });
  }
  return number === undefined ? undefined : { number, records };
}
