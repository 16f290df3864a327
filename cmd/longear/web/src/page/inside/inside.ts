// The page's inside: puts its parts together, from the first reading of what was kept until everything is forgotten. It runs in a worker, so that
// checking signatures never holds up a finger on the screen; what there is to see goes out in deltas.

import { canonicalName } from "../../protocol/channel.ts";
import { until } from "../again.ts";
import { Failure } from "../core.ts";
import { fetchRest } from "./ahead.ts";
import { type Hands, newClock } from "./clock.ts";
import type { Calls, Delta } from "./delta.ts";
import type { Bounds } from "./holdings.ts";
import type { Hub } from "./hub.ts";
import { newKeep } from "./keep.ts";
import { type Life, type Voices, learn, remute } from "./life.ts";
import { newMemory, tagOf } from "./memory.ts";
import { newStock } from "./stock.ts";
import { newTabs } from "./tabs.ts";
import { newTeller } from "./teller.ts";
import { newTrade } from "./trade.ts";
import { newView } from "./view.ts";

/** What the inside runs on. */
export interface Ground {
  readonly database: IDBFactory | undefined;
  readonly hub: Hub;
  readonly hands: Hands;
  /** Whether the hub is on a network at hand, so that LOCAL_ONLY messages may pass. */
  readonly local: boolean;
  readonly channel: ((name: string) => BroadcastChannel) | undefined;
  readonly tell: (d: Delta) => void;
  readonly log: (text: string) => void;
  readonly bounds?: Bounds | undefined;
}

/** The name of the database, and of the channel between tabs. */
const place = "longear";
/** In this time, in ms, the first messages are drawn; nothing else is fetched in it. */
const drawing = 4000;
/** How often the expired are let go, in ms. */
const tidyEvery = 60_000;

interface State extends Voices {
  readonly ground: Ground;
  life: Promise<Life> | undefined;
  looking: string; // a tag, or ""
}

/** Starts the inside. */
export function newInside(ground: Ground): Calls {
  const s: State = {
    ground,
    teller: newTeller(ground.tell),
    tabs: newTabs(ground.channel, place, {
      kept: (ids) => void s.life?.then((l) => l.stock.reread(ids)),
      settings: () => void s.life?.then((l) => renamed(s, l)),
      forgotten: () => void forget(s, false), // who says so deletes it: what is written after that is not ours to delete
    }),
    life: undefined,
    looking: "",
  };
  s.life = begin(s);
  return callsOf(s, () => (s.life ??= begin(s)));
}

function callsOf(s: State, life: () => Promise<Life>): Calls {
  return {
    write: async (draft) => (await fetchRest()).write(s, await life(), draft),
    respond: async (target, answer) => (await fetchRest()).respond(s, await life(), target, answer),
    photo: async (id) => {
      const { stock } = await life();
      const { assemble } = await fetchRest();
      return assemble(stock, s.ground.hub, id).finally(() => s.teller.changed());
    },
    async looking(channel) {
      const name = canonicalName(channel);
      s.looking = name === undefined ? "" : tagOf(name);
      void fetchRest().catch(() => undefined); // the page is drawn: out of reach there is nowhere to fetch this from
      const l = await s.life;
      l?.stock.check.looking(s.looking);
      l?.trade.looking(s.looking);
    },
    async addChannel(typed) {
      const name = canonicalName(typed);
      if (name === undefined) throw new Failure("bad_channel");
      await learn(s, await life(), name, true);
      s.tabs.settings();
    },
    rename: async (name) => (await fetchRest()).rename(s, await life(), name),
    mute: async (author, on) => (await fetchRest()).mute(s, await life(), author, on),
    save: async () => {
      const { stock } = await life();
      return (await fetchRest()).saveCarry(stock);
    },
    load: async (file) => {
      const { stock, trade } = await life();
      const loaded = await (await fetchRest()).loadCarry(stock, file);
      if (loaded.taken > 0) trade.offer();
      return loaded;
    },
    forget: async () => {
      s.tabs.forget();
      await forget(s, true);
    },
    poke: async () => (await s.life)?.trade.poke(),
  };
}

async function begin(s: State): Promise<Life> {
  const { ground, teller, tabs } = s;
  const keep = newKeep(ground.database, place);
  const memory = await newMemory(keep, ground.hands.wall);
  const clock = newClock(ground.hands, memory.clock());
  const stock = newStock({
    keep,
    clock,
    wall: ground.hands.wall,
    bounds: ground.bounds,
    makeView: (held) => newView({ held, author: memory.author, muted: memory.muted }),
    came: (list) => {
      if (keep.keeping() === "phone") tabs.kept(list.map((h) => h.id));
    },
    changed: teller.changed,
  });
  const trade = newTrade({ ...ground, stock, memory, changed: teller.changed, learn: (name) => void s.life?.then((l) => learn(s, l, name, false)) });
  teller.show(() => ({ stock, trade, memory, keeping: keep.keeping() }));
  for (const [name, chosen] of memory.channels()) stock.view.name(tagOf(name), name, chosen);
  await stock.open();
  stock.check.looking(s.looking);
  await memory.setClock(clock.saved());
  const tidy = setInterval(() => {
    void stock.expire();
    void memory.setClock(clock.saved());
  }, tidyEvery);
  teller.ready();
  trade.start();
  // Once the first messages are drawn (looking), and for whoever meets no hub soon.
  const ahead = setTimeout(() => void until(fetchRest), drawing);
  const end = (): void => {
    clearInterval(tidy);
    clearTimeout(ahead);
    trade.end();
  };
  return { keep, clock, memory, stock, trade, end };
}

/** Ends this life; the next begins when something is written, or at once if what is kept could not be erased: then it is shown again. */
async function forget(s: State, erase: boolean): Promise<void> {
  const last = s.life;
  s.life = undefined;
  const l = await last;
  if (!l) return;
  l.end();
  s.teller.nothing();
  await l.keep.end(erase).catch((e: unknown) => {
    s.life ??= begin(s);
    throw e;
  });
}

async function renamed(s: State, l: Life): Promise<void> {
  await remute(l, l.memory.reread);
  for (const [name, chosen] of l.memory.channels()) l.stock.view.name(tagOf(name), name, chosen);
  s.teller.changed();
}
