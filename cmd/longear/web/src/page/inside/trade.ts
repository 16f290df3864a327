// What goes between this phone and hubs, and when: the line, the newest messages, what was written here, the exchange. Everything that can
// fail is tried again, later each time; nothing here is ever final but forgetting.

import { classes, decode } from "../../protocol/message.ts";
import { isRefusal } from "../../protocol/verdict.ts";
import type { Snapshot } from "../core.ts";
import type { Arrival, Outcome } from "./check.ts";
import { Busy, type Hub, type State as HubState } from "./hub.ts";
import { type Wire, jitter, newWire } from "./line.ts";
import { type Memory, tagOf } from "./memory.ts";
import type { Hands } from "./clock.ts";
import { type Outbox, newOutbox } from "./outbox.ts";
import type { Stock } from "./stock.ts";
import { phoneBounds } from "./holdings.ts";

/** What trading needs. */
export interface Means {
  readonly hub: Hub;
  readonly hands: Hands;
  readonly local: boolean;
  readonly log: (text: string) => void;
  readonly stock: Stock;
  readonly memory: Memory;
  readonly changed: () => void;
  /** Is told the name of a channel that the hub shows, which its tag has proven. */
  readonly learn: (name: string) => void;
}

/** The traffic with hubs. */
export interface Trade {
  readonly start: () => void;
  readonly end: () => void;
  /** Something was written. */
  readonly send: () => void;
  /** There is more to offer than before. */
  readonly offer: () => void;
  readonly looking: (tag: string) => void;
  readonly poke: () => void;
  readonly head: () => Pick<Snapshot, "line" | "hub" | "waiting" | "clockOff"> & { readonly lies?: number };
}

/** After a message was taken by the hub, it is asked how far it has come, in ms. */
const askAfter = [2500, 6000, 15_000, 30_000];
/** And then now and then. */
const askSeldom = 60_000;
/** The exchange is repeated so often, in ms, and after a failure. */
const exchangeEvery = 600_000;
const exchangeAgain = 15_000;
/** A hub that gave so many forged messages is left alone for a while. */
const mostLies = 32;
const shunFor = 300_000;
/** Clocks that are so far apart are worth a word. */
const clocksApart = 600_000;

interface State extends Means {
  readonly outbox: Outbox;
  readonly timers: Map<string, ReturnType<typeof setTimeout>>;
  wire: Wire | undefined;
  ended: boolean;
  line: Snapshot["line"];
  told: HubState | undefined;
  clockOff: number;
  hubFull: boolean; // it has no room for what was written
  start: string; // of the hub's run
  looked: Set<string>; // channels whose newest were fetched from it
  tag: string; // on the screen
  lies: number; // of this hub
  exchanging: boolean;
  failures: number; // exchanges in a row
  asked: number; // questions since the last message was taken
}

/** Trade that has not begun. */
export function newTrade(m: Means): Trade {
  const s: State = {
    ...m,
    outbox: newOutbox(m.stock, m.hub, m.memory.handed(), (h) => void m.memory.setHanded(h)),
    timers: new Map(),
    wire: undefined,
    ended: false,
    line: "connecting",
    told: undefined,
    clockOff: 0,
    hubFull: false,
    start: "",
    looked: new Set(),
    tag: "",
    lies: 0,
    exchanging: false,
    failures: 0,
    asked: 0,
  };
  return {
    start: () => connect(s),
    end: () => {
      s.ended = true;
      s.wire?.end();
      s.timers.forEach((t) => clearTimeout(t));
    },
    send: () => later(s, "send", 0, send),
    offer: () => later(s, "exchange", 2000, exchangeNow),
    looking: (tag) => {
      s.tag = tag;
      if (s.line === "live" && tag !== "") void newest(s, tag);
    },
    poke: () => s.wire?.poke(),
    head: () => ({
      line: s.line === "live" && s.hubFull ? "full" : s.line,
      hub: s.told && {
        name: s.told.hub,
        guests: s.told.guests,
        neighbours: s.told.neighbours,
        lastSync: s.told.lastSync,
        messages: s.told.messages,
      },
      waiting: s.outbox.waiting(),
      clockOff: s.clockOff,
      ...(s.lies > 0 && { lies: s.lies }),
    }),
  };
}

/** Does something after a while, instead of what was to be done under that name. */
function later(s: State, name: string, ms: number, what: (s: State) => Promise<void>): void {
  if (s.ended) return;
  clearTimeout(s.timers.get(name));
  s.timers.set(name, setTimeout(() => void what(s), ms));
}

