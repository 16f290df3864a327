// The page's inside: puts its parts together, from the first reading of what was kept until everything is forgotten. It runs in a worker, so that
// checking signatures never holds up a finger on the screen; what there is to see goes out in deltas.

import { canonicalName } from "../../protocol/channel.ts";
import { fromBase32 } from "../../protocol/base32.ts";
import type { Tag } from "../../protocol/bytes.ts";
import { kinds } from "../../protocol/message.ts";
import { Failure } from "../core.ts";
import { type Clock, type Hands, newClock } from "./clock.ts";
import { type Pen, compose, composeAnswer, composeProfile } from "./compose.ts";
import type { Calls, Delta, Ready } from "./delta.ts";
import { assemble } from "./gallery.ts";
import type { Bounds } from "./holdings.ts";
import type { Hub } from "./hub.ts";
import { type Keep, newKeep } from "./keep.ts";
import { type Memory, newMemory, tagOf } from "./memory.ts";
import { type Stock, newStock } from "./stock.ts";
import { type Tabs, newTabs } from "./tabs.ts";
import { type Teller, newTeller } from "./teller.ts";
import { type Trade, newTrade } from "./trade.ts";
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
/** How often the expired are let go, in ms. */
const tidyEvery = 60_000;
/** A profile is written again when it has lived half its life. */
const profileAge = 3.5 * 86_400_000;

/** One life of the inside: from opening to forgetting. */
interface Life {
  readonly keep: Keep;
  readonly clock: Clock;
  readonly memory: Memory;
  readonly stock: Stock;
  readonly trade: Trade;
  readonly end: () => void;
}

interface State {
  readonly ground: Ground;
  readonly tabs: Tabs;
  readonly teller: Teller;
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
    write: async (draft) => write(s, await life(), draft),
    async respond(target, answer) {
      const l = await life();
      const h = l.stock.holdings.get(target);
      if (!h) throw new Failure("failed");
      await post(s, l, [composeAnswer(await penOf(l, tagFrom(h.tag), 0), target, answer)]);
    },
    photo: async (id) => {
      const { stock } = await life();
      return assemble(stock, s.ground.hub, id).finally(() => s.teller.changed());
    },
    async looking(channel) {
      const name = canonicalName(channel);
      s.looking = name === undefined ? "" : tagOf(name);
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
    async rename(name) {
      const l = await life();
      const profile = composeProfile(await penOf(l, tagFrom(tagOf("all")), 0), name.trim());
      await l.memory.call(name.trim());
      s.tabs.settings();
      await keep(s, l, [profile]);
    },
    save: async () => {
      const { stock } = await life();
      return (await import("./carryfile.ts")).saveCarry(stock);
    },
    load: async (file) => {
      const { stock, trade } = await life();
      const loaded = await (await import("./carryfile.ts")).loadCarry(stock, file);
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
    makeView: (held) => newView({ held, author: memory.author }),
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
  // Out of reach there is nowhere to fetch this from.
  const ahead = setTimeout(() => void import("./carryfile.ts").catch(() => undefined), 8000);
  const end = (): void => {
    clearInterval(tidy);
    clearTimeout(ahead);
    trade.end();
  };
  return { keep, clock, memory, stock, trade, end };
}

/** Ends this life; the next begins when something is written. */
async function forget(s: State, erase: boolean): Promise<void> {
  const last = s.life;
  s.life = undefined;
  const l = await last;
  if (!l) return;
  l.end();
  s.teller.nothing();
  await l.keep.end(erase);
}

async function renamed(s: State, l: Life): Promise<void> {
  await l.memory.reread();
  for (const [name, chosen] of l.memory.channels()) l.stock.view.name(tagOf(name), name, chosen);
  s.teller.changed();
}

async function learn(s: State, l: Life, name: string, chosen: boolean): Promise<void> {
  if (!(await l.memory.learn(name, chosen))) return;
  l.stock.view.name(tagOf(name), name, chosen);
  s.teller.changed();
}

function tagFrom(tag: string): Tag {
  const bytes = fromBase32(tag, 16);
  if (!bytes) throw new Failure("failed");
  return bytes as Tag;
}

async function penOf(l: Life, tag: Tag, lifetime: number): Promise<Pen> {
  return { seed: await l.memory.seed(), tag, lifetime, created: l.memory.stamp };
}

async function write(s: State, l: Life, draft: Ready): Promise<void> {
  const name = canonicalName(draft.channel);
  if (name === undefined) throw new Failure("bad_channel");
  const pen = await penOf(l, tagFrom(tagOf(name)), draft.lifetime ?? 0);
  const wires = compose(pen, draft);
  await learn(s, l, name, false);
  await post(s, l, wires);
}

/** Keeps what was signed, after a profile if one is due. */
async function post(s: State, l: Life, wires: readonly Uint8Array[]): Promise<void> {
  await keep(s, l, [...(await profile(l)), ...wires]);
}

/** Keeps what was signed, and has it go out. */
async function keep(s: State, l: Life, wires: readonly Uint8Array[]): Promise<void> {
  const kept = await l.stock.own(wires);
  if (kept.length === 0) throw new Failure("failed");
  s.tabs.settings(); // there may be a key now
  l.trade.send();
}

/** The person's profile, if they have a name and the last one will soon be gone. */
async function profile(l: Life): Promise<Uint8Array[]> {
  const name = l.memory.name();
  const me = l.memory.author();
  if (name === "" || me === "") return [];
  for (const h of l.stock.holdings.all()) {
    if (h.kind === kinds.profile && h.author === me && l.stock.ageOf(h) < profileAge) return [];
  }
  return [composeProfile(await penOf(l, tagFrom(tagOf("all")), 0), name)];
}
