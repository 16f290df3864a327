// The one way in: whatever comes to this phone (from a hub, a file, another tab, its own person) is checked, kept, indexed and shown
// here, in this order, and leaves here when its time is over or room is needed.

import { decode } from "../../protocol/message.ts";
import { isRefusal } from "../../protocol/verdict.ts";

import { kinds } from "../../protocol/message.ts";
import type { Delivery } from "../core.ts";
import { type Check, type Checked, type Outcome, newCheck } from "./check.ts";
import type { Clock } from "./clock.ts";
import { type Grave, graveOf, opens } from "./early.ts";
import { type Head, type Held, type Kept, headOf, isMedia } from "./head.ts";
import type { Bounds, Holdings } from "./holdings.ts";
import { newHoldings } from "./holdings.ts";
import type { Entry, Keep } from "./keep.ts";
import type { View } from "./view.ts";

/** What the stock is made of. */
export interface Parts {
  readonly keep: Keep;
  readonly clock: Clock;
  readonly wall: () => number;
  readonly bounds?: Bounds | undefined;
  readonly makeView: (held: (id: string) => Held | undefined) => View;
  /** Is told of what came and was kept, but for what another tab brought. */
  readonly came: (list: readonly Held[]) => void;
  /** Is told that there is something new to show. */
  readonly changed: () => void;
}

/** What this phone holds, with its door. */
export interface Stock {
  readonly holdings: Holdings;
  readonly view: View;
  readonly check: Check;
  /** Reads what was kept before. Call it first. */
  readonly open: () => Promise<void>;
  /** Takes in what was checked. It is on disk when this returns. */
  readonly take: (list: readonly Checked[], delivery?: Delivery) => Promise<Outcome[]>;
  /** Reads what another tab has kept. */
  readonly reread: (ids: readonly string[]) => Promise<void>;
  readonly deliver: (id: string, delivery: Delivery) => void;
  readonly wires: (ids: readonly string[]) => Promise<Map<string, Uint8Array>>;
  readonly now: () => number; // running time
  /** Lets go of what has expired. */
  readonly expire: () => Promise<void>;
}

/** A stock, not opened yet. */
export function newStock(p: Parts): Stock {
  const holdings = newHoldings(p.bounds);
  const view = p.makeView(holdings.get);
  const take = (list: readonly Checked[], delivery?: Delivery): Promise<Outcome[]> => takeIn(s, list, delivery);
  const check = newCheck({ spare: (head, age) => spare(s, head, age), take });
  const s: State = { ...p, holdings, view };
  return {
    holdings,
    view,
    check,
    open: () => open(s),
    take,
    reread: async (ids) => {
      const wanted = new Set(ids.filter((id) => !holdings.get(id)));
      if (wanted.size === 0) return;
      for (const k of await p.keep.texts()) if (wanted.has(k.id)) admit(s, k);
      for (const h of await p.keep.parts()) if (wanted.has(h.id)) admitPart(s, h);
      p.changed();
    },
    deliver: (id, delivery) => void deliver(s, id, delivery),
    wires: p.keep.wires,
    now: p.clock.now,
    expire: async () => {
      await letGo(s, holdings.expired(p.clock.now()));
      await p.keep.undead(holdings.exhume(p.clock.now()));
    },
  };
}

interface State extends Parts {
  readonly holdings: Holdings;
  readonly view: View;
}

/** How many own messages no hub has taken. */
export function waitingIn({ holdings }: Pick<Stock, "holdings">): number {
  let n = 0;
  for (const h of holdings.all()) if (h.delivery?.at === "phone" && !isMedia(h)) n++;
  return n;
}

async function open(s: State): Promise<void> {
  s.holdings.bury((await s.keep.dead()).sort(([, a], [, b]) => a.at - b.at));
  const [texts, parts] = await Promise.all([s.keep.texts(), s.keep.parts()]);
  const spoilt = texts.filter((k) => !admit(s, k)).map((k) => String(k?.id));
  for (const h of parts) if (!admitPart(s, h)) spoilt.push(String(h?.id));
  if (spoilt.length > 0) await s.keep.drop(spoilt, []);
  await letGo(s, s.holdings.expired(s.clock.now()));
  s.changed();
}

