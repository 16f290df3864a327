// Cards, SPEC.md section 8: how to write to an author.

import { toBase32 } from "./base32.ts";
import { type Author, concat, inDomain } from "./bytes.ts";
import { authorOf, sign, verify } from "./ed25519.ts";
import { fromBase32 } from "./frombase32.ts";

/** An author and the X25519 key that opens what is written to them. */
export interface Card {
  readonly author: Author;
  readonly sealing: Uint8Array;
}

const prefix = "longear:";
const version = 1;
const size = 1 + 32 + 32 + 64;

/** The length of every card, in characters. */
export const cardLength = prefix.length + Math.ceil((size * 8) / 5);

/** The card of the author with this seed. */
export function writeCard(seed: Uint8Array, sealing: Uint8Array): string {
  const signature = sign(seed, signed(sealing));
  return prefix + toBase32(concat(Uint8Array.of(version), authorOf(seed), sealing, signature));
}

/** Reads a card, or undefined if it is none, is damaged, or is of a later version. */
export function readCard(text: string): Card | undefined {
  const head = text.slice(0, prefix.length);
  // Letter by letter, as toLowerCase takes other letters for these.
  if (text.length !== cardLength || !/^[lL][oO][nN][gG][eE][aA][rR]:$/.test(head)) return undefined;
  const bytes = fromBase32(text.slice(prefix.length), size);
  if (!bytes || bytes[0] !== version) return undefined;
  const author = bytes.slice(1, 33) as Uint8Array as Author;
  const sealing = bytes.slice(33, 65);
  return verify(author, signed(sealing), bytes.subarray(65)) ? { author, sealing } : undefined;
}

function signed(sealing: Uint8Array): Uint8Array {
  return inDomain("longear/1 card", sealing);
}
