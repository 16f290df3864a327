// The line to the hub: one stream of what arrives, opened again with ever longer pauses, and a question about the hub now and then. A
// phone that walks finds another hub at the same address; it is told from the last one by the name of its run.

import { jitter } from "../again.ts";
import type { Line } from "../core.ts";
import type { Arrival } from "./check.ts";
import { Busy, type Hub, type State, arrivalOf } from "./hub.ts";
import { readEvents } from "./stream.ts";

/** What the line tells. */
export interface Ears {
  readonly line: (line: Line) => void;
  readonly state: (state: State) => void;
  /** The stream is open. anew: this hub has, or may have, what this phone was not told. */
  readonly open: (start: string, anew: boolean) => void;
  readonly arrived: (a: Arrival) => void;
}

/** The line. */
export interface Wire {
  /** Looks at once: something suggests that the phone has moved. */
  readonly poke: () => void;
  readonly end: () => void;
}

/** A hub says something every 15 s. */
const silence = 40_000;
/** Pauses between tries, in ms: the first, and the longest. */
const first = 1000;
const longest = 30_000;
/** How often the hub is asked how it is. */
const askEvery = 20_000;

/** Opens the line and keeps it open until it is ended. */
export function newWire(hub: Hub, ears: Ears): Wire {
  const s: Wired = { hub, ears, ended: false, last: "", start: "", stop: new AbortController(), waiting: new Set(), pause: first, open: false, held: false };
  void keepOpen(s);
  void keepAsking(s);
  return {
    poke: () => {
      s.pause = first;
      s.waiting.forEach((end) => end()); // among them the one before the next look
    },
    end: () => {
      s.ended = true;
      s.stop.abort();
      s.waiting.forEach((end) => end());
    },
  };
}

interface Wired {
  readonly hub: Hub;
  readonly ears: Ears;
  ended: boolean;
  last: string; // the last event's ID
  start: string; // the hub's run
  stop: AbortController; // of the stream that is open
  readonly waiting: Set<() => void>; // ends of the pauses
  pause: number;
  open: boolean; // the stream has begun and not ended
  held: boolean; // the hub asked to wait when it was asked how it is
}

function tell(s: Wired, otherwise: Line): void {
  if (!s.ended) s.ears.line(s.held ? "busy" : s.open ? "live" : otherwise);
}

async function keepOpen(s: Wired): Promise<void> {
  s.ears.line("connecting");
  while (!s.ended) {
    let wait: number;
    try {
      await listen(s);
      wait = jitter(s.pause);
    } catch (e) {
      const busy = e instanceof Busy;
      s.open = false;
      s.held = busy;
      tell(s, "away");
      wait = busy ? Math.max(e.after, jitter(s.pause)) : jitter(s.pause);
    }
    s.pause = Math.min(2 * s.pause, longest);
    if (s.ended) return;
    await pause(s, wait);
  }
}

/** Waits, unless something is up. */
function pause(s: Wired, ms: number): Promise<void> {
  return new Promise((done) => {
    const end = (): void => {
      clearTimeout(timer);
      s.waiting.delete(end);
      done();
    };
    const timer = setTimeout(end, ms);
    s.waiting.add(end);
  });
}

async function listen(s: Wired): Promise<void> {
  s.stop = new AbortController();
  const body = await s.hub.events(s.last, s.stop.signal);
  await readEvents(body, silence, (e) => {
    if (e.name === "hello" || e.name === "missed") {
      const start = e.id.split(".")[0] ?? "";
      const anew = e.name === "missed" || start === "" || start !== s.start;
      s.start = start;
      s.pause = first;
      s.open = true;
      tell(s, "live");
      s.ears.open(start, anew);
    } else if (e.name === "message") {
      const a = arrival(e.data);
      if (a) s.ears.arrived(a);
    }
    if (e.id) s.last = e.id;
  });
  s.open = false;
  s.held = false;
  tell(s, "away");
}

function arrival(data: string): Arrival | undefined {
  try {
    return arrivalOf(JSON.parse(data) as Record<string, unknown>);
  } catch {
    return undefined;
  }
}

/** Asks how the hub is, and says in how many ms again. Another hub, or none, shows that the stream is dead before its silence does. */
async function look(s: Wired): Promise<number> {
  let wait = askEvery;
  const { held } = s;
  try {
    const state = await s.hub.state();
    if (s.ended) return wait;
    s.held = false;
    s.ears.state(state);
    if (s.start !== "" && state.start !== "" && state.start !== s.start) s.stop.abort();
  } catch (e) {
    s.held = e instanceof Busy;
    if (e instanceof Busy) wait = Math.max(e.after, wait / 4);
    else {
      s.open = false;
      s.stop.abort();
    }
  }
  if (s.held !== held) tell(s, "connecting");
  return wait;
}

async function keepAsking(s: Wired): Promise<void> {
  while (!s.ended) {
    const wait = await look(s);
    if (!s.ended) await pause(s, jitter(wait));
  }
}
