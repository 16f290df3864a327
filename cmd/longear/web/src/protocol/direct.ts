// Direct messages, SPEC.md section 8: sealed to one reader, with nothing outside that says who wrote or who can read. In a
// module of its own, to be loaded when there is somebody to write to.

import { sha256 } from "@noble/hashes/sha2.js";
import { type Author, type Tag, concat, equal, fromUTF8, inDomain, random } from "./bytes.ts";
import { cardLength, readCard } from "./card.ts";
import { authorOf, sign, verify } from "./ed25519.ts";
import { encodeContent, withSignature } from "./encode.ts";
import { encSize, hpkeOpen, hpkeSeal } from "./hpke.ts";
import { type Content, contentOf, decode, kinds } from "./message.ts";
import { pad, textSizes, unpad } from "./padding.ts";
import { type PrivateText, type SealError, asPrivate } from "./seal.ts";
import { isRefusal } from "./verdict.ts";
import { type Draft, contentFrom, write } from "./write.ts";
import type { KeyPair } from "./x25519.ts";

export { type KeyPair, keyPair } from "./x25519.ts";

const domain = "longear/1 direct";
const overhead = encSize + 16;

/** The longest text of a direct message, in bytes. */
export const maxDirectText = 3777;

/** The channel of all direct messages. */
export const directTag = sha256(inDomain("longear/1 channel direct")).slice(0, 16) as Uint8Array as Tag;

/** What the reader of a direct message finds in it. */
export interface Direct {
  readonly author: Author;
  readonly created: number;
  readonly kind: number;
  readonly parents: readonly Uint8Array[];
  /** The whole text, with the card behind it if there is one. */
  readonly text: PrivateText;
}

/** What is written to a reader. */
export interface Letter {
  readonly created?: number;
  readonly kind?: number;
  readonly parents?: readonly Uint8Array[];
  readonly text: Uint8Array;
}

/** The draft of the outer message and the seed, used this once, to write it with. */
export interface Sealed {
  readonly draft: Draft;
  readonly seed: Uint8Array;
}

/** Seals a letter by the author with this seed. Undefined if the text is too long, or nobody can own the reader's key. */
export function sealDirect(seed: Uint8Array, reader: Uint8Array, letter: Letter): Sealed | undefined {
  if (letter.text.length > maxDirectText) return undefined;
  const { text, ...rest } = letter;
  const content = encodeContent(contentFrom({ ...rest, body: text, channel: directTag }, seed));
  const inner = withSignature(content, sign(seed, innerSigned(reader, content)));
  const once = random(32);
  const plain = pad(inner, overhead);
  const body = plain && hpkeSeal(reader, plain, context(authorOf(once)));
  return body && { draft: { channel: directTag, kind: kinds.direct, body }, seed: once };
}

/** Seals a letter and signs what is around it, without a stamp. */
export function writeDirect(
  seed: Uint8Array,
  reader: Uint8Array,
  letter: Letter,
  outer: Pick<Draft, "created" | "lifetime"> = {},
): Uint8Array | undefined {
  const sealed = sealDirect(seed, reader, letter);
  return sealed && write({ ...sealed.draft, ...outer }, sealed.seed);
}

/** Tries to open a message with a reader's seal key. */
export function openDirect(key: KeyPair, m: Content): Direct | SealError {
  if (!equal(m.channel, directTag) || m.kind !== kinds.direct || !textSizes.includes(m.body.length)) return "other key";
  const plain = hpkeOpen(key, m.body, context(m.author));
  if (!plain) return "other key";
  const wire = unpad(plain);
  const inner = wire && decode(wire);
  if (!wire || !inner || isRefusal(inner) || !equal(inner.channel, directTag)) return "malformed";
  if (!verify(inner.author, innerSigned(key.public, contentOf(wire)), inner.signature)) return "malformed";
  const { author, created, kind, parents, body } = inner;
  return { author, created, kind, parents, text: asPrivate(body) };
}

/** Takes the card off the end of a text, if it is its author's: so the reader can answer. */
export function splitCard(d: Direct): { text: PrivateText; card?: string } {
  const feed = d.text.lastIndexOf(0x0a);
  const last = feed < 0 || d.text.length - feed - 1 !== cardLength ? undefined : fromUTF8(d.text.subarray(feed + 1));
  const card = last === undefined ? undefined : readCard(last);
  if (last === undefined || !card || !equal(card.author, d.author)) return { text: d.text };
  return { text: asPrivate(d.text.slice(0, feed)), card: last };
}

/** The reader's key in it keeps the reader from sealing the letter again to somebody else, as if it had been meant for them. */
function innerSigned(reader: Uint8Array, content: Uint8Array): Uint8Array {
  return inDomain(domain, concat(reader, content));
}

function context(outer: Author): { info: Uint8Array; aad: Uint8Array } {
  return { info: inDomain(domain), aad: outer };
}
