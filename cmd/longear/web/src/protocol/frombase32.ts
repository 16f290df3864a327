// The other way of base32.ts, in a module of its own: a page writes IDs from its first moment, and reads them when its person writes.

/** The n bytes that text stands for, or undefined if it does not. Either case is read; spare bits must be zero. */
export function fromBase32(text: string, n: number): Uint8Array | undefined {
  if (text.length !== Math.ceil((n * 8) / 5)) return undefined;
  const out = new Uint8Array(n);
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    const value = digit(text.charCodeAt(i));
    if (value < 0) return undefined;
    held = ((held << 5) | value) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      out[at++] = held >> bits;
    }
  }
  return (held & ((1 << bits) - 1)) === 0 ? out : undefined;
}

/** The value of a character, or -1. By code, since lower-casing would take the Kelvin sign for a k. */
function digit(code: number): number {
  if (code >= 0x61 && code <= 0x7a) return code - 0x61;
  if (code >= 0x41 && code <= 0x5a) return code - 0x41;
  return code >= 0x32 && code <= 0x37 ? code - 0x32 + 26 : -1;
}