/** Enters what was kept, if it is still what it was: a disk may have spoilt it. Its signature was checked before it was kept. */
function admit(s: State, k: Kept): boolean {
  if (!(k?.wire instanceof Uint8Array) || !Number.isFinite(k.born) || !Number.isFinite(k.at)) return false;
  const message = decode(k.wire);
  if (isRefusal(message)) return false;
  const head = headOf(message, k.wire);
  if (head.id !== k.id) return false;
  const { born, at, since, delivery } = k;
  enter(s, { ...head, born, at, since: Number.isFinite(since) ? since : NaN, delivery }, message.body);
  return true;
}

function admitPart(s: State, h: Held): boolean {
  if (typeof h?.key !== "string" || h.key.length !== 77 || !isMedia(h) || !Number.isFinite(h.born) || !Number.isFinite(h.size)) return false;
  s.holdings.add(h);
  return true;
}

function enter(s: State, h: Held, body: Uint8Array): void {
  s.holdings.add(h);
  if (!isMedia(h)) s.view.add(h, body);
}

/** Why a message is not wanted here. */
function spare(s: State, head: Head, age: number): "known" | "passed" | undefined {
  if (s.holdings.get(head.id)) return "known";
  const grave = s.holdings.dead.get(head.key);
  const now = s.clock.now();
  return age >= head.lifetime || (grave && !opens(grave, now, now - age + head.lifetime, head.lifetime)) ? "passed" : undefined;
}

async function takeIn(s: State, list: readonly Checked[], delivery?: Delivery): Promise<Outcome[]> {
  const now = s.clock.now();
  const fresh = new Map<string, Entry & { readonly body: Uint8Array }>();
  const outcomes = list.map(({ head, message, wire, age }): Outcome => {
    const why = fresh.has(head.id) ? "known" : spare(s, head, age);
    if (why) return why;
    // What comes back counts from its first receipt, so that it lives no longer than it would have in its first life.
    const since = Math.min(now, (s.holdings.dead.get(head.key)?.at ?? Infinity) - head.lifetime);
    fresh.set(head.id, { held: { ...head, born: Math.min(now - age, since), at: s.wall(), since, delivery }, wire: wire.slice(), body: message.body });
    return "taken";
  });
  const entries = [...fresh.values()];
  if (entries.length === 0) return outcomes;
  await keepThem(s, entries);
  for (const e of entries) enter(s, e.held, e.body);
  await letGo(s, s.holdings.excess());
  s.came(entries.map((e) => e.held).filter((h) => s.holdings.get(h.id)));
  s.changed();
  return outcomes;
}

/** How often room is made for what comes before it is held in memory alone. */
const makingRoom = 4;

/** Keeps messages; where the phone has no room, older ones go. */
async function keepThem(s: State, entries: readonly Entry[]): Promise<void> {
  for (let i = 0; i < makingRoom; i++) {
    if ((await s.keep.put(entries)) === "kept") return;
    const old = s.holdings.oldest(100).filter((h) => !h.delivery);
    if (old.length === 0) break;
    await letGo(s, old);
  }
  s.keep.hold(entries);
}

/** Removes messages; they are not taken again, but for what died early. What a message took back goes with it. */
async function letGo(s: State, list: readonly Held[]): Promise<void> {
  if (list.length === 0) return;
  const all = new Set(list);
  for (const h of list) {
    if (h.kind !== kinds.retract) continue;
    for (const id of h.parents) {
      const target = s.holdings.get(id);
      if (target?.author === h.author) all.add(target);
    }
  }
  const dead: [string, Grave][] = [];
  for (const h of all) {
    s.holdings.remove(h.id);
    // Media that went for want of room may be asked for again by name, and are never pulled otherwise.
    if (isMedia(h)) continue;
    s.view.remove(h);
    dead.push([h.key, graveOf(h, s.clock.now())]);
  }
  s.holdings.bury(dead);
  await s.keep.drop([...all].map((h) => h.id), dead);
  s.changed();
}

/** Notes what became of an own message. */
async function deliver(s: State, id: string, delivery: Delivery): Promise<void> {
  const h = s.holdings.get(id);
  if (!h?.delivery) return;
  const next = { ...h, delivery };
  s.holdings.add(next);
  s.view.touch(id);
  s.changed();
  const wire = (await s.keep.wires([id])).get(id);
  if (wire) await s.keep.put([{ held: next, wire }]);
}

