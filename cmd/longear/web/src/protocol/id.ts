// The ID of a message: a hash of its content, without the signature, of which the author could make many.

import { sha256 } from "@noble/hashes/sha2.js";
import { type ID, inDomain } from "./bytes.ts";
import { contentOf } from "./message.ts";

/** Before what is signed and hashed as a message. */
export const messageDomain = "longear/1 message";

/** The bytes under a message's signature and ID. */
export function signedBytes(content: Uint8Array): Uint8Array {
  return inDomain(messageDomain, content);
}

/** The ID of an encoded message, which must have been decoded before: its last 66 bytes are taken for the signature. */
export function idOf(wire: Uint8Array): ID {
  return sha256(signedBytes(contentOf(wire))) as Uint8Array as ID;
}
