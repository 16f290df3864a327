// For tests: a hub in memory, which speaks the protocol of a real one, and clocks that tests turn.

import { sha256 } from "@noble/hashes/sha2.js";
import { toBase32 } from "../../protocol/base32.ts";
import { utf8 } from "../../protocol/bytes.ts";
import { publicTag } from "../../protocol/channel.ts";
import { decode } from "../../protocol/message.ts";
import { isRefusal } from "../../protocol/verdict.ts";
import { type Draft, write } from "../../protocol/write.ts";
import type { Arrival } from "./check.ts";
import { type Hands } from "./clock.ts";
import { headOf } from "./head.ts";
import { Busy, type Hub, type State } from "./hub.ts";

/** Clocks that stand still until they are turned. */
export interface TestHands extends Hands {
  turn(ms: number): void;
  set(wall: number): void;
}

/** 2026, in the autumn. */
export function testHands(): TestHands {
  let wall = 1_795_000_000_000;
  let mono = 1000;
  return {
    wall: () => wall,
    mono: () => mono,
    turn: (ms) => {
      wall += ms;
      mono += ms;
    },
    set: (w) => (wall = w),
  };
}

/** The seed of the n-th author. */
export function seedOf(n: number): Uint8Array {
  return sha256(utf8(`author ${n}`));
}

/** A signed message of the n-th author's in #water. */
export function messageBy(n: number, draft: Partial<Draft> & { readonly text?: string } = {}): Uint8Array {
  const { text, ...rest } = draft;
  return write({ channel: publicTag("water"), created: 1_794_999_000_000, body: utf8(text ?? "water at gate 4"), ...rest }, seedOf(n));
}

/** The ID of an encoded message, base32. */
export function idText(wire: Uint8Array): string {
  const m = decode(wire);
  if (isRefusal(m)) throw new Error(m);
  return headOf(m, wire).id;
}

/** A hub that a test looks into. */
export interface TestHub extends Hub {
  readonly posted: Uint8Array[];
  readonly asked: string[]; // routes, in their order
  word: string; // what it says of what is posted
  out: boolean; // out of reach
  busy: boolean;
  start: string;
  newest: Arrival[];
  /** Sends an event to whoever listens. */
  say(event: string, data: string): void;
}

/** A hub without messages. */
export function testHub(): TestHub {
  const streams = new Set<ReadableStreamDefaultController<Uint8Array>>();
  let n = 0;
  const hub: TestHub = {
    posted: [],
    asked: [],
    word: "kept",
    out: false,
    busy: false,
    start: "aaaa",
    newest: [],
    say: (event, data) => streams.forEach((s) => s.enqueue(utf8(`id: ${hub.start}.${++n}\nevent: ${event}\ndata: ${data}\n\n`))),
    state: () => asked("state", (): State => ({ start: hub.start, hub: "north gate", guests: 1, neighbours: 0, lastSync: -1, messages: 0, ranks: 7, floor: 0, clock: 0 })),
    channels: () => asked("channels", () => []),
    messages: () => asked("messages", () => hub.newest),
    post: (records) =>
      asked("post", () => {
        hub.posted.push(records);
        return Array.from({ length: 64 }, () => ({ word: hub.word, again: ["later", "full", "failed"].includes(hub.word) }));
      }),
    sync: () => asked("sync", () => new Uint8Array(0)),
    carried: (ids) => asked("carried", () => ids.map(() => 2)),
    events: (_, signal) =>
      asked("events", () => {
        let own: ReadableStreamDefaultController<Uint8Array>;
        const body = new ReadableStream<Uint8Array>({
          start: (c) => {
            streams.add((own = c));
            c.enqueue(utf8(`id: ${hub.start}.${n}\nevent: hello\ndata: {}\n\n`));
          },
          cancel: () => void streams.delete(own),
        });
        signal.addEventListener("abort", () => {
          if (streams.delete(own)) own.error(new Error("aborted"));
        });
        return body;
      }),
  };
  const asked = async <T>(route: string, answer: () => T): Promise<T> => {
    hub.asked.push(route);
    if (hub.out) throw new Error("out of reach");
    if (hub.busy) throw new Busy(50);
    return answer();
  };
  return hub;
}

/** Waits until something holds: a minute at least, of which some of it takes seconds by itself. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  for (let i = 0; i < 6000; i++) {
    if (holds()) return;
    await new Promise((done) => setTimeout(done, 10));
  }
  throw new Error(`never: ${what}`);
}

/** Bytes as an event tells them. */
export function eventData(wire: Uint8Array): string {
  return JSON.stringify({ id: "", wire: Buffer.from(wire).toString("base64url"), age_ms: 0 });
}

/** The author's key of the n-th author, base32. */
export function authorText(n: number): string {
  const m = decode(messageBy(n));
  if (isRefusal(m)) throw new Error(m);
  return toBase32(m.author);
}
