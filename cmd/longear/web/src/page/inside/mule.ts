// This phone as a carrier: what it holds is offered to each hub it meets, and what the hub has beyond is fetched, by difference (POST
// /guest/sync). Texts and alerts go both ways by themselves; parts of photos are only given, since whoever wants to see one asks.

import { concat, random } from "../../protocol/bytes.ts";
import { uvarint } from "../../protocol/uvarint.ts";
import {
  type Key,
  type KeySet,
  type Nodes,
  type Scope,
  type Session,
  type Want,
  floorStep,
  matching,
  newKeySet,
  newSession,
  within,
} from "../../protocol/reconcile/reconcile.ts";
import type { Arrival, Outcome } from "./check.ts";
import type { Grave } from "./early.ts";
import { type Pull, doneFrame, doneIn, frame, frameOf, framesIn, messagesIn, pullFrame, pullIn, scopeBytes, scopeIn } from "./frames.ts";
import { type Held, isMedia } from "./head.ts";
import { ageOf, recordOf, toBase64 } from "./giving.ts";
import { type Hub, Wrong } from "./hub.ts";

/** What a carrier needs of this phone. */
export interface Load {
  readonly held: () => Iterable<Held>;
  readonly dead: ReadonlyMap<Key, Grave>;
  readonly now: () => number; // running time
  readonly wires: (ids: readonly string[]) => Promise<Map<string, Uint8Array>>;
  readonly take: (list: readonly Arrival[]) => Promise<Outcome[]>;
  /** Whether LOCAL_ONLY messages may pass to this hub. */
  readonly local: boolean;
  readonly most: number; // messages that this phone holds
}

/** What an exchange came to. */
export interface Exchange {
  readonly took: number;
  readonly gave: number;
  readonly refused: number; // what the hub gave that was not what it said
}

/** Bounds of one request and of one exchange. */
const bodyMost = 850_000; // of the 1 MiB: frames of comparing come on top
const pageMost = 64 << 10;
const openPulls = 2;
const turnsMost = 400;
const pulledBytes = 16 << 20;

/** Ranks of what goes both ways, and of what is only given. */
const textRanks = 0b011;
const mediaRanks = 0b100;

/** One exchange with a hub. Fails as the calls to the hub do, and with Wrong when the hub breaks the protocol. */
export async function exchange(hub: Hub, load: Load, wanted: Scope): Promise<Exchange> {
  const byKey = new Map<Key, Held>();
  let media = 0;
  for (const h of load.held()) {
    if (h.local && !load.local) continue;
    byKey.set(h.key, h);
    if (isMedia(h)) media++;
  }
  const salt = random(16);
  const refused = newKeySet(refusedOf(load.dead, load.now()));
  const session = newSession({ salt, initiator: true, ...(refused.size() > 0 && { refused: (p: string) => refused.keys(p) }) });
  const keys = newKeySet(byKey.keys());
  const total = { took: 0, gave: 0, refused: 0 };
  const turns: Turns = { hub, load, byKey, keys, salt, session, name: toBase64(salt), total, number: 0, turns: 0, pulled: 0 };
  const floor = Math.max(floorOf(keys, load.most), wanted.floor);
  await round(turns, { floor, ranks: wanted.ranks === 0 ? textRanks : wanted.ranks & textRanks }, true);
  if (media > 0 && (wanted.ranks === 0 || wanted.ranks & mediaRanks)) await round(turns, { floor: wanted.floor, ranks: mediaRanks }, false);
  return total;
}

/** For so long after an early death the honest copies that others hold are dying too, and may be offered until they are swept. */
const earlyAfter = 2 ** 20 + 60_000;

/** Who of the dead is not looked for: all but those that may come back. */
function* refusedOf(dead: ReadonlyMap<Key, Grave>, now: number): Generator<Key> {
  for (const [key, { at, died }] of dead) if (!(now >= died + earlyAfter && now < at)) yield key;
}

/** A phone that is nearly full wants nothing older than the oldest tenth of its texts: it would only drop something newer for it. */
function floorOf(keys: KeySet, most: number): number {
  const texts = [...keys.keys("1")];
  if (texts.length < most * 0.9) return 0;
  const created = parseInt((texts[texts.length / 10 | 0] ?? "").slice(1, 13), 16) || 0;
  return Math.floor(created / floorStep) * floorStep;
}

interface Turns {
  readonly hub: Hub;
  readonly load: Load;
  readonly byKey: ReadonlyMap<Key, Held>;
  readonly keys: KeySet;
  readonly salt: Uint8Array;
  readonly session: Session;
  readonly name: string;
  readonly total: { took: number; gave: number; refused: number };
  number: number; // of our last pull
  turns: number;
  pulled: number; // bytes
}

/** What a round does in its next request. */
interface Round {
  scope: Scope;
  nodes: Nodes; // the keys within it
  readonly pulls: boolean; // whether what is missing here is fetched
  readonly open: Map<number, Pull>;
  wants: Want[];
  moved: boolean;
  out: Uint8Array[];
  size: number; // bytes of messages in out
}

async function round(t: Turns, scope: Scope, pulls: boolean): Promise<void> {
  if (scope.ranks === 0) return;
  const r: Round = { scope, nodes: t.keys, pulls, open: new Map(), wants: [], moved: false, out: [], size: 0 };
  begin(t, r);
  while (r.out.length > 0) {
    if (++t.turns > turnsMost) throw new Wrong("an exchange without end");
    const body = concat(...r.out);
    r.out = [];
    r.size = 0;
    await turn(t, r, await t.hub.sync(t.name, body));
  }
  t.session.end(!r.moved);
}

