// The reply to one reconciliation message: the table "Answers" of SPEC.md section 14. Items are answered in the order they
// came, newest first within each, and the first item that does not fit is the last one tried, so that what is left out is
// the oldest of the least urgent, and the peer knows up to where it has been answered.

import { toHex } from "../bytes.ts";
import { guess, listIsCheaper } from "./cost.ts";
import { type Item, flag, maxList } from "./item.ts";
import { type Prefix, childOf, childOrder, nibble } from "./prefix.ts";
import { open } from "./open.ts";
import { type Reply, load, met, note, send, sendList, spent, total } from "./reply.ts";
import { childPrint, rootPrint, shortID } from "./salt.ts";
import { type Pair, isSettled, makePair } from "./settled.ts";
import { leafSize, sumUnder, totalOf } from "./trie.ts";

/** Answers one item. */
export function answer(r: Reply, it: Item): void {
  if (spent(r)) return;
  switch (it.kind) {
    case "root":
      return answerRoot(r, it);
    case "only":
      return answerOnly(r, it);
    case "children":
      return answerChildren(r, it);
    case "list":
      return answerList(r, it);
    case "offer":
      return match(r, it);
    case "have":
      return answerHave(r, it);
  }
}

type Of<Kind extends Item["kind"]> = Extract<Item, { kind: Kind }>;

function answerRoot(r: Reply, it: Of<"root">): void {
  r.reads++;
  const mine = sumUnder(r.nodes, "");
  if (mine.count === it.count && rootPrint(r.config.salt, mine) === it.print) {
    r.equal = true;
    r.out.bytes[0] = flag.equal;
    return;
  }
  const pair = makePair("", hex(mine.hash), it.print);
  if (isSettled(r.settled, pair)) return;
  if (mine.count === 0) want(r, "");
  else if (it.count === 0) send(r, { kind: "have", p: "" });
  else open(r, "", openRoom, true);
  met(r, "", pair);
}

/** With so many fingerprints a comparison of unequal roots begins: fewer round trips for a few hundred bytes. */
const openRoom = 128;

/** "All my keys under p lie under rest": mine beside that path are new to the peer. */
function answerOnly(r: Reply, it: Of<"only">): void {
  for (let n = it.p.length; n < it.rest.length; n++) {
    const p = it.rest.slice(0, n);
    const mine = load(r, p);
    if (totalOf(mine) === 0 || spent(r)) return;
    for (const c of childOrder(p)) {
      const sum = mine[c];
      if (!sum?.hash || c === nibble(it.rest, n)) continue;
      const child = childOf(p, c);
      const pair = makePair(child, hex(sum.hash), "");
      if (isSettled(r.settled, pair)) continue;
      send(r, { kind: "have", p: child });
      met(r, child, pair);
    }
  }
}

/** A child that differs, and is to be acted on. */
interface Difference {
  readonly p: Prefix;
  readonly count: number; // of my keys
  readonly theirs: boolean; // the peer has keys too
  readonly pair: Pair;
}

/** Compares the children of a prefix one by one. */
function answerChildren(r: Reply, it: Of<"children">): void {
  const mine = load(r, it.p);
  if (totalOf(mine) === 0) return answerAbsent(r, it);
  const theirs = printsByChild(it);
  const differ: Difference[] = [];
  let compared = 0;
  let unequal = 0;
  for (const c of childOrder(it.p)) {
    if ((it.follow >> c) & 1) continue; // an item of its own tells
    const { count, hash } = mine[c] ?? { count: 0, hash: undefined };
    const print = theirs[c];
    if (!hash && print === undefined) continue;
    const both = hash !== undefined && print !== undefined;
    if (both) compared++;
    if (both && childPrint(r.config.salt, hash) === print) continue;
    const p = childOf(it.p, c);
    const pair = makePair(p, hex(hash), print ?? "");
    if (isSettled(r.settled, pair)) continue;
    if (both) unequal++;
    differ.push({ p, count, theirs: print !== undefined, pair });
  }
  const density = guess(compared, unequal);
  for (const d of differ) {
    if (spent(r)) return;
    answerDifference(r, d, density);
    met(r, d.p, d.pair);
  }
}

