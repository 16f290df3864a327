// X25519 (RFC 7748) on the library's Montgomery ladder alone. Its ready-made x25519 would bring the whole of its Ed25519
// into the bundle a second time, for a faster public key.

import { montgomery } from "@noble/curves/abstract/montgomery.js";

const p = 2n ** 255n - 19n;

function power(base: bigint, exponent: bigint): bigint {
  let out = 1n;
  for (let e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) out = (out * base) % p;
    base = (base * base) % p;
  }
  return out;
}

const curve = montgomery({
  P: p,
  type: "x25519",
  powPminus2: (x) => power(x, p - 2n),
  adjustScalarBytes: (bytes: Uint8Array) => {
    const clamped = Uint8Array.from(bytes);
    const [first = 0, last = 0] = [bytes[0], bytes[31]];
    clamped[0] = first & 248;
    clamped[31] = (last & 127) | 64;
    return clamped;
  },
});

/** A private key and its public one, which takes as long to make as a secret to share, and is needed for each. */
export interface KeyPair {
  readonly private: Uint8Array;
  readonly public: Uint8Array;
}

/** The pair of a 32-byte private key. */
export function keyPair(privateKey: Uint8Array): KeyPair {
  return { private: privateKey, public: publicKeyOf(privateKey) };
}

/** The public key of a 32-byte private key. */
export function publicKeyOf(privateKey: Uint8Array): Uint8Array {
  return curve.getPublicKey(privateKey);
}

/** The shared secret, or undefined if it is all zeros, as with a public key of small order. */
export function sharedSecret(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
  try {
    return curve.getSharedSecret(privateKey, publicKey);
  } catch {
    return undefined;
  }
}
