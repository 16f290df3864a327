// The parts of the page that the first drawing can do without: they are fetched right behind it, because the hub may be out of reach
// soon, and until they are there they say so.

import { type FunctionComponent, type VNode, h } from "preact";
import { useEffect, useState } from "preact/hooks";
import { isOld, once, until } from "../again.ts";
import { fetchStyle } from "./look.ts";
import { useAround } from "./shared.tsx";
import css from "./later.css";

/** A part, once it is there. */
interface Part<T> {
  /** Fetches it, and its look. */
  readonly fetch: () => Promise<void>;
  of: T | undefined;
}

/** The look of all parts. Without it they can be used, so that none waits for more than the first try. */
const look = once(() => fetchStyle(css, "all"));
const looked = (): Promise<unknown> => look().catch(() => void until(look));

function part<T>(load: () => Promise<T>): Part<T> {
  const get = once(load);
  const p: Part<T> = {
    fetch: async () => {
      [p.of] = await Promise.all([get(), looked()]);
    },
    of: undefined,
  };
  return p;
}

/** The rest of the page. */
export const rest = part(() => import("./rest.ts"));
/** Sorts of messages that not every feed has. */
export const sorts = part(() => import("./sorts.ts"));

/** Nobody is told that something is still to come before it has had these ms to come. */
const soon = 3000;

/**
 * A component that is fetched. Until it and all words are there nothing is in its place, but for a word if that takes long; where the hub has
 * another page, state.tsx has that word.
 */
function later<T, P extends object>(from: Part<T>, component: (of: T) => FunctionComponent<P>, silent = false): FunctionComponent<P> {
  return function Later(props: P): VNode<P> | VNode | null {
    const [late, draw] = useState(0);
    const { words } = useAround();
    useEffect(() => {
      if (from.of !== undefined) return undefined;
      void until(from.fetch).then(() => draw((n) => n + 2));
      const timer = setTimeout(draw, soon, 1);
      return () => clearTimeout(timer);
    }, []);
    if (from.of !== undefined && words.whole) return h(component(from.of), props);
    return late & 1 && !silent && !isOld() ? <p class="m">{words.say("part_missing")}</p> : null;
  } as FunctionComponent<P>;
}

/** The bar to write with. */
export const Compose = later(rest, (r) => r.Compose);
/** What goes wrong. */
export const Warnings = later(rest, (r) => r.Warnings, true);
/** What can be done about an author. */
export const Menu = later(rest, (r) => r.Menu);
/** What is told aloud. */
export const News = later(rest, (r) => r.News, true);
/** Petitions and polls in the feed. */
export const Ballot = later(sorts, (s) => s.Ballot);
/** How far an own message has come. */
export const Way = later(sorts, (s) => s.Way, true);
/** The reader's own answer. */
export const Own = later(sorts, (s) => s.Own, true);
/** Photos and files. */
export const Photo = later(sorts, (s) => s.Photo);
/** The reader's own screen. */
export const You = later(rest, (r) => r.You);