function answerDifference(r: Reply, d: Difference, density: number): void {
  if (d.count === 0) want(r, d.p);
  else if (r.left) return; // spares the work
  else if (!d.theirs) send(r, { kind: "have", p: d.p });
  else if (d.count <= leafSize || (d.count <= maxList && listIsCheaper(d.count, density))) sendList(r, d.p);
  else open(r, d.p, 0, false);
}

/** The fingerprints of an item, by child. */
function printsByChild(it: Of<"children">): (string | undefined)[] {
  let next = 0;
  return Array.from({ length: 16 }, (_, c) => (((it.present & ~it.follow) >> c) & 1 ? it.prints[next++] : undefined));
}

/**
 * Acts on a prefix where the peer has keys and this side has none: it wants all of it or, if some of it may be refused here, each
 * child by itself. (Asking for a list of all would bring the same children again, for ever.)
 */
function answerAbsent(r: Reply, it: Of<"children">): void {
  const pair = makePair(it.p, "", it.prints.join(""));
  if (isSettled(r.settled, pair)) return;
  if (!refuses(r, it.p)) {
    note(r, { p: it.p, shorts: [] });
  } else {
    for (const c of childOrder(it.p)) {
      if (((it.present & ~it.follow) >> c) & 1) want(r, childOf(it.p, c));
    }
  }
  met(r, it.p, pair);
}

/** Compares a list with my keys. */
function answerList(r: Reply, it: Of<"list">): void {
  const mine = total(r, it.p);
  // Where I have many more than the peer, descending finds whole subtries that are new to it, which cost less to name.
  if (mine > maxList || mine > 8 * it.shorts.length + 64) open(r, it.p, 0, false);
  else if (mine === 0 && it.shorts.length > 0 && !r.config.refused) want(r, it.p);
  else match(r, it);
}

/** The most refused keys visited for one message. */
const maxRefusals = 4 * 65_536;

/** Compares the short IDs of a list or an offer with my keys: what a list lacks is offered, what I lack is wanted. */
function match(r: Reply, it: Of<"list"> | Of<"offer">): void {
  const theirs = new Set(it.shorts);
  const known = new Set<string>();
  const offer: string[] = [];
  r.reads++;
  for (const k of r.nodes.keys(it.p)) {
    r.scanned++;
    if (spent(r)) return;
    const short = shortID(r.config.salt, k);
    if (theirs.has(short)) known.add(short);
    else if (offer.length < maxList) offer.push(short);
  }
  if (it.kind === "list" && offer.length > 0) send(r, { kind: "offer", p: it.p, shorts: offer });
  if (known.size < theirs.size && r.config.refused) {
    for (const k of r.config.refused(it.p)) {
      // Past the bound some that are refused are wanted after all: better than never to want the others.
      if (++r.refusals > maxRefusals) break;
      known.add(shortID(r.config.salt, k));
    }
  }
  const missing = it.shorts.filter((short) => !known.has(short)).sort();
  if (missing.length > 0) note(r, { p: it.p, shorts: missing });
}

/** "All I have under p is new to you". If keys came in meanwhile, or the peer lies, it is compared after all. */
function answerHave(r: Reply, it: Of<"have">): void {
  const mine = total(r, it.p);
  if (mine === 0) want(r, it.p);
  else if (mine <= maxList) sendList(r, it.p);
  else open(r, it.p, 0, false);
}

/** Asks for all under p, where I have nothing; or first for a list, by an empty one of mine, if I may refuse some of it. */
function want(r: Reply, p: Prefix): void {
  if (refuses(r, p)) send(r, { kind: "list", p, shorts: [] });
  else note(r, { p, shorts: [] });
}

function refuses(r: Reply, p: Prefix): boolean {
  if (!r.config.refused) return false;
  r.reads++;
  for (const _ of r.config.refused(p)) return true;
  return false;
}

function hex(hash: Uint8Array | undefined): string {
  return hash ? toHex(hash) : "";
}
