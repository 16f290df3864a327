// What every screen has at hand: the inside, the words, and a few habits of components.

import { type Component, type FunctionComponent, type VNode, createContext, h } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import { type Core, Failure, type Person, type Post, type Snapshot } from "../core.ts";
import { cleanLine, cleanName } from "./clean.ts";
import { Glyph, shownOfKey } from "./glyph.tsx";
import type { Words } from "./words.ts";

/** What screens ask of the page around them. The functions stay the same ones for the page's life. */
export interface Around {
  readonly core: Core;
  readonly words: Words;
  /** Tells the person something in words, until they go on. */
  readonly tell: (text: string) => void;
  /** Tells why something failed. */
  readonly failed: (why: unknown) => void;
  readonly reply: (to: Post) => void;
  /** Leads to a message. */
  readonly lead: (id: string) => void;
}

const AroundContext = createContext<Around | undefined>(undefined);
/** Gives the screens beneath what they have at hand. */
export const Surround = AroundContext.Provider;

/** What is at hand. */
export function useAround(): Around {
  const around = useContext(AroundContext);
  if (around === undefined) throw new Error("a screen outside of the page");
  return around;
}

/** The words of a failure. Only the inside's own failures name a key of the catalogue, and "failed" speaks of the hub. */
export function wordOf(why: unknown, words: Words): string {
  return why instanceof Failure && why.say !== "failed" ? words.word(why.say) : words.say("wrong");
}

/** What there is to show, always the latest. */
export function useSnapshot(core: Core): Snapshot {
  const [snapshot, set] = useState(core.now());
  useEffect(() => {
    const changed = (): void => set(core.now());
    changed(); // it may have changed between the first drawing and now
    return core.subscribe(changed);
  }, [core]);
  return snapshot;
}

/** Draws again every so many ms, for what says how long ago something was. */
export function useTick(ms: number): void {
  const [, set] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => set((n) => n + 1), ms);
    return () => clearInterval(timer);
  }, [ms]);
}

/** A component that is drawn again only when one of its properties is another one: a feed changes at one place at a time. */
export function kept<P extends object>(component: FunctionComponent<P>): FunctionComponent<P> {
  return function Kept(this: Component<P>, props: P): VNode<P> {
    this.shouldComponentUpdate = (next: Readonly<P>) => Object.keys(next).some((name) => next[name as keyof P] !== this.props[name as keyof P]);
    return h(component, props);
  } as FunctionComponent<P>;
}

/** How long ago, kept up to date. */
export function Age({ at }: { readonly at: number }): VNode {
  useTick(30_000);
  const { words } = useAround();
  return <time dateTime={new Date(at).toISOString()}>{words.ago(Date.now() - at)}</time>;
}

/** Who wrote something: the key's picture, the name if there is one, and the key's beginning, which alone tells two apart. */
export function Who({ of, mine = false }: { readonly of: Person; readonly mine?: boolean }): VNode {
  const { words } = useAround();
  const name = cleanName(of.name);
  return (
    <span class="who">
      {name !== "" && (
        <bdi class="name" dir="auto">
          {name}
        </bdi>
      )}
      <code dir="ltr">{of.author.slice(0, shownOfKey)}</code>
      {mine && <span class="tag">{words.say("mine")}</span>}
    </span>
  );
}

/** Who wrote something, within a sentence. */
export function nameOf(of: Person): string {
  return `${cleanName(of.name)} ${of.author.slice(0, shownOfKey)}`.trim();
}

/** A channel as it is called; a tag that nobody here knows the name of by its beginning. */
export function channelName(of: { readonly name: string; readonly tag: string }): string {
  return of.name === "" ? of.tag.slice(0, shownOfKey) : `#${cleanLine(of.name)}`;
}

export { Glyph };
