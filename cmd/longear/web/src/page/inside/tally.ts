// Counts of what authors answer to messages (SPEC.md, "Responses"): of each author the latest answer, and no other. A count changes
// by one answer at a time, so that a poll with thousands of votes costs no more for the next one than a new poll.

import type { Answer, Tally } from "../core.ts";

/** An answer as it was signed. */
export interface Said {
  readonly key: string; // of its message: orders by created and ID behind its first digit
  readonly author: string;
  readonly tag: string;
  readonly answer: Answer;
}

/** What is known of the message that is answered. */
export interface Target {
  readonly tag: string;
  readonly kind: "petition" | "poll" | "other";
  readonly options: number; // of a poll
  readonly most: number;
}

/** All answers that this phone holds. */
export interface Tallies {
  readonly hear: (target: string, said: Said) => void;
  readonly unhear: (target: string, said: Said) => void;
  /** Tells what is answered, or that it is gone. Until then its answers wait. */
  readonly know: (id: string, target: Target | undefined) => void;
  readonly of: (id: string, me: string) => Tally;
}

/** So many different reactions are shown: there are not more that somebody means. */
const mostReactions = 16;

interface Count {
  readonly said: Map<string, Said[]>; // by author; the latest last
  target: Target | undefined;
  confirms: number;
  contradicts: number;
  signs: number;
  voters: number;
  votes: number[];
  reactions: Map<string, number>;
}

const none: Tally = { confirms: 0, contradicts: 0, signs: 0, votes: [], voters: 0, reactions: [], mine: undefined };

/** No answers. */
export function newTallies(): Tallies {
  const counts = new Map<string, Count>();
  const at = (id: string): Count => {
    let c = counts.get(id);
    if (!c) counts.set(id, (c = { said: new Map(), ...zero(undefined) }));
    return c;
  };
  return {
    hear: (target, said) => change(at(target), said, true),
    unhear: (target, said) => {
      change(at(target), said, false);
      if (at(target).said.size === 0 && !at(target).target) counts.delete(target);
    },
    know: (id, target) => {
      const c = at(id);
      Object.assign(c, zero(target));
      for (const list of c.said.values()) apply(c, latest(c, list), 1);
      if (c.said.size === 0 && !target) counts.delete(id);
    },
    of: (id, me) => {
      const c = counts.get(id);
      return c?.target ? tally(c, c.target, me) : none;
    },
  };
}

function zero(target: Target | undefined): Omit<Count, "said"> {
  return {
    target,
    confirms: 0,
    contradicts: 0,
    signs: 0,
    voters: 0,
    votes: new Array<number>(target?.options ?? 0).fill(0),
    reactions: new Map(),
  };
}

function change(c: Count, said: Said, heard: boolean): void {
  const list = c.said.get(said.author) ?? [];
  apply(c, latest(c, list), -1);
  const next = list.filter((s) => s.key !== said.key);
  if (heard) next.push(said);
  next.sort((a, b) => (a.key.slice(1) < b.key.slice(1) ? -1 : 1));
  if (next.length > 0) c.said.set(said.author, next);
  else c.said.delete(said.author);
  apply(c, latest(c, next), 1);
}

/** The answer of an author that counts: the latest of those in the channel of the target. */
function latest(c: Count, list: readonly Said[]): Said | undefined {
  for (let i = list.length - 1; i >= 0; i--) if (c.target && list[i]?.tag === c.target.tag) return list[i];
  return undefined;
}

function apply(c: Count, said: Said | undefined, by: number): void {
  const a = said?.answer;
  if (!a || !c.target) return;
  switch (a.kind) {
    case "confirm":
      c.confirms += by;
      break;
    case "contradict":
      c.contradicts += by;
      break;
    case "sign":
      if (c.target.kind === "petition") c.signs += by;
      break;
    case "vote":
      if (!fits(a.options, c.target)) break;
      c.voters += by;
      for (const i of a.options) c.votes[i] = (c.votes[i] ?? 0) + by;
      break;
    case "react": {
      const n = (c.reactions.get(a.text) ?? 0) + by;
      if (n > 0) c.reactions.set(a.text, n);
      else c.reactions.delete(a.text);
    }
  }
}

function fits(options: readonly number[], t: Target): boolean {
  return t.kind === "poll" && options.length <= t.most && options.every((i) => i < t.options);
}

function tally(c: Count, t: Target, me: string): Tally {
  const mine = latest(c, c.said.get(me) ?? [])?.answer;
  return {
    confirms: c.confirms,
    contradicts: c.contradicts,
    signs: c.signs,
    votes: t.kind === "poll" ? c.votes.slice() : [],
    voters: c.voters,
    reactions: [...c.reactions]
      .map(([text, count]) => ({ text, count }))
      .sort((a, b) => b.count - a.count || (a.text < b.text ? -1 : 1))
      .slice(0, mostReactions),
    mine: mine?.kind === "withdraw" ? undefined : mine,
  };
}