function connect(s: State): void {
  s.wire = newWire(s.hub, {
    line: (line) => {
      s.line = line;
      s.changed();
    },
    state: (state) => {
      s.told = state;
      const off = state.clock > 0 ? s.hands.wall() - state.clock : 0;
      s.clockOff = Math.abs(off) < clocksApart ? 0 : off;
      s.changed();
    },
    open: (start, anew) => void opened(s, start, anew),
    arrived: (a) => void take(s, [a]),
  });
}

async function opened(s: State, start: string, anew: boolean): Promise<void> {
  if (start !== s.start || start === "") {
    s.start = start;
    s.looked = new Set();
    s.lies = 0;
    s.failures = 0;
    s.outbox.meet(start);
    void names(s);
  }
  later(s, "send", 0, send);
  if (!anew) return;
  // Who comes for the first time sees something after one round trip; all others have it, and the exchange brings what is new.
  if (s.stock.holdings.counts().texts === 0) await newest(s, s.tag);
  later(s, "exchange", 0, exchangeNow);
}

/** Brings messages of the hub's in, and notes its lies. */
async function take(s: State, list: readonly Arrival[]): Promise<Outcome[]> {
  // Parts of photos are fetched when somebody wants to see one: what a hub gives of them unasked is not looked at.
  const outcomes = await s.stock.check.all(list.filter((a) => !isPart(a.wire)));
  const lies = outcomes.filter((o) => o === "refused").length;
  if (lies === 0 || s.ended) return outcomes;
  s.lies += lies;
  s.log(`the hub ${s.told?.hub ?? ""} gave ${lies} messages that are not what they say they are; they were dropped`);
  s.changed();
  if (s.lies >= mostLies && s.wire) {
    s.wire.end();
    s.wire = undefined;
    s.line = "away";
    later(s, "connect", jitter(shunFor), async () => {
      s.lies = 0;
      connect(s);
    });
  }
  return outcomes;
}

function isPart(wire: Uint8Array): boolean {
  const m = decode(wire);
  return !isRefusal(m) && m.class === classes.media;
}

async function newest(s: State, tag: string): Promise<void> {
  if (s.looked.has(tag) || s.looked.size > 32) return;
  s.looked.add(tag);
  try {
    await take(s, await s.hub.messages({ channel: tag }));
  } catch {
    s.looked.delete(tag); // the exchange brings them too
  }
}

/** Learns the names of channels that the hub shows: a name is right if its tag is. */
async function names(s: State): Promise<void> {
  try {
    for (const { tag, name } of await s.hub.channels()) if (name !== "" && name.length <= 64 && tagOf(name) === tag) s.learn(name);
  } catch {
    later(s, "names", jitter(2000), names); // until then they go by what this phone calls them
  }
}

async function send(s: State): Promise<void> {
  try {
    const before = s.outbox.waiting();
    const wait = await s.outbox.flush();
    s.hubFull = wait !== undefined;
    if (wait !== undefined) later(s, "send", jitter(wait), send);
    if (s.outbox.waiting() < before) s.asked = 0;
    later(s, "ask", jitter(askAfter[s.asked] ?? askSeldom), ask);
  } catch (e) {
    later(s, "send", e instanceof Busy ? e.after : jitter(5000), send);
  }
  s.changed();
}

async function ask(s: State): Promise<void> {
  const some = await s.outbox.ask().catch(() => true);
  s.asked++;
  if (some) later(s, "ask", jitter(askAfter[s.asked] ?? askSeldom), ask);
}

async function exchangeNow(s: State): Promise<void> {
  if (s.exchanging) return later(s, "exchange", 1000, exchangeNow);
  s.exchanging = true;
  try {
    const { exchange } = await import("./mule.ts");
    await s.stock.expire();
    const { stock } = s;
    const done = await exchange(
      s.hub,
      {
        held: stock.holdings.all,
        dead: stock.holdings.dead,
        wires: stock.wires,
        ageOf: stock.ageOf,
        take: (list) => take(s, list),
        local: s.local,
        most: phoneBounds.messages,
      },
      { floor: s.told?.floor ?? 0, ranks: s.told?.ranks ?? 0 },
    );
    s.failures = 0;
    if (done.gave > 0) later(s, "send", 0, send); // own ones among them are at the hub now
    later(s, "exchange", jitter(exchangeEvery), exchangeNow);
  } catch (e) {
    s.failures++;
    const wait = Math.min(exchangeAgain * 2 ** s.failures, exchangeEvery);
    later(s, "exchange", e instanceof Busy ? e.after + jitter(2000) : jitter(wait), exchangeNow);
  }
  s.exchanging = false;
}
