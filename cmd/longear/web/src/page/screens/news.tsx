// What is told aloud to those who listen instead of look: that messages came, a few seconds' worth at a time.

import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Post, Snapshot } from "../core.ts";
import { useAround } from "./shared.tsx";
import type { Words } from "./words.ts";

/** The time over which arrivals are gathered, in ms. */
const gather = 5000;

/** What was heard of by the last look. */
export interface Known {
  readonly ids: ReadonlySet<string>;
  readonly muted: ReadonlySet<string>; // authors
}

/** What came since then, in words; "" nothing. Own messages are no news, nor those of who is heard again. */
export function newsOf(posts: readonly Post[], { ids, muted }: Known, words: Words): string {
  const fresh = posts.filter((p) => !ids.has(p.id) && !p.mine && !muted.has(p.author));
  if (fresh.length === 0) return "";
  return words.count("new", fresh.length) + (fresh.some((p) => p.alert) ? `. ${words.say("new_alert")}` : "");
}

/** The live region. What the page begins with is no news. */
export function News({ now }: { readonly now: Snapshot }): VNode {
  const { words } = useAround();
  const [text, set] = useState("");
  const known = useRef<Known | undefined>(undefined);
  const latest = useRef({ now, words });
  latest.current = { now, words };
  useEffect(() => {
    const look = (): void => {
      const { now: { posts, ready, muted }, words: w } = latest.current;
      if (!ready) return;
      if (known.current !== undefined) set(newsOf(posts, known.current, w));
      known.current = { ids: new Set(posts.map((p) => p.id)), muted: new Set(muted.map((p) => p.author)) };
    };
    look();
    const timer = setInterval(look, gather);
    return () => clearInterval(timer);
  }, []);
  return <div class="vh" aria-live="polite">{text}</div>;
}
