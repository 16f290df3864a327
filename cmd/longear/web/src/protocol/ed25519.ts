// Ed25519 with the one rule of SPEC.md section 4: signing by RFC 8032, verifying by ZIP-215. The library's own default is
// that rule, its `zip215: false` is not; testdata/vectors/ed25519.json has the signatures on which they part.

import * as ed from "@noble/ed25519";
import { sha512 } from "@noble/hashes/sha2.js";
import type { Author } from "./bytes.ts";

// The library would ask crypto.subtle, which a page on plain http does not have.
ed.hashes.sha512 = sha512;

const zip215 = { zip215: true } as const;

/** The public key of a 32-byte seed. */
export function authorOf(seed: Uint8Array): Author {
  return ed.getPublicKey(seed) as Uint8Array as Author;
}

/** The 64-byte signature over bytes, which begin with a domain. */
export function sign(seed: Uint8Array, bytes: Uint8Array): Uint8Array {
  return ed.sign(bytes, seed);
}

/** Whether a signature over bytes is the author's. */
export function verify(author: Author, bytes: Uint8Array, signature: Uint8Array): boolean {
  return ed.verify(signature, bytes, author, zip215);
}
