// RFC 4648 base32 in lower case, without padding, which can be read aloud and copied by hand.

const alphabet = "abcdefghijklmnopqrstuvwxyz234567";

/** Bytes as text. */
export function toBase32(bytes: Uint8Array): string {
  let out = "";
  let bits = 0;
  let held = 0;
  for (const b of bytes) {
    held = ((held << 8) | b) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) out += alphabet.charAt((held >> (bits - 5)) & 31);
  }
  return bits > 0 ? out + alphabet.charAt((held << (5 - bits)) & 31) : out;
}
