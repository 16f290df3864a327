// A message of one's own: what its author wants to say, signed.

import type { Tag } from "./bytes.ts";
import { authorOf, sign } from "./ed25519.ts";
import { encodeContent, withSignature } from "./encode.ts";
import { signedBytes } from "./id.ts";
import { type Content } from "./message.ts";

/** What is to be said. A part that is left out has its default value. */
export interface Draft extends Partial<Omit<Content, "author">> {
  readonly channel: Tag;
}

/** The content that a draft becomes under an author's seed. */
export function contentFrom(draft: Draft, seed: Uint8Array): Content {
  return {
    author: authorOf(seed),
    channel: draft.channel,
    created: draft.created ?? 0,
    lifetime: draft.lifetime ?? 0,
    class: draft.class ?? 0,
    kind: draft.kind ?? 0,
    flags: draft.flags ?? 0,
    parents: draft.parents ?? [],
    body: draft.body ?? new Uint8Array(0),
    nonce: draft.nonce ?? 0n,
  };
}

/** Encodes and signs a draft. A draft outside the limits is a mistake of the program: RangeError. */
export function write(draft: Draft, seed: Uint8Array): Uint8Array {
  const content = encodeContent(contentFrom(draft, seed));
  return withSignature(content, sign(seed, signedBytes(content)));
}
