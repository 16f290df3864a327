// What the secret of a channel gives, SPEC.md section 6: its tag, by which nodes carry it, and the key of its bodies.

import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { type Tag, utf8 } from "./bytes.ts";

/** What a channel's secret gives. */
export interface ChannelKey {
  readonly tag: Tag;
  readonly sealkey: Uint8Array;
}

/** Tag and seal key of a private channel, by its 32 secret bytes. */
export function channelKey(secret: Uint8Array): ChannelKey {
  return {
    tag: hkdf(sha256, secret, undefined, utf8("longear/1 channel tag"), 16) as Uint8Array as Tag,
    sealkey: hkdf(sha256, secret, undefined, utf8("longear/1 channel seal"), 32),
  };
}
