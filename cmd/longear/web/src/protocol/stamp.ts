// Proof of work in an ID, SPEC.md section 9: what a stranger pays to be carried when room is scarce.

import { sha256 } from "@noble/hashes/sha2.js";
import { encodeContent, nonceField } from "./encode.ts";
import { signedBytes } from "./id.ts";
import { type Content } from "./message.ts";

/** The stamp of an ID: its leading zero bits. */
export function stampOf(id: Uint8Array): number {
  let bits = 0;
  for (const b of id) {
    if (b !== 0) return bits + Math.clz32(b) - 24;
    bits += 8;
  }
  return bits;
}

/**
 * Looks for the first nonce from `from` on with a stamp of so many bits, in at most `tries` tries. Undefined if there is none
 * among them: a page calls again with the next ones, so that it stays alive between.
 */
export function findNonce(content: Content, bits: number, from: bigint, tries: number): bigint | undefined {
  // The nonce is the last field, so what stands before it is hashed once.
  const before = sha256.create().update(signedBytes(encodeContent({ ...content, nonce: 0n })));
  const end = from + BigInt(tries);
  for (let nonce = from; nonce < end; nonce++) {
    const last = nonce === 0n ? new Uint8Array(0) : nonceField(nonce);
    if (stampOf(before.clone().update(last).digest()) >= bits) return nonce;
  }
  return undefined;
}
