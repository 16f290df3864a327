// What goes between this phone and hubs, and when: the line, the newest messages, what was written here, the exchange. Everything that can
// fail is tried again, later each time; nothing here is ever final but forgetting.

import { classes, decode } from "../../protocol/message.ts";
import { isRefusal } from "../../protocol/verdict.ts";
import { back, isOld, jitter, pause } from "../again.ts";
import type { Snapshot } from "../core.ts";
import type { Arrival, Outcome } from "./check.ts";
import type { Hub, State as HubState } from "./hub.ts";
import { type Wire, newWire } from "./line.ts";
import { type Memory, tagOf } from "./memory.ts";
import { fetchRest } from "./ahead.ts";
import type { Hands } from "./clock.ts";
import type { Outbox } from "./outbox.ts";
import { type Stock, waitingIn } from "./stock.ts";

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
  readonly head: () => Pick<Snapshot, "line" | "looked" | "hub" | "waiting" | "clockOff" | "lies" | "old">;
}

/** The first messages are drawn in this time, in ms; nothing else is fetched in it. */
const drawing = 1500;
/** After a failure the newest messages are asked for again, in ms. */
const askAgain = 3000;
/** A hub that gave so many forged messages is left alone for a while. */
const mostLies = 32;
const shunFor = 300_000;
/** Clocks that are so far apart are worth a word. */
const clocksApart = 600_000;

/** How the traffic stands. */
export interface State extends Means {
  outbox: Outbox | undefined; // once it has been fetched
  meets: boolean; // the outbox has not been told of this hub yet
  readonly timers: Map<string, ReturnType<typeof setTimeout>>;
  wire: Wire | undefined;
  ended: boolean;
  line: Snapshot["line"];
  told: HubState | undefined;
  clockOff: number;
  hold: "full" | "busy" | undefined; // why the hub does not take what was written
  seen: boolean; // the newest of a hub have been read once: what is not here is not there
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
    outbox: undefined,
    meets: false,
    timers: new Map(),
    wire: undefined,
    ended: false,
    line: "connecting",
    told: undefined,
    clockOff: 0,
    hold: undefined,
    seen: false,
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
    send: () => later(s, "send", 0),
    offer: () => later(s, "exchange", 2000),
    looking: (tag) => {
      s.tag = tag;
      if (s.line === "live" && tag !== "") void newest(s, tag);
    },
    poke: () => s.wire?.poke(),
    head: () => ({
      line: s.line === "live" && s.hold ? s.hold : s.line,
      looked: s.seen,
      hub: s.told && {
        name: s.told.hub,
        guests: s.told.guests,
        neighbours: s.told.neighbours,
        lastSync: s.told.lastSync,
        messages: s.told.messages,
      },
      waiting: waitingIn(s.stock),
      clockOff: s.clockOff,
      lies: s.lies,
      old: isOld(),
    }),
  };
}

/** What is done after a while. The first three are errands, of the rest of the inside: errands.ts. */
type Task = "send" | "ask" | "exchange" | "look" | "connect";

/** Does something after a while, instead of when it was to be done. */
export function later(s: State, name: Task, ms: number): void {
  if (s.ended) return;
  clearTimeout(s.timers.get(name));
  s.timers.set(name, setTimeout(() => void perform(s, name), ms));
}

async function perform(s: State, name: Task): Promise<void> {
  if (name === "look") return look(s);
  if (name === "connect") {
    s.lies = 0;
    return connect(s);
  }
  const rest = await fetchRest().catch(pause);
  if (rest) return rest[name](s);
  s.changed(); // the hub may have another page by now
  later(s, name, 0);
}

function connect(s: State): void {
  s.wire = newWire(s.hub, {
    line: (line) => {
      if (line === "live" && (s.line === "away" || s.line === "connecting")) back();
      s.line = line;
      s.changed();
    },
    state: (state) => {
      s.told = state;
      if (state.start !== "") meet(s, state.start);
      const off = state.clock > 0 ? s.hands.wall() - state.clock : 0;
      s.clockOff = Math.abs(off) < clocksApart ? 0 : off;
      s.changed();
    },
    open: (start, anew) => opened(s, start, anew),
    arrived: (a) => void take(s, [a]),
  });
}

/** Notes what hub this is, by the name of its run, and reads what it has as soon as it has answered anything. */
function meet(s: State, start: string): void {
  if (start === s.start && start !== "") return;
  s.start = start;
  s.looked = new Set();
  s.lies = 0;
  s.failures = 0;
  s.meets = true;
  void look(s);
}

function opened(s: State, start: string, anew: boolean): void {
  meet(s, start);
  // The rest of the inside, which errands need, is fetched behind the first messages of who comes for the first time.
  const wait = s.outbox || holdsTexts(s) ? 0 : drawing;
  later(s, "send", wait);
  if (anew) later(s, "exchange", wait);
}

/** Reads of a hub what there is to see at once: who has nothing yet sees something after one round trip; to all others the exchange brings it. */
async function look(s: State): Promise<void> {
  const [read, named] = await Promise.all([holdsTexts(s) || newest(s, s.tag), names(s)]);
  if (!read || !named) later(s, "look", jitter(askAgain));
  if (!read) return;
  s.seen = true;
  s.changed();
}

function holdsTexts(s: State): boolean {
  return s.stock.holdings.counts().texts > 0;
}

/** Brings messages of the hub's in, and notes its lies. */
export async function take(s: State, list: readonly Arrival[]): Promise<Outcome[]> {
  // Parts of photos are fetched when somebody wants to see one: what a hub gives of them unasked is not looked at.
  const outcomes = await s.stock.check.all(list.filter((a) => !isPart(a.wire)));
  const lies = outcomes.filter((o) => o === "refused").length;
  if (lies === 0 || s.ended) return outcomes;
  s.lies += lies;
  s.log(`the hub ${s.told?.hub ?? ""} gave ${lies} messages that are not what they say`);
  s.changed();
  if (s.lies >= mostLies && s.wire) {
    s.wire.end();
    s.wire = undefined;
    s.line = "away";
    later(s, "connect", jitter(shunFor));
  }
  return outcomes;
}

function isPart(wire: Uint8Array): boolean {
  const m = decode(wire);
  return !isRefusal(m) && m.class === classes.media;
}

/** Takes in the newest messages of a channel, once from each hub; false: they could not be had. */
async function newest(s: State, tag: string): Promise<boolean> {
  if (s.looked.has(tag) || s.looked.size > 32) return true;
  s.looked.add(tag);
  try {
    await take(s, await s.hub.messages({ channel: tag }));
    return true;
  } catch {
    s.looked.delete(tag); // the exchange brings them too
    return false;
  }
}

/** Learns the names of channels that the hub shows: a name is right if its tag is. */
async function names(s: State): Promise<boolean> {
  try {
    for (const { tag, name } of await s.hub.channels()) if (name !== "" && name.length <= 64 && tagOf(name) === tag) s.learn(name);
    return true;
  } catch {
    return false;
  }
}
