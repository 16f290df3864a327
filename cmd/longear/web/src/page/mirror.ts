// What there is to show, as the screens' side has it: deltas from the inside become snapshots, at most one a frame.

import type { Post, Room, Snapshot } from "./core.ts";
import type { Delta } from "./inside/delta.ts";

/** The screens' copy. */
export interface Mirror {
  readonly now: () => Snapshot;
  readonly subscribe: (changed: () => void) => () => void;
  readonly apply: (d: Delta) => void;
}

/** Before anything is known. */
const nothing: Snapshot = {
  ready: false,
  line: "connecting",
  looked: false,
  hub: undefined,
  keeping: "phone",
  posts: [],
  rooms: [],
  author: "",
  name: "",
  waiting: 0,
  carrying: 0,
  clockOff: 0,
  lies: 0,
  old: false,
  muted: [],
};

/** A mirror; soon calls back before the next frame. */
export function newMirror(soon: (f: () => void) => void): Mirror {
  let shown = nothing;
  let next: Snapshot | undefined; // what the next frame shows
  const byID = new Map<string, Post>();
  const subscribers = new Set<() => void>();
  return {
    now: () => shown,
    subscribe: (changed) => {
      subscribers.add(changed);
      return () => void subscribers.delete(changed);
    },
    apply: (d) => {
      const before = next ?? shown;
      const rooms: readonly Room[] = d.rooms ?? before.rooms;
      const posts = merge(before.posts, byID, d);
      if (!next) {
        soon(() => {
          shown = next ?? shown;
          next = undefined;
          for (const changed of [...subscribers]) changed();
        });
      }
      next = { ...d.head, rooms, posts };
    },
  };
}

/** Newest first; what is of one time by ID, so that the order never changes by itself. */
function order(a: Post, b: Post): number {
  return b.created - a.created || (a.id < b.id ? -1 : Number(a.id > b.id));
}

/** So many new posts are put in their places one by one. */
const few = 32;

function merge(before: readonly Post[], byID: Map<string, Post>, d: Delta): readonly Post[] {
  if (d.posts.length === 0 && d.gone.length === 0) return before;
  const out = before.slice();
  const gone = new Set<Post>();
  const fresh: Post[] = [];
  for (const id of d.gone) {
    const old = byID.get(id);
    if (old) gone.add(old);
    byID.delete(id);
  }
  for (const p of d.posts) {
    const old = byID.get(p.id);
    byID.set(p.id, p);
    const at = old && old.created === p.created ? placeOf(out, p) : -1;
    if (old && out[at] === old) out[at] = p;
    else {
      if (old) gone.add(old);
      fresh.push(p);
    }
  }
  const kept = gone.size > 0 ? out.filter((p) => !gone.has(p)) : out;
  if (fresh.length > few) return kept.concat(fresh).sort(order);
  for (const p of fresh) kept.splice(placeOf(kept, p), 0, p);
  return kept;
}

/** The first place whose post is not before p. */
function placeOf(posts: readonly Post[], p: Post): number {
  let from = 0;
  let to = posts.length;
  while (from < to) {
    const mid = (from + to) >> 1;
    if (order(posts[mid] as Post, p) < 0) from = mid + 1;
    else to = mid;
  }
  return from;
}
