// Pairs that turned out to have nothing to give each other, SPEC.md section 14, "Settled pairs". They count as equal from
// then on: two sets that differ for good, since one side refuses what the other keeps, would otherwise be gone through in
// every round.
//
// What is met in a round waits until the round is known to have moved nothing. If the whole round left nothing out, all of it
// is kept, otherwise only what is sure: places about which both sides have said all they had to.

import type { Item } from "./item.ts";
import type { Prefix } from "./prefix.ts";

/** A place, my hash of it and the peer's fingerprint, as one text. */
export type Pair = string;

/** The pair of a place: hashes and fingerprints in hexadecimal, empty for none. */
export function makePair(p: Prefix, mine: string, theirs: string): Pair {
  return `${p}|${mine}|${theirs}`;
}

/** The most pairs of each of two generations, in place of an exact order of use; and of each list that waits. */
const half = 2048;

/** How a message goes on about a place: not at all or with an offer, which ends it; with a list, to which I have one more
 * answer; with anything else. */
const step = { none: 0, list: 1, more: 2 } as const;

/** A pair on which the last message sent had an item or a want. The prefixes of one message do not overlap. */
interface Meeting {
  readonly p: Prefix;
  readonly pair: Pair;
  step: number;
}

/** What a link remembers. */
export interface Settled {
  young: Set<Pair>;
  old: Set<Pair>;
  sure: Pair[];
  rest: Pair[];
  held: Pair[]; // what the peer listed: sure once my answer to the lists is complete
  met: Meeting[]; // what the last message sent was about, in its order
  places: Map<Prefix, number>; // of met, once the message was sent
  last: number; // of met: what the peer's last item was about
}

/** Nothing remembered. */
export function newSettled(): Settled {
  return { young: new Set(), old: new Set(), sure: [], rest: [], held: [], met: [], places: new Map(), last: 0 };
}

/** Whether a pair counts as equal. */
export function isSettled(s: Settled, pair: Pair): boolean {
  if (s.young.has(pair)) return true;
  if (!s.old.has(pair)) return false;
  keep(s, pair);
  return true;
}

/** Records a pair dealt with in full in the message being written. */
export function noteMet(s: Settled, p: Prefix, pair: Pair): void {
  if (s.met.length < half) s.met.push({ p, pair, step: step.none });
}

/** Is told of each item in the peer's next message, in order. */
export function hear(s: Settled, it: Item): void {
  const i = covering(s.places, it.p);
  const m = i === undefined ? undefined : s.met[i];
  if (i === undefined || !m) return;
  s.last = i;
  if (it.kind === "list") m.step = Math.max(m.step, step.list);
  else if (it.kind !== "offer") m.step = step.more;
}

/** Is told that the message has ended. If it left something out, it has answered what stands before its last place. */
export function heard(s: Settled, incomplete: boolean): void {
  const answered = incomplete ? s.last : s.met.length;
  s.met.forEach((m, i) => {
    if (i < answered && m.step === step.none) append(s.sure, m.pair);
    else if (i < answered && m.step === step.list) s.held.push(m.pair);
    else append(s.rest, m.pair);
  });
  s.met = [];
  s.places.clear();
  s.last = 0;
}

/** Is told that a reply has been written, and whether something was left out of it. */
export function sent(s: Settled, incomplete: boolean): void {
  for (const pair of s.held.splice(0)) append(incomplete ? s.rest : s.sure, pair);
  s.met.forEach((m, i) => s.places.set(m.p, i));
}

/** Closes a round; quiet says that no message moved on account of it. */
export function endRound(s: Settled, quiet: boolean, incomplete: boolean): void {
  heard(s, incomplete);
  sent(s, incomplete);
  if (quiet) for (const pair of s.sure) keep(s, pair);
  if (quiet && !incomplete) for (const pair of s.rest) keep(s, pair);
  s.sure = [];
  s.rest = [];
}

function keep(s: Settled, pair: Pair): void {
  if (s.young.size >= half) [s.old, s.young] = [s.young, new Set()];
  s.young.add(pair);
}

function append(to: Pair[], pair: Pair): void {
  if (to.length < half) to.push(pair);
}

/** The place among those of the last message that a prefix is or lies under. */
function covering(places: ReadonlyMap<Prefix, number>, p: Prefix): number | undefined {
  if (places.size === 0) return undefined;
  for (let n = p.length; n >= 0; n--) {
    const i = places.get(p.slice(0, n));
    if (i !== undefined) return i;
  }
  return undefined;
}
