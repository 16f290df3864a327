// Public channels, SPEC.md section 6: the names that people type, and their tags.

import { sha256 } from "@noble/hashes/sha2.js";
import { type Tag, fromUTF8, inDomain, utf8 } from "./bytes.ts";
import { maxName } from "./limits.ts";

/** The longest name that is looked at, in bytes. */
const maxTyped = 256;

/** A name in the one form in which names are compared, or undefined if it is none. Bytes are taken as UTF-8. */
export function canonicalName(typed: string | Uint8Array): string | undefined {
  if (typed.length > maxTyped) return undefined;
  const text = typeof typed === "string" ? typed : fromUTF8(typed);
  if (text === undefined || /\p{Surrogate}/u.test(text) || utf8(text).length > maxTyped) return undefined;
  const composed = text.replace(/^#/, "").normalize("NFC");
  const name = Array.from(composed, lowered).join("").normalize("NFC");
  const size = utf8(name).length;
  return size >= 1 && size <= maxName && /^[\p{L}\p{M}\p{N}_-]+$/u.test(name) ? name : undefined;
}

/**
 * The simple lower-case mapping of one character. JavaScript has only the full one, which asks for the neighbours of a
 * final sigma (there are none here) and makes two characters of one alone.
 */
function lowered(c: string): string {
  return c === "\u0130" ? "i" : c.toLowerCase();
}

/** The tag of a public channel by its canonical name. */
export function publicTag(name: string): Tag {
  return sha256(inDomain("longear/1 channel public", utf8(name))).slice(0, 16) as Uint8Array as Tag;
}
