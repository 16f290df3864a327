// What is told aloud to those who listen instead of look: that messages came, a few seconds' worth at a time.

import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Post, Snapshot } from "../core.ts";
import { useAround } from "./shared.tsx";
import type { Words } from "./words.ts";

/** The time over which arrivals are gathered, in ms. */
const gather = 5000;

/** What came since some messages were known, in words; "" nothing. Own messages are no news. */
export function newsOf(posts: readonly Post[], known: ReadonlySet<string>, words: Words): string {
  const fresh = posts.filter((p) => !known.has(p.id) && !p.mine);
  if (fresh.length === 0) return "";
  return words.count("new", fresh.length) + (fresh.some((p) => p.alert) ? `. ${words.say("new_alert")}` : "");
}

/** The live region. What the page begins with is no news. */
export function News({ now }: { readonly now: Snapshot }): VNode {
  const { words } = useAround();
  const [text, set] = useState("");
  const known = useRef<ReadonlySet<string> | undefined>(undefined);
  const latest = useRef({ now, words });
  latest.current = { now, words };
  useEffect(() => {
    const look = (): void => {
      const { now: { posts, ready }, words: w } = latest.current;
      if (!ready) return;
      if (known.current !== undefined) set(newsOf(posts, known.current, w));
      known.current = new Set(posts.map((p) => p.id));
    };
    look();
    const timer = setInterval(look, gather);
    return () => clearInterval(timer);
  }, []);
  return <div class="vh" aria-live="polite">{text}</div>;
}
