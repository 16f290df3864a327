// The one encoding of a message and of the bodies that are more than a text, for whoever writes. Reading is in modules of its own: a page
// reads from its first moment, and writes later.

import { concat, fromUTF8, utf8 } from "./bytes.ts";
import { maxParents } from "./limits.ts";
import { type Manifest, fileLimits, isManifest } from "./manifest.ts";
import { type Content, beyondLimits, tags } from "./message.ts";
import { type Poll, decodePoll, maxOptions } from "./poll.ts";
import { type Answer, answers, decodeAnswer } from "./response.ts";
import { uvarint } from "./uvarint.ts";

/** Encodes what is to be signed. Content outside the limits is a mistake of the program: RangeError. */
export function encodeContent(m: Content): Uint8Array {
  if (m.author.length !== 32 || m.channel.length !== 16 || m.parents.some((p) => p.length !== 32)) {
    throw new RangeError("an author, channel or parent of another length");
  }
  if (beyondLimits(m) || m.parents.length > maxParents || m.nonce < 0n || m.nonce >= 1n << 64n) {
    throw new RangeError("a field beyond its limit");
  }
  const parts: Uint8Array[] = [field(tags.author, m.author)];
  const integer = (tag: number, value: number): void => {
    if (value !== 0) parts.push(Uint8Array.of(tag, ...uvarint(value)));
  };
  integer(tags.created, m.created);
  integer(tags.lifetime, m.lifetime);
  parts.push(field(tags.channel, m.channel));
  integer(tags.class, m.class);
  integer(tags.kind, m.kind);
  integer(tags.flags, m.flags);
  for (const p of m.parents) parts.push(field(tags.parent, p));
  if (m.body.length > 0) parts.push(field(tags.body, m.body));
  if (m.nonce !== 0n) parts.push(nonceField(m.nonce));
  return concat(...parts);
}

/** Puts a signature behind content. */
export function withSignature(content: Uint8Array, signature: Uint8Array): Uint8Array {
  return concat(content, field(tags.signature, signature));
}

/** The nonce as it ends the content: a tag byte and 8 bytes, the lowest first. */
export function nonceField(nonce: bigint): Uint8Array {
  const out = new Uint8Array(9);
  out[0] = tags.nonce;
  new DataView(out.buffer).setBigUint64(1, nonce, true);
  return out;
}

function field(tag: number, bytes: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(tag, ...uvarint(bytes.length)), bytes);
}

/** Encodes a manifest. One beyond the limits is a mistake of the program: RangeError. */
export function encodeManifest(m: Manifest): Uint8Array {
  if (!isManifest(m) || m.chunks.some((id) => id.length !== 32)) throw new RangeError("a manifest beyond its limits");
  const type = utf8(m.type);
  const name = utf8(m.name);
  const body = concat(
    Uint8Array.from([...uvarint(m.size), ...uvarint(m.chunks.length)]),
    ...m.chunks,
    Uint8Array.from(uvarint(type.length)),
    type,
    Uint8Array.from(uvarint(name.length)),
    name,
    Uint8Array.from([...uvarint(m.width), ...uvarint(m.height), ...uvarint(m.preview.length)]),
    m.preview,
    utf8(m.caption),
  );
  if (body.length > fileLimits.manifest) throw new RangeError("a manifest beyond its limits");
  return body;
}

/** The body of a poll. That it fits into a message is for whoever writes that. */
export function encodePoll(p: Poll): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(p.most, p.options.length)];
  for (const o of p.options) {
    const text = utf8(o);
    parts.push(Uint8Array.from(uvarint(text.length)), text);
  }
  const body = concat(...parts, utf8(p.question));
  const again = decodePoll(body);
  const same = again && again.most === p.most && again.question === p.question && again.options.length === p.options.length;
  // A number that became another byte, half a surrogate pair that became a replacement character.
  if (!same || again.options.some((o, i) => o !== p.options[i])) throw new RangeError("no poll that can be written");
  return body;
}

/** The body of a response. */
export function encodeAnswer(a: Answer): Uint8Array {
  const rest = restOf(a);
  const body = concat(Uint8Array.of(answers.indexOf(a.kind)), rest);
  if (!decodeAnswer(body)) throw new RangeError(`no ${a.kind} that can be written`);
  return body;
}

function restOf(a: Answer): Uint8Array {
  if (a.kind === "vote") {
    // Before they become bytes, where 256 would be 0.
    if (a.options.some((i) => !Number.isInteger(i) || i < 0 || i >= maxOptions)) throw new RangeError("no such option");
    return Uint8Array.from(a.options);
  }
  if (a.kind === "react") {
    const text = utf8(a.text);
    if (fromUTF8(text) !== a.text) throw new RangeError("half a surrogate pair");
    return text;
  }
  return new Uint8Array(0);
}
