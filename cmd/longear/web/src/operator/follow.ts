// Follows the node: what changes by the second is asked every two seconds in one request, what costs the node more every half minute
// and after something was done. Nobody is asked while the page is out of sight.

import { asWrong, get, list, post, soon } from "./node.ts";
import type { Channel, Happening, Live, Muted, Room } from "./report.ts";

/** What is known of the node. It never changes; a change makes another. */
export interface Seen {
  readonly live: Live | undefined;
  readonly events: readonly Happening[];
  readonly room: Room | undefined;
  readonly channels: readonly Channel[];
  readonly muted: readonly Muted[];
  readonly at: number; // ms, of this answer: ages are counted from it
  readonly line: "asking" | "open" | "away" | "no token" | "stopped";
}

const every = 2_000; // ms
const seldom = 30_000;
const away = 5_000; // between tries when there is no answer

/** What follows a node. */
export interface Follow {
  now(): Seen;
  ask(): Promise<void>;
  /** Asks at once, for everything: something was done. */
  refresh(): Promise<void>;
  /** Stops the node. It is not asked meanwhile, when it may be gone already, nor after that. */
  stop(): Promise<void>;
}

/** What is asked seldom. */
const rest = (signal: AbortSignal) =>
  Promise.all([get<Room>("/v1/store", signal), list<Channel>("/v1/channels", signal), list<Muted>("/v1/mutes", signal)]);

/** Follows the node of this page's origin, and calls back after each change. */
export function follow(changed: () => void): Follow {
  let seen: Seen = { live: undefined, events: [], room: undefined, channels: [], muted: [], at: 0, line: "asking" };
  let slowAt = 0;
  let timer = 0;
  let asking: AbortController | undefined;
  let stopping = false;

  const set = (part: Partial<Seen>) => {
    if (seen.line === "stopped") return;
    seen = { ...seen, ...part };
    changed();
  };

  async function look(signal: AbortSignal): Promise<void> {
    const before = seen.live;
    const live = await get<Live>(`/v1/live?seen=${before?.seq ?? 0}`, signal, soon);
    // Another identity is another run: what is remembered of the last one is not of this.
    const again = before !== undefined && before.status.peer !== live.status.peer;
    let { room, channels, muted } = seen;
    const at = Date.now();
    if (again || seen.line !== "open" || at - slowAt > seldom) {
      slowAt = at; // before the answers, which may lack what is done meanwhile: a refresh is not forgotten
      [room, channels, muted] = await rest(signal);
    }
    set({ live, events: live.events ?? (again ? [] : seen.events), room, channels, muted, at, line: "open" });
  }

  async function ask(): Promise<void> {
    clearTimeout(timer);
    if (asking !== undefined || stopping || seen.line === "stopped") return;
    const { signal } = (asking = new AbortController());
    await look(signal).catch((e: unknown) => signal.aborted || set({ line: asWrong(e).status === 401 ? "no token" : "away" }));
    asking = undefined;
    if (seen.line === "no token" || stopping || document.hidden) return;
    timer = window.setTimeout(() => void ask(), seen.line === "away" ? away : slowAt === 0 ? 0 : every);
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) void ask();
  });
  return {
    now: () => seen,
    ask,
    refresh: () => {
      slowAt = 0;
      return ask();
    },
    stop: async () => {
      clearTimeout(timer);
      stopping = true;
      asking?.abort(); // it may never be answered: a node that hangs is stopped for that
      const goOn = () => {
        stopping = false;
        slowAt = 0; // what was given up may not have been known
        void ask();
      };
      await post("/v1/stop", {}, soon).then(() => set({ line: "stopped" })).finally(goOn);
    },
  };
}
