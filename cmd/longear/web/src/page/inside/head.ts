// What is known of a message without its body: enough to index it, to compare it with a hub's, and to say when it dies.

import { toBase32 } from "../../protocol/base32.ts";
import { idOf } from "../../protocol/id.ts";
import { defaultLifetime } from "../../protocol/limits.ts";
import type { Message } from "../../protocol/message.ts";
import { type Key, keyOf } from "../../protocol/reconcile/key.ts";
import type { Delivery } from "../core.ts";

/** The flag of a message that only passes over local links. */
export const localOnly = 1;

/** A message without its body. IDs, authors and tags are base32. */
export interface Head {
  readonly id: string;
  readonly key: Key; // as reconciliation orders it: rank, created, ID
  readonly kind: number;
  readonly author: string;
  readonly tag: string;
  readonly parents: readonly string[];
  readonly created: number;
  readonly lifetime: number; // ms
  readonly local: boolean; // LOCAL_ONLY
  readonly size: number; // of the encoding
}

/** Since when this phone holds something, and what became of it if it is its own. */
export interface Since {
  readonly born: number; // running time at which it was first posted, as far as it is told: now - born is its age
  readonly at: number; // time of day at which it came here
  readonly since: number; // running time at which it first came here; NaN of what an older page kept
  readonly delivery?: Delivery | undefined; // of own ones only
}

/** A message that this phone holds. */
export interface Held extends Head, Since {}

/** A message with its bytes, as it is kept. */
export interface Kept extends Since {
  readonly id: string;
  readonly wire: Uint8Array;
}

/** The head of a message, which must have been decoded from wire. */
export function headOf(m: Message, wire: Uint8Array): Head {
  const id = idOf(wire);
  return {
    id: toBase32(id),
    key: keyOf(m, id),
    kind: m.kind,
    author: toBase32(m.author),
    tag: toBase32(m.channel),
    parents: m.parents.map(toBase32),
    created: m.created,
    lifetime: (m.lifetime || defaultLifetime) * 1000,
    local: (m.flags & localOnly) !== 0,
    size: wire.length,
  };
}

/** 0 alert, 1 text, 2 media. */
export function rankOf(h: { readonly key: Key }): number {
  return Number(h.key[0]);
}

/** Whether it is part of a photo or file. */
export function isMedia(h: { readonly key: Key }): boolean {
  return rankOf(h) === 2;
}
