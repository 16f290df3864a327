// Tells the screens' side what changed, some times a second at most and in portions: what is newest first.

import type { Keeping } from "../core.ts";
import type { Delta } from "./delta.ts";
import type { Memory } from "./memory.ts";
import type { Stock } from "./stock.ts";
import type { Trade } from "./trade.ts";

/** What there is to tell of. */
export interface Source {
  readonly stock: Stock;
  readonly trade: Trade;
  readonly memory: Memory;
  readonly keeping: Keeping;
}

/** Tells what changed. */
export interface Teller {
  readonly show: (source: () => Source) => void;
  readonly changed: () => void;
  /** What was kept has been read. */
  readonly ready: () => void;
  /** Everything is gone. */
  readonly nothing: () => void;
}

/** Between two deltas, in ms: a frame. */
const frame = 16;
/** Posts in the first delta, and in each that follows: what copies between threads in a few ms. */
const firstPortion = 100;
const portion = 1000;

/** A teller with nothing to tell yet. */
export function newTeller(tell: (d: Delta) => void): Teller {
  let source: (() => Source) | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ready = false;
  let size = firstPortion;
  const shown = new Set<string>();
  const flush = (): void => {
    timer = undefined;
    if (!source) return;
    const { posts, gone, rooms, more } = source().stock.view.takeChanges(size);
    if (ready) size = portion;
    for (const p of posts) shown.add(p.id);
    for (const id of gone) shown.delete(id);
    tell({ head: head(source(), ready), posts, gone, rooms });
    if (more) changed();
  };
  const changed = (): void => {
    timer ??= setTimeout(flush, frame);
  };
  return {
    show: (of) => {
      source = of;
      changed();
    },
    changed,
    ready: () => {
      ready = true;
      changed();
    },
    nothing: () => {
      clearTimeout(timer);
      timer = undefined;
      const last = source?.();
      source = undefined;
      size = firstPortion;
      const gone = [...shown];
      shown.clear();
      if (!last) return;
      const empty = { author: "", name: "", waiting: 0, carrying: 0, line: "away" as const, muted: [] };
      tell({ head: { ...head(last, true), ...empty }, posts: [], gone, rooms: [] });
    },
  };
}

function head({ stock, trade, memory, keeping }: Source, ready: boolean): Delta["head"] {
  const { texts, media } = stock.holdings.counts();
  const muted = [...memory.muted].map((author) => ({ author, name: stock.view.calls(author) }));
  return { ready, keeping, author: memory.author(), name: memory.name(), carrying: texts + media, muted, ...trade.head() };
}