function begin(t: Turns, r: Round): void {
  r.nodes = within(t.keys, r.scope);
  r.out = [frameOf(frame.round, scopeBytes(r.scope), t.session.start(r.nodes))];
}

/** Acts on the hub's turn. */
async function turn(t: Turns, r: Round, body: Uint8Array): Promise<void> {
  const came: Arrival[] = [];
  for (const f of framesIn(body) ?? fail("no frames")) {
    switch (f.kind) {
      case frame.round:
        narrow(t, r, scopeIn(f.payload) ?? fail("a scope"));
        break;
      case frame.recon: {
        const got = t.session.receive(r.nodes, f.payload);
        if (got === "malformed") fail("a reconciliation message");
        else if (got.reply) r.out.push(frameOf(frame.recon, got.reply));
        r.wants.push(...t.session.wants().flatMap((w) => byRank(w, r.scope)));
        break;
      }
      case frame.pull:
        r.moved = true;
        await give(t, r, pullIn(f.payload) ?? fail("a pull"));
        break;
      case frame.messages: {
        const m = messagesIn(f.payload) ?? fail("messages");
        if (r.open.has(m.number)) came.push(...m.records);
        t.pulled += f.payload.length;
        break;
      }
      case frame.done:
        goOn(t, r, doneIn(f.payload) ?? fail("an end"));
    }
  }
  if (came.length > 0) await take(t, came);
  // What the bounds do not let in is left for another time: the newest came first.
  if (!r.pulls || t.pulled > pulledBytes || t.total.took >= t.load.most) r.wants = [];
  while (r.wants.length > 0 && r.open.size < openPulls) ask(t, r, { wants: nextWants(r), below: undefined });
}

function fail(what: string): never {
  throw new Wrong(`the hub breaks the protocol: ${what}`);
}

/** The hub wants less: once more, within what both want. */
function narrow(t: Turns, r: Round, theirs: Scope): void {
  const ranks = theirs.ranks === 0 ? r.scope.ranks : r.scope.ranks & theirs.ranks;
  const next = { floor: Math.max(r.scope.floor, theirs.floor), ranks };
  if (ranks === 0 || (next.floor === r.scope.floor && ranks === r.scope.ranks)) return;
  r.scope = next;
  begin(t, r);
}

/** "All there is" would be all ranks; what is outside the scope is not asked for. */
function byRank(w: Want, scope: Scope): Want[] {
  return w.p === "" ? [0, 1, 2].filter((rank) => (scope.ranks >> rank) & 1).map((rank) => ({ p: String(rank), shorts: w.shorts })) : [w];
}

/** The wants of one pull: not more than a hub takes, and a want of everything ends it. */
function nextWants(r: Round): Want[] {
  const out: Want[] = [];
  let shorts = 0;
  while (r.wants.length > 0 && out.length < 512 && shorts < 2048) {
    const w = r.wants.shift();
    if (!w) break;
    out.push(w);
    shorts += w.shorts.length;
    if (w.shorts.length === 0) break;
  }
  return out;
}

function ask(t: Turns, r: Round, p: Omit<Pull, "number">): void {
  const pull = { ...p, number: ++t.number };
  r.moved = true;
  r.open.set(pull.number, pull);
  r.out.push(pullFrame(pull));
}

/** Ends a pull of ours, or goes on with it where the answer ended. */
function goOn(t: Turns, r: Round, d: ReturnType<typeof doneIn> & object): void {
  const p = r.open.get(d.number);
  if (!p) return;
  r.open.delete(d.number);
  if (!d.more || t.pulled > pulledBytes || t.total.took >= t.load.most) return;
  const { at, below } = d.more;
  const want = p.wants[at];
  if (!want || !below.startsWith(want.p) || (at === 0 && p.below !== undefined && below >= p.below)) fail("an answer that goes on where it was");
  ask(t, r, { wants: p.wants.slice(at), below });
}

async function take(t: Turns, came: readonly Arrival[]): Promise<void> {
  const outcomes = await t.load.take(came);
  t.total.took += outcomes.filter((o) => o === "taken").length;
  t.total.refused += outcomes.filter((o) => o === "refused").length;
  if (t.total.refused > 0) fail("messages that are not what they say");
}

/** Answers a pull of the hub's, as far as this request goes. */
async function give(t: Turns, r: Round, p: Pull): Promise<void> {
  let page: (Uint8Array | readonly number[])[] = [uvarint(p.number)];
  let size = 0;
  const flush = (): void => {
    if (page.length > 1) r.out.push(frameOf(frame.messages, ...page));
    page = [uvarint(p.number)];
    size = 0;
  };
  let below = p.below;
  for (let at = 0; at < p.wants.length; at++, below = undefined) {
    const keys = matching(r.nodes, t.salt, p.wants[at] as Want);
    if (keys === "broad") fail("a pull of what was never told");
    const list = keys.filter((k) => below === undefined || k < below).reverse();
    for (let i = 0; i < list.length; i += 64) {
      const part = list.slice(i, i + 64).flatMap((k) => t.byKey.get(k) ?? []);
      const wires = await t.load.wires(part.map((h) => h.id));
      for (const h of part) {
        const wire = wires.get(h.id);
        if (!wire) continue;
        const record = recordOf({ wire, age: ageOf(h, t.load.now()) });
        page.push(record);
        size += record.length;
        r.size += record.length;
        t.total.gave++;
        if (size >= pageMost) flush();
        if (r.size >= bodyMost) {
          flush();
          r.out.push(doneFrame({ number: p.number, more: { at, below: h.key } }));
          return;
        }
      }
    }
  }
  flush();
  r.out.push(doneFrame({ number: p.number, more: undefined }));
}
