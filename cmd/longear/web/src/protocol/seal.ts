// Sealed bodies of channels with a key, SPEC.md section 7.

import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { type Author, concat, equal, inDomain, random } from "./bytes.ts";
import type { ChannelKey } from "./channelkey.ts";
import { type Content, kinds } from "./message.ts";
import { mediaSizes, pad, textSizes, unpad } from "./padding.ts";

declare const opened: unique symbol;

/** Text that was sealed. Only opening makes one, so that the text of an ordinary message is never shown as private. */
export type PrivateText = Uint8Array & { readonly [opened]: true };

/** Marks what an opening has brought out. Not for anything else. */
export function asPrivate(text: Uint8Array): PrivateText {
  return text as PrivateText;
}

/** Why something sealed did not open: by this key it cannot be told from damage; or it opened and is not in the form. */
export type SealError = "other key" | "malformed";

const nonceSize = 24;
const overhead = nonceSize + 16;

/** The body that seals text for a channel under an author, or undefined if the text is longer than 4,054 bytes. */
export function seal(
  key: ChannelKey,
  author: Author,
  text: Uint8Array,
  nonce: Uint8Array = random(nonceSize),
): Uint8Array | undefined {
  return sealPadded(key, author, pad(text, overhead), nonce);
}

/** The same for the body of a manifest or a chunk, at most maxSealedBytes. In a message of another kind it does not open. */
export function sealMedia(
  key: ChannelKey,
  author: Author,
  content: Uint8Array,
  nonce: Uint8Array = random(nonceSize),
): Uint8Array | undefined {
  return sealPadded(key, author, pad(content, overhead, mediaSizes), nonce);
}

/** The largest content that a sealed chunk or manifest has room for, in bytes. */
export const maxSealedBytes = 32_768 - overhead - 2;

function sealPadded(key: ChannelKey, author: Author, plain: Uint8Array | undefined, nonce: Uint8Array): Uint8Array | undefined {
  return plain && concat(nonce, xchacha20poly1305(key.sealkey, nonce, aad(key, author)).encrypt(plain));
}

/** Opens the body of a message of a channel. */
export function openSealed(key: ChannelKey, m: Content): PrivateText | SealError {
  const sizes = m.kind === kinds.manifest || m.kind === kinds.chunk ? mediaSizes : textSizes;
  if (!equal(key.tag, m.channel) || !sizes.includes(m.body.length)) return "other key";
  let plain: Uint8Array;
  try {
    const nonce = m.body.subarray(0, nonceSize);
    plain = xchacha20poly1305(key.sealkey, nonce, aad(key, m.author)).decrypt(m.body.subarray(nonceSize));
  } catch {
    return "other key";
  }
  const text = unpad(plain);
  return text ? asPrivate(text) : "malformed";
}

/** The author in it keeps others from posting the ciphertext again under their own key. */
function aad(key: ChannelKey, author: Author): Uint8Array {
  return inDomain("longear/1 channel seal", key.tag, author);
}
