// What goes between the screens' side and the inside, which are in different threads: calls one way, their results and what changed the
// other. Everything here can be copied from one to the other.

import type { Answer, Draft, Loaded, Post, Room, Snapshot } from "../core.ts";
import type { Drawn } from "./compose.ts";

/** What changed of what there is to see. */
export interface Delta {
  readonly head: Omit<Snapshot, "posts" | "rooms">;
  readonly posts: readonly Post[]; // new or changed
  readonly gone: readonly string[];
  readonly rooms: readonly Room[] | undefined;
}

/** A draft whose photo has been drawn. */
export type Ready = Exclude<Draft, { readonly kind: "photo" }> | (Omit<Draft & { readonly kind: "photo" }, "file"> & { readonly drawn: Drawn });

/** What the inside can be asked for. */
export interface Calls {
  readonly write: (draft: Ready) => Promise<void>;
  readonly respond: (target: string, answer: Answer) => Promise<void>;
  readonly photo: (id: string) => Promise<Blob>;
  readonly looking: (channel: string) => Promise<void>;
  readonly addChannel: (typed: string) => Promise<void>;
  readonly rename: (name: string) => Promise<void>;
  readonly mute: (author: string, on: boolean) => Promise<void>;
  readonly save: () => Promise<Blob>;
  readonly load: (file: Blob) => Promise<Loaded>;
  readonly forget: () => Promise<void>;
  /** Says that the phone may have moved, or that the page is seen again. */
  readonly poke: () => Promise<void>;
}

/** A call: its number, name and arguments. */
export type Call = readonly [n: number, name: keyof Calls, ...args: unknown[]];

/** What comes back: what changed, or how the call with that number ended. `say` is a key of the catalogue. */
export type Reply = { readonly delta: Delta } | { readonly n: number; readonly result?: unknown; readonly say?: string };

/** One end of the way between. */
export interface Port {
  postMessage(message: unknown): void;
  onmessage: ((e: MessageEvent) => void) | null;
}
