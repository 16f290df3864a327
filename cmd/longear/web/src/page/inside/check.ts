// Signatures are checked here, many at a time and between other things: what is on the screen first, then in the order of arrival.
// Nothing goes further into the page that was not checked.

import type { Signed } from "../../protocol/batch.ts";
import { verify } from "../../protocol/ed25519.ts";
import { signedBytes } from "../../protocol/id.ts";
import { type Message, contentOf, decode } from "../../protocol/message.ts";
import { isRefusal } from "../../protocol/verdict.ts";
import { restIfThere } from "./ahead.ts";
import { type Head, headOf, rankOf } from "./head.ts";

/** Bytes that claim to be a message, and how long they have been travelling, in ms. */
export interface Arrival {
  readonly wire: Uint8Array;
  readonly age: number;
}

/** What became of one. "refused": it is not what it says it is. */
export type Outcome = "taken" | "known" | "passed" | "refused";

/** A message whose signature is its author's. */
export interface Checked {
  readonly head: Head;
  readonly message: Message;
  readonly wire: Uint8Array;
  readonly age: number;
}

/** Where what was checked goes, and what need not be checked. */
export interface Behind {
  /** Why a message is not wanted, or undefined. */
  readonly spare: (head: Head, age: number) => "known" | "passed" | undefined;
  readonly take: (list: readonly Checked[]) => Promise<Outcome[]>;
}

/** Checks messages. */
export interface Check {
  /** Checks these, and says what became of each. */
  readonly all: (list: readonly Arrival[]) => Promise<Outcome[]>;
  /** Says what is on the screen: the tag of a channel, or "" for all. */
  readonly looking: (tag: string) => void;
}

interface Waiting extends Checked {
  readonly done: (o: Outcome) => void;
}

/** As many at a time as make checking cheapest, and keep a slow phone busy for an eighth of a second. */
const batch = 64;
/** The first ones are to be seen soon, and without the rest of the inside they are checked one by one. */
const firstBatch = 8;

/** A queue with nothing in it. */
export function newCheck(behind: Behind, pause: () => Promise<void> = breathe): Check {
  let waiting: Waiting[] = [];
  let tag = "";
  let busy = false;
  const work = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    for (let n = firstBatch; waiting.length > 0; n = restIfThere ? batch : firstBatch) {
      const now = choose(waiting, tag, n);
      waiting = waiting.filter((w) => !now.includes(w));
      await settle(now, behind);
      await pause();
    }
    busy = false;
  };
  return {
    all: (list) => {
      const outcomes = list.map(({ wire, age }) => {
        const message = decode(wire);
        // A later version is nobody's lie.
        if (isRefusal(message)) return Promise.resolve<Outcome>(message === "ignore: version" ? "passed" : "refused");
        const head = headOf(message, wire);
        const spare = behind.spare(head, age);
        if (spare) return Promise.resolve<Outcome>(spare);
        return new Promise<Outcome>((done) => waiting.push({ head, message, wire, age, done }));
      });
      void work();
      return Promise.all(outcomes);
    },
    looking: (at) => (tag = at),
  };
}

/** The next n: alerts and what is looked at first. */
function choose(waiting: readonly Waiting[], tag: string, n: number): Waiting[] {
  const seen = waiting.filter((w) => rankOf(w.head) === 0 || (tag !== "" && w.head.tag === tag));
  return seen.length >= n ? seen.slice(0, n) : [...seen, ...waiting.filter((w) => !seen.includes(w)).slice(0, n - seen.length)];
}

async function settle(list: readonly Waiting[], behind: Behind): Promise<void> {
  const signed = list.map(({ wire, message: { author, signature } }): Signed => ({ author, bytes: signedBytes(contentOf(wire)), signature }));
  const valid = restIfThere?.verifyAll(signed) ?? signed.map((s) => verify(s.author, s.bytes, s.signature));
  list.filter((_, i) => !valid[i]).forEach((w) => w.done("refused"));
  const good = list.filter((_, i) => valid[i]);
  const outcomes = await behind.take(good).catch(() => [] as Outcome[]);
  good.forEach((w, i) => w.done(outcomes[i] ?? "passed"));
}

/** Lets whatever else waits have its turn. */
function breathe(): Promise<void> {
  return new Promise((done) => setTimeout(done, 0));
}
