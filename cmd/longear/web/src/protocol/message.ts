// The message of SPEC.md section 3 and its one encoding. Whatever is not that encoding is refused: if two encodings meant
// one message, they would have two IDs, and whoever passes messages on could make many of one.

import { type Author, type Tag, equal } from "./bytes.ts";
import * as limits from "./limits.ts";
import { type Cursor, readUvarint, take } from "./uvarint.ts";
import type { Refusal } from "./verdict.ts";

/** What an author signs. */
export interface Content {
  readonly author: Author;
  /** The author's clock, ms since 1970: a claim. 0 is unknown. */
  readonly created: number;
  /** How long it asks to live, in seconds. 0 is the default lifetime. */
  readonly lifetime: number;
  readonly channel: Tag;
  /** 0 text, 1 alert, 2 media. */
  readonly class: number;
  readonly kind: number;
  readonly flags: number;
  /** IDs of the messages that this one answers, all different. */
  readonly parents: readonly Uint8Array[];
  readonly body: Uint8Array;
  /** Turned until the ID carries its stamp; 64 bits. */
  readonly nonce: bigint;
}

/** A message: content and a signature, which decoding alone has not verified. */
export interface Message extends Content {
  readonly signature: Uint8Array;
}

/** What a body is. */
export const kinds = {
  post: 0,
  response: 1,
  profile: 2,
  retract: 3,
  manifest: 4,
  direct: 5,
  receipt: 6,
  petition: 7,
  poll: 8,
  chunk: 9,
} as const;

/** The order in which messages are fetched and kept. */
export const classes = { text: 0, alert: 1, media: 2 } as const;

/** Tag bytes, in the order of the encoding. */
export const tags = {
  version: 0x08,
  author: 0x12,
  created: 0x18,
  lifetime: 0x20,
  channel: 0x2a,
  class: 0x30,
  kind: 0x38,
  flags: 0x40,
  parent: 0x4a,
  body: 0x52,
  nonce: 0x59,
  signature: 0x7a,
} as const;

/** The signature and what stands before it end every message. */
export const trailerSize = 66;

/** The part of an encoded message that is signed and named. */
export function contentOf(wire: Uint8Array): Uint8Array {
  return wire.subarray(0, wire.length - trailerSize);
}

/** Reads a message by steps 1 to 4 of SPEC.md section 3, "Reading". The signature is not verified. */
export function decode(wire: Uint8Array): Message | Refusal {
  if (wire.length < limits.minMessage || wire.length > limits.maxMessage) return "reject: size";
  if (wire[0] === tags.version) {
    const version = readUvarint({ bytes: wire, at: 1 });
    return version === undefined || version < 2 ? "reject: malformed" : "ignore: version";
  }
  const m = readFields({ bytes: wire, at: 0 });
  if (typeof m === "string") return m;
  return beyondLimits(m) ? "reject: limit" : m;
}

/** Step 3: the fields in their order, each at most once, to the end. */
function readFields(c: Cursor): Message | Refusal {
  const author = readBytes(c, tags.author, 32);
  const created = readInteger(c, tags.created);
  const lifetime = readInteger(c, tags.lifetime);
  const channel = readBytes(c, tags.channel, 16);
  const cls = readInteger(c, tags.class);
  const kind = readInteger(c, tags.kind);
  const flags = readInteger(c, tags.flags);
  // A breach is only looked for here: reading on after one does no harm, and the cursor never leaves the bytes.
  if (!author || created === undefined || lifetime === undefined || !channel) return "reject: malformed";
  if (cls === undefined || kind === undefined || flags === undefined) return "reject: malformed";
  const parents = readParents(c);
  if (typeof parents === "string") return parents;
  const body = readBody(c);
  const nonce = readNonce(c);
  const signature = readBytes(c, tags.signature, 64);
  if (!body || nonce === undefined || !signature || c.at !== c.bytes.length) return "reject: malformed";
  return {
    author: author as Author,
    created,
    lifetime,
    channel: channel as Tag,
    class: cls,
    kind,
    flags,
    parents,
    body,
    nonce,
    signature,
  };
}

/** A required field of a fixed length. */
function readBytes(c: Cursor, tag: number, length: number): Uint8Array | undefined {
  if (c.bytes[c.at] !== tag || c.bytes[c.at + 1] !== length) return undefined;
  c.at += 2;
  return take(c, length);
}

/** An integer, 0 if it is left out; undefined if it is there and 0, or not in its shortest form. */
function readInteger(c: Cursor, tag: number): number | undefined {
  if (c.bytes[c.at] !== tag) return 0;
  c.at++;
  return readUvarint(c) || undefined;
}

function readParents(c: Cursor): Uint8Array[] | Refusal {
  const parents: Uint8Array[] = [];
  while (c.bytes[c.at] === tags.parent) {
    const p = readBytes(c, tags.parent, 32);
    if (!p) return "reject: malformed";
    if (parents.length === limits.maxParents) return "reject: limit";
    parents.push(p);
  }
  return parents;
}

/** The body, empty if it is left out. Its length is at most that of the message, which is bounded already. */
function readBody(c: Cursor): Uint8Array | undefined {
  if (c.bytes[c.at] !== tags.body) return new Uint8Array(0);
  c.at++;
  const length = readUvarint(c);
  return length ? take(c, length) : undefined;
}

function readNonce(c: Cursor): bigint | undefined {
  if (c.bytes[c.at] !== tags.nonce) return 0n;
  c.at++;
  const b = take(c, 8);
  return (b && new DataView(b.buffer, b.byteOffset).getBigUint64(0, true)) || undefined;
}

/** Step 4: values that are well formed and too large, or a parent named twice. */
export function beyondLimits(m: Content): boolean {
  return (
    m.created > limits.maxCreated ||
    m.lifetime > limits.maxLifetime ||
    m.class > limits.maxClass ||
    m.kind > limits.maxKind ||
    m.flags > limits.maxFlags ||
    m.body.length > limits.maxBody ||
    m.parents.some((p, i) => m.parents.slice(i + 1).some((q) => equal(p, q)))
  );
}
