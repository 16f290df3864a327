// Carry files, SPEC.md section 11: messages on a stick or in a mail. The reader is fed piece by piece and holds at most one
// record, so that a file of any size, cut short or hostile, costs no more than that.

import { sha256 } from "@noble/hashes/sha2.js";
import { concat, equal, utf8 } from "./bytes.ts";
import { maxFrame, maxLifetime, maxMessage, minMessage } from "./limits.ts";
import { type Cursor, readUvarint, uvarint } from "./uvarint.ts";

const magic = utf8("longear carry 1\n");
const minRecord = minMessage + 1;
const maxRecord = maxMessage + 10;
const maxAge = maxLifetime * 1000;

/** A record: bytes that claim to be a message, and how long it has been travelling, in ms. */
export interface Carried {
  readonly wire: Uint8Array;
  readonly age: number;
}

/** Damage, with the place in the file where it was met: the reader went on behind it, or could not. */
export interface Damage {
  readonly damage: "skipped" | "stopped";
  readonly at: number;
  readonly why: string;
}

/** What a reader meets, in the order of the file. */
export type CarryEvent = Carried | Damage;

/** Reads a file in pieces of any size. */
export interface CarryReader {
  /** Takes the next piece and returns what it completed. */
  push(piece: Uint8Array): CarryEvent[];
  /** Says that the file has ended, and returns what is to be said of that. */
  end(): CarryEvent[];
}

/** Where a reader stands: each stage waits until what it needs is there, and names the next. */
type Stage = "magic" | "record" | "skip" | "trailer" | "done" | "stopped";

/** State of one reader. */
interface Reading {
  stage: Stage;
  held: Uint8Array; // what was pushed and not yet used: less than a record and a piece
  at: number; // of held, in the file
  skip: number; // bytes still to be skipped
  skipAt: number; // where they began
  records: number;
  readonly hash: ReturnType<typeof sha256.create>;
  readonly events: CarryEvent[];
}

/** A reader at the beginning of a file. */
export function newCarryReader(): CarryReader {
  const r: Reading = {
    stage: "magic",
    held: new Uint8Array(0),
    at: 0,
    skip: 0,
    skipAt: 0,
    records: 0,
    hash: sha256.create(),
    events: [],
  };
  return {
    push(piece) {
      if (r.stage === "stopped") return [];
      r.held = r.held.length === 0 ? piece.slice() : concat(r.held, piece);
      while (step(r));
      return r.events.splice(0);
    },
    end() {
      if (r.stage !== "done" && r.stage !== "stopped") stop(r, "the file ends early");
      return r.events.splice(0);
    },
  };
}

/** Does what can be done with what is held, and reports whether there may be more to do. */
function step(r: Reading): boolean {
  switch (r.stage) {
    case "magic":
      return readMagic(r);
    case "record":
      return readRecord(r);
    case "skip":
      return skipOn(r);
    case "trailer":
      return readTrailer(r);
    case "done":
      return r.held.length > 0 ? stop(r, "bytes after the end") : false;
    case "stopped":
      return false;
  }
}

function readMagic(r: Reading): boolean {
  if (r.held.length < magic.length) return false;
  if (!equal(r.held.subarray(0, magic.length), magic)) return stop(r, "not a carry file");
  use(r, magic.length);
  r.stage = "record";
  return true;
}

function readRecord(r: Reading): boolean {
  const c: Cursor = { bytes: r.held, at: 0 };
  const length = readUvarint(c);
  if (length === undefined && cutShort(r.held)) return false;
  if (length === undefined || length > maxFrame) return stop(r, "no length of a record: the framing is lost");
  if (length === 0) {
    // The zero is part of the trailer, and like it not of what the checksum is over.
    r.stage = "trailer";
    return true;
  }
  if (length < minRecord || length > maxRecord) {
    // Told when the bytes have been passed: if the file ends among them, it ended early and nothing was skipped.
    r.skip = c.at + length;
    r.skipAt = r.at;
    r.stage = "skip";
    return true;
  }
  const end = c.at + length;
  if (r.held.length < end) return false;
  const record: Cursor = { bytes: r.held.subarray(0, end), at: c.at };
  const age = readUvarint(record);
  if (age === undefined) skipped(r, r.at, "an age that is no number");
  else r.events.push({ wire: r.held.slice(record.at, end), age: Math.min(age, maxAge) });
  if (age !== undefined) r.records++;
  use(r, end);
  return true;
}

function skipOn(r: Reading): boolean {
  const n = Math.min(r.skip, r.held.length);
  use(r, n);
  r.skip -= n;
  if (r.skip > 0) return false;
  skipped(r, r.skipAt, "a length that no record has");
  r.stage = "record";
  return true;
}

const checksumSize = 32;

function readTrailer(r: Reading): boolean {
  const c: Cursor = { bytes: r.held, at: 1 };
  const count = readUvarint(c);
  if (count === undefined) return cutShort(r.held.subarray(1)) ? false : stop(r, "no count in the trailer");
  const end = c.at + checksumSize;
  if (r.held.length < end) return false;
  use(r, c.at);
  const sum = r.held.slice(0, checksumSize);
  if (count !== r.records || !equal(sum, r.hash.digest())) return stop(r, "count or checksum is wrong");
  drop(r, checksumSize);
  r.stage = "done";
  return true;
}

/** Whether more bytes could make a uvarint of these. */
function cutShort(bytes: Uint8Array): boolean {
  return bytes.length < 10 && bytes.every((b) => b >= 0x80);
}

/** Steps over bytes that the checksum is over. */
function use(r: Reading, n: number): void {
  r.hash.update(r.held.subarray(0, n));
  drop(r, n);
}

function drop(r: Reading, n: number): void {
  r.held = r.held.subarray(n);
  r.at += n;
}

/** A record that is met and not delivered counts all the same. */
function skipped(r: Reading, at: number, why: string): void {
  r.records++;
  r.events.push({ damage: "skipped", at, why });
}

function stop(r: Reading, why: string): false {
  r.events.push({ damage: "stopped", at: r.at, why });
  r.stage = "stopped";
  r.held = new Uint8Array(0);
  return false;
}

/** Writes a file in pieces: the beginning, a piece for each record, the trailer. */
export function* writeCarry(records: Iterable<Carried>): Generator<Uint8Array> {
  const hash = sha256.create().update(magic);
  yield magic.slice();
  let count = 0;
  for (const { wire, age } of records) {
    const told = uvarint(Math.min(Math.max(0, Math.floor(age)), maxAge));
    const record = concat(Uint8Array.of(...uvarint(told.length + wire.length), ...told), wire);
    hash.update(record);
    count++;
    yield record;
  }
  const head = Uint8Array.of(0, ...uvarint(count));
  yield concat(head, hash.update(head).digest());
}
