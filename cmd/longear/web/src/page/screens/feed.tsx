// The messages of a channel, newest first. What arrives while somebody reads waits behind a button, so that the text under their
// eyes stays where it is.

import type { VNode } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Post } from "../core.ts";
import { cleanName, likeness } from "./clean.ts";
import { Message, elementOf } from "./post.tsx";
import { useAround } from "./shared.tsx";

/** How many messages are shown at first, and how many more each time somebody asks for older ones. */
export const pageful = 50;

/** How messages are shown: those that are, and those that wait. */
export interface Arranged {
  readonly shown: readonly Post[];
  readonly held: readonly Post[];
}

/**
 * Messages that were shown stay; what comes behind the last of them, and what the reader wrote, pushes nothing away. All else waits,
 * unless the reader follows: then nothing does.
 */
export function arrange(posts: readonly Post[], known: ReadonlySet<string>, follow: boolean): Arranged {
  if (follow || known.size === 0) return { shown: posts, held: [] };
  let last = -1;
  posts.forEach((p, i) => {
    if (known.has(p.id)) last = i;
  });
  const stays = (p: Post, i: number): boolean => known.has(p.id) || p.mine || i > last;
  return { shown: posts.filter(stays), held: posts.filter((p, i) => !stays(p, i)) };
}

/** The authors whose name looks like another author's. */
export function twins(posts: readonly Post[]): ReadonlySet<string> {
  const authors = new Map<string, Set<string>>();
  for (const p of posts) {
    if (p.name === "") continue;
    const like = alike(p.name);
    if (like === "") continue;
    const same = authors.get(like);
    if (same === undefined) authors.set(like, new Set([p.author]));
    else same.add(p.author);
  }
  return new Set([...authors.values()].filter((same) => same.size > 1).flatMap((same) => [...same]));
}

/** Likenesses by name: the same few names come again with each change. It is emptied before strangers' names could fill it. */
const likenesses = new Map<string, string>();
function alike(name: string): string {
  let like = likenesses.get(name);
  if (like === undefined) {
    if (likenesses.size > 2000) likenesses.clear();
    likenesses.set(name, (like = likeness(cleanName(name))));
  }
  return like;
}

/** Where a reader wants to go: to a message, told apart by a number from being led there again. */
export interface Goal {
  readonly id: string;
  readonly n: number;
}

interface Shown {
  readonly posts: readonly Post[]; // those of the tab
  readonly all: readonly Post[]; // every one that this phone has
  readonly everywhere: boolean; // posts are of several channels
  readonly ready: boolean;
  readonly follow: () => boolean; // whether the page is still filling, and nobody reads yet
  readonly goal: Goal | undefined;
}

/** What is shown of a tab, and how to see more of it. */
function useShown({ posts, follow, goal }: Shown): Arranged & { readonly limit: number; readonly accept: () => void; readonly older: () => void } {
  const [limit, setLimit] = useState(pageful);
  const [, again] = useState(0);
  const known = useRef<ReadonlySet<string>>(new Set());
  const first = useRef<string | undefined>(undefined); // to be focused once it is there
  const { shown, held } = useMemo(() => arrange(posts, known.current, follow()), [posts, known.current]);
  known.current = useMemo(() => (shown.length === known.current.size ? known.current : new Set(shown.map((p) => p.id))), [shown]);
  const everything = (focus: string | undefined): void => {
    known.current = new Set();
    first.current = focus;
    again((n) => n + 1);
  };
  useEffect(() => {
    const at = goal === undefined ? -1 : posts.findIndex((p) => p.id === goal.id);
    if (goal === undefined || at < 0) return;
    first.current = goal.id;
    if (!known.current.has(goal.id)) everything(goal.id);
    setLimit((n) => Math.max(n, at + 1));
    again((n) => n + 1);
  }, [goal]);
  useEffect(() => {
    const target = first.current === undefined ? null : document.getElementById(elementOf(first.current));
    if (target === null) return;
    first.current = undefined;
    target.focus({ preventScroll: true });
    target.scrollIntoView({ block: "nearest" });
  });
  return {
    shown,
    held,
    limit,
    accept: () => {
      everything(held[0]?.id);
      scrollTo(0, 0);
    },
    older: () => {
      first.current = shown[limit]?.id;
      setLimit(limit + pageful);
    },
  };
}

/** The feed of one tab. */
export function Feed(tab: Shown): VNode {
  const { all, everywhere, ready } = tab;
  const { words } = useAround();
  const { shown, held, limit, accept, older } = useShown(tab);
  const byID = useMemo(() => new Map(all.map((p) => [p.id, p])), [all]);
  const shared = useMemo(() => twins(all), [all]);

  return (
    <>
      <div class="fresh">
        {held.length > 0 && (
          <button type="button" class="first" onClick={accept}>
            {words.count("new", held.length)}
          </button>
        )}
      </div>
      {shown.length === 0 && <p class="empty m">{words.say(ready ? "empty_channel" : "reading")}</p>}
      {shown.slice(0, limit).map((post) => (
        <Message
          key={post.id}
          post={post}
          parent={post.parents[0] === undefined ? undefined : byID.get(post.parents[0])}
          twin={shared.has(post.author)}
          everywhere={everywhere}
        />
      ))}
      {shown.length > limit && (
        <p class="more">
          <button type="button" class="choice" onClick={older}>
            {words.say("older")}
          </button>
        </p>
      )}
    </>
  );
}
