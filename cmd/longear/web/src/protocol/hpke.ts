// HPKE (RFC 9180) as far as direct messages use it: base mode, one message for each key exchange, DHKEM(X25519,
// HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305.

import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { expand, extract } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concat, random, utf8 } from "./bytes.ts";
import { type KeyPair, publicKeyOf, sharedSecret } from "./x25519.ts";

/** What both ends know beside the keys. */
export interface Context {
  readonly info: Uint8Array;
  readonly aad: Uint8Array;
}

/** The key that travels with the ciphertext comes before it. */
export const encSize = 32;

const version = utf8("HPKE-v1");
const kemSuite = concat(utf8("KEM"), Uint8Array.of(0x00, 0x20));
const suite = concat(utf8("HPKE"), Uint8Array.of(0x00, 0x20, 0x00, 0x01, 0x00, 0x03));
const none = new Uint8Array(0);

/** Seals to a public key: enc, then the ciphertext. Undefined if the public key is one with which nothing can be shared. */
export function hpkeSeal(to: Uint8Array, plain: Uint8Array, context: Context): Uint8Array | undefined {
  const ephemeral = random(32);
  const enc = publicKeyOf(ephemeral);
  const shared = sharedSecret(ephemeral, to);
  return shared && concat(enc, cipher(shared, concat(enc, to), context).encrypt(plain));
}

/** Opens what was sealed to a key, or undefined. */
export function hpkeOpen(key: KeyPair, sealed: Uint8Array, context: Context): Uint8Array | undefined {
  const enc = sealed.subarray(0, encSize);
  const shared = sharedSecret(key.private, enc);
  if (!shared) return undefined;
  try {
    return cipher(shared, concat(enc, key.public), context).decrypt(sealed.subarray(encSize));
  } catch {
    return undefined;
  }
}

/** ExtractAndExpand of the KEM, then the key schedule of base mode; the first message's nonce is the base nonce itself. */
function cipher(dh: Uint8Array, kemContext: Uint8Array, { info, aad }: Context): ReturnType<typeof chacha20poly1305> {
  const eae = labeledExtract(kemSuite, none, "eae_prk", dh);
  const shared = labeledExpand(kemSuite, eae, "shared_secret", kemContext, 32);
  const context = concat(
    Uint8Array.of(0x00),
    labeledExtract(suite, none, "psk_id_hash", none),
    labeledExtract(suite, none, "info_hash", info),
  );
  const secret = labeledExtract(suite, shared, "secret", none);
  return chacha20poly1305(
    labeledExpand(suite, secret, "key", context, 32),
    labeledExpand(suite, secret, "base_nonce", context, 12),
    aad,
  );
}

function labeledExtract(id: Uint8Array, salt: Uint8Array, label: string, ikm: Uint8Array): Uint8Array {
  return extract(sha256, concat(version, id, utf8(label), ikm), salt);
}

function labeledExpand(id: Uint8Array, prk: Uint8Array, label: string, info: Uint8Array, n: number): Uint8Array {
  return expand(sha256, prk, concat(Uint8Array.of(n >> 8, n & 0xff), version, id, utf8(label), info), n);
}
