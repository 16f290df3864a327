// Unsigned integers in base 128, in their one shortest form, and the place in a buffer where a decoder stands.

/** Where a decoder stands in bytes from outside. */
export interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
}

/** The largest value that is told apart from larger ones: what is above it reads as it. Every limit is far below. */
export const hugeUvarint = 2 ** 53;

/**
 * Reads a uvarint and steps over it. Undefined, with the cursor anywhere, if the bytes end, are not the shortest form or
 * mean 2^64 or more.
 */
export function readUvarint(c: Cursor): number | undefined {
  let value = 0;
  for (let i = 0; i < 10; i++) {
    const b = c.bytes[c.at++];
    if (b === undefined) return undefined;
    // Of the tenth byte only the lowest bit lies below 2^64.
    if (i === 9 && b > 1) return undefined;
    value += (b & 0x7f) * 2 ** (7 * i);
    if (b < 0x80) return b === 0 && i > 0 ? undefined : Math.min(value, hugeUvarint);
  }
  return undefined;
}

/** The shortest form of an integer of at most 2^53. */
export function uvarint(value: number): number[] {
  const out: number[] = [];
  while (value >= 0x80) {
    out.push((value % 0x80) | 0x80);
    value = Math.floor(value / 0x80);
  }
  out.push(value);
  return out;
}

/** The next n bytes, copied, or undefined if there are fewer. */
export function take(c: Cursor, n: number): Uint8Array | undefined {
  if (n > c.bytes.length - c.at) return undefined;
  c.at += n;
  return c.bytes.slice(c.at - n, c.at);
}
