// What is done with bytes everywhere, and the types that keep one sort of 32 bytes from being taken for another.

declare const sort: unique symbol;

/** Bytes of one sort. The mark exists for the compiler alone. */
type Sort<Name extends string> = Uint8Array & { readonly [sort]: Name };

/** The 32 bytes that name a message. */
export type ID = Sort<"ID">;
/** An Ed25519 public key: a pseudonym. */
export type Author = Sort<"Author">;
/** The 16 bytes that stand for a channel. */
export type Tag = Sort<"Tag">;

/** Parts as one. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

/** Bytes in base 16. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

/** Whether both hold the same bytes. Not for secrets: it stops at the first difference. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((x, i) => x === b[i]);
}

/** The bytes of text in UTF-8. */
export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The text that bytes hold, or undefined if they are not UTF-8. A byte order mark is a character like others. */
export function fromUTF8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** A domain of SPEC.md section 1, ending in a zero byte, before what is hashed or signed for its purpose alone. */
export function inDomain(domain: string, ...parts: Uint8Array[]): Uint8Array {
  return concat(utf8(domain + "\0"), ...parts);
}

/** Random bytes. `crypto.getRandomValues` is there on plain http too, unlike `crypto.subtle`. */
export function random(n: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(n));
}
