// The secret of an open-secret channel, SPEC.md section 6. Kept in a module of its own, to be loaded when somebody joins
// one: Argon2id takes 64 MiB and, on a slow phone, many seconds.

import { argon2idAsync } from "@noble/hashes/argon2.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { inDomain, utf8 } from "./bytes.ts";

const maxPassphrase = 1024;

/** The bytes of a passphrase that are hashed, or undefined if it is none. Its length is that of what was typed. */
function canonicalPassphrase(typed: string): Uint8Array | undefined {
  if (typed === "" || typed.length > maxPassphrase || /\p{Surrogate}/u.test(typed)) return undefined;
  return utf8(typed).length <= maxPassphrase ? utf8(typed.normalize("NFC")) : undefined;
}

/**
 * The 32 secret bytes of a channel by its canonical name and passphrase, or undefined if it is no passphrase. It gives way
 * to others every few ms and says how far it is, from 0 to 1.
 */
export async function passphraseSecret(
  name: string,
  passphrase: string,
  progress?: (part: number) => void,
): Promise<Uint8Array | undefined> {
  const text = canonicalPassphrase(passphrase);
  if (text === undefined) return undefined;
  const salt = sha256(inDomain("longear/1 channel passphrase", utf8(name))).slice(0, 16);
  const cost = { t: 3, m: 65_536, p: 1, version: 0x13, dkLen: 32, asyncTick: 10 };
  return argon2idAsync(text, salt, progress ? { ...cost, onProgress: progress } : cost);
}

/** Whether a passphrase is too weak to make a channel with. Joining one takes any. */
export function isWeakPassphrase(passphrase: string): boolean {
  const words = new Set(passphrase.match(/[\p{L}\p{M}\p{N}]+/gu) ?? []);
  return words.size < 4 || Array.from(passphrase).length < 16;
}
