// Sealed bodies and direct messages come in few sizes, so that a length says little about what is inside.

import { concat } from "./bytes.ts";

/** The five sizes of texts. */
export const textSizes: readonly number[] = [256, 512, 1024, 2048, 4096];
/** The sizes of manifests and chunks of photos. */
export const mediaSizes: readonly number[] = [...textSizes, 8192, 16_384, 32_768];

/**
 * A plaintext with its length before it (2 bytes, the high one first) and zeros behind it, as long as the smallest size holds
 * beside the overhead of the seal. Undefined if it is too long for the largest.
 */
export function pad(text: Uint8Array, overhead: number, sizes: readonly number[] = textSizes): Uint8Array | undefined {
  const size = sizes.find((s) => s - overhead - 2 >= text.length);
  if (size === undefined) return undefined;
  const length = Uint8Array.of(text.length >> 8, text.length & 0xff);
  return concat(length, text, new Uint8Array(size - overhead - 2 - text.length));
}

/** What was padded, or undefined if its length exceeds the plaintext or what follows it is not zero. */
export function unpad(plain: Uint8Array): Uint8Array | undefined {
  const length = ((plain[0] ?? 0) << 8) | (plain[1] ?? 0);
  const end = 2 + length;
  if (end > plain.length || plain.subarray(end).some((b) => b !== 0)) return undefined;
  return plain.slice(2, end);
}
