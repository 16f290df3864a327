// What this phone holds, by its heads: the bounds, who is given up for whom, who dies when, and who is dead.

import type { Grave } from "./early.ts";
import { type Held, isMedia, rankOf } from "./head.ts";

/** How much is held at most. */
export interface Bounds {
  readonly messages: number; // texts and alerts
  readonly textBytes: number;
  readonly mediaBytes: number;
}

/** The bounds of a phone: a store that any phone grants, and a set that is compared in a tenth of a second. */
export const phoneBounds: Bounds = { messages: 10_000, textBytes: 16 << 20, mediaBytes: 24 << 20 };

/** How many of the dead are remembered, and how long (SPEC.md section 10), in ms of running time. */
const mostDead = 20_000;
const deadFor = 28 * 86_400_000;

/** The index of what is held. */
export interface Holdings {
  readonly get: (id: string) => Held | undefined;
  readonly all: () => Iterable<Held>;
  readonly counts: () => { readonly texts: number; readonly media: number; readonly textBytes: number; readonly mediaBytes: number };
  readonly add: (h: Held) => void;
  readonly remove: (id: string) => Held | undefined;
  /** What is to be given up so that the bounds are kept: some more than is needed, so that this is seldom. */
  readonly excess: () => Held[];
  /** The oldest that would be given up if the phone has less room than the bounds: media, then texts. */
  readonly oldest: (n: number) => Held[];
  readonly expired: (now: number) => Held[];
  readonly bury: (dead: readonly (readonly [key: string, grave: Grave])[]) => void;
  /** Forgets the dead that need not be remembered any more, and returns them. */
  readonly exhume: (now: number) => string[];
  /** The dead by their keys, without what is held again. */
  readonly dead: ReadonlyMap<string, Grave>;
}

interface State {
  readonly held: Map<string, Held>;
  readonly dead: Map<string, Grave>;
  texts: number;
  textBytes: number;
  media: number;
  mediaBytes: number;
}

/** Nothing held. */
export function newHoldings(bounds: Bounds = phoneBounds): Holdings {
  const s: State = { held: new Map(), dead: new Map(), texts: 0, textBytes: 0, media: 0, mediaBytes: 0 };
  return {
    get: (id) => s.held.get(id),
    all: () => s.held.values(),
    counts: () => s,
    add: (h) => {
      count(s, s.held.get(h.id), -1);
      s.held.set(h.id, h);
      count(s, h, 1);
      s.dead.delete(h.key);
    },
    remove: (id) => {
      const h = s.held.get(id);
      s.held.delete(id);
      count(s, h, -1);
      return h;
    },
    excess: () => [
      ...(s.mediaBytes > bounds.mediaBytes ? surplus(s, true, 0, bounds.mediaBytes * 0.9) : []),
      ...(s.texts > bounds.messages || s.textBytes > bounds.textBytes
        ? surplus(s, false, bounds.messages * 0.98, bounds.textBytes * 0.98)
        : []),
    ],
    oldest: (n) => [...lastFirst(s, true), ...lastFirst(s, false)].slice(0, n),
    expired: (now) => [...s.held.values()].filter((h) => now - h.born >= h.lifetime),
    bury: (dead) => dead.forEach(([key, grave]) => s.dead.set(key, grave)),
    exhume: (now) => {
      const gone: string[] = [];
      for (const [key, { at }] of s.dead) {
        if (s.dead.size - gone.length > mostDead || !(now - at < deadFor)) gone.push(key); // the order is that of their death
      }
      gone.forEach((k) => s.dead.delete(k));
      return gone;
    },
    dead: s.dead,
  };
}

function count(s: State, h: Held | undefined, by: number): void {
  if (!h) return;
  if (isMedia(h)) {
    s.media += by;
    s.mediaBytes += by * h.size;
  } else {
    s.texts += by;
    s.textBytes += by * h.size;
  }
}

/** Held ones in the order in which they are given up: own ones last, alerts after texts, the oldest here first. */
function lastFirst(s: State, media: boolean): Held[] {
  const worth = (h: Held): number => (h.delivery ? 2 : 0) + (rankOf(h) === 0 ? 1 : 0);
  return [...s.held.values()].filter((h) => isMedia(h) === media).sort((a, b) => worth(a) - worth(b) || shownAt(a) - shownAt(b));
}

function surplus(s: State, media: boolean, messages: number, bytes: number): Held[] {
  const out: Held[] = [];
  let n = media ? s.media : s.texts;
  let size = media ? s.mediaBytes : s.textBytes;
  for (const h of lastFirst(s, media)) {
    if (size <= bytes && (media || n <= messages)) break;
    out.push(h);
    n--;
    size -= h.size;
  }
  return out;
}

/** Before 2020 nobody wrote here: the author's clock was not set. */
const sinceEver = 1_577_836_800_000;

/** When a message was written, as far as can be said: by its author's clock, but not later than it came here. */
export function shownAt(h: Held): number {
  return h.created < sinceEver ? h.at : Math.min(h.created, h.at);
}
