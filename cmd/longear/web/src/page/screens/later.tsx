// The parts of the page that the first drawing can do without: they are fetched right behind it, because the hub may be out of reach
// soon, and until they are there they say so.

import { type FunctionComponent, type VNode, h } from "preact";
import { useEffect, useState } from "preact/hooks";
import { againAfter, once } from "../again.ts";
import { fetchStyle } from "./look.ts";
import { useAround } from "./shared.tsx";
import css from "./later.css";

/** A part, once it is there. */
interface Part<T> {
  /** Fetches it, and its look. */
  readonly fetch: () => Promise<void>;
  of: T | undefined;
}

/** The look of all parts. */
const look = once(() => fetchStyle(css, "all"));

function part<T>(load: () => Promise<T>): Part<T> {
  const get = once(load);
  const p: Part<T> = {
    fetch: async () => {
      [p.of] = await Promise.all([get(), look()]);
    },
    of: undefined,
  };
  return p;
}

/** The rest of the page. */
export const rest = part(() => import("./rest.ts"));
/** Sorts of messages that not every feed has. */
export const sorts = part(() => import("./sorts.ts"));

/** A component that is fetched. Until it is there nothing is in its place, but for a word if it could not be had. */
function later<T, P extends object>(from: Part<T>, component: (of: T) => FunctionComponent<P>, silent = false): FunctionComponent<P> {
  return function Later(props: P): VNode<P> | VNode | null {
    const [failing, failed] = useState(false);
    const [, drawn] = useState(false);
    const { words } = useAround();
    useEffect(() => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const again = (): void => {
        failed(true);
        timer = setTimeout(fetch, againAfter);
      };
      const fetch = (): void => void from.fetch().then(() => {
          drawn(true);
          timer = setTimeout(failed, againAfter, true); // for want of words
        }, again);
      if (from.of === undefined) fetch();
      return () => clearTimeout(timer);
    }, []);
    if (from.of !== undefined && words.whole) return h(component(from.of), props);
    return failing && !silent ? <p class="m">{words.say("part_missing")}</p> : null;
  } as FunctionComponent<P>;
}

/** The bar to write with. */
export const Compose = later(rest, (r) => r.Compose);
/** What is told aloud. */
export const News = later(rest, (r) => r.News, true);
/** Petitions and polls in the feed. */
export const Ballot = later(sorts, (s) => s.Ballot);
/** Photos and files. */
export const Photo = later(sorts, (s) => s.Photo);
/** The reader's own screen. */
export const You = later(rest, (r) => r.You);
