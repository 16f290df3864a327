// One link's reconciliation: rounds of messages, SPEC.md section 14, "A round". Bytes in, bytes out: it knows no network, and
// nothing that a peer sends makes it throw.

import { answer } from "./answer.ts";
import { type Item, addItem, asks, decodeItems, flag, maxBytes, newWriter } from "./item.ts";
import { type Config, newReply } from "./reply.ts";
import { rootPrint } from "./salt.ts";
import { type Settled, endRound, hear, heard, newSettled, sent } from "./settled.ts";
import { type Nodes, sumUnder } from "./trie.ts";
import { type Want, orderWants } from "./want.ts";

export type { Config } from "./reply.ts";

/** The most messages of a round, both ways. */
export const maxSteps = 40;

/** What follows from a message. */
export interface Received {
  /** What to send back; undefined if nothing is due. */
  readonly reply: Uint8Array | undefined;
  /** Whether the round is over, once the reply is sent. */
  readonly done: boolean;
}

/**
 * One end of a link. The initiator sends what `start` returns; then each side passes what it receives to `receive` and sends the
 * reply, until done. After each, `wants` is drained and pulled. When the round and the pulls are over, both call `end`.
 */
export interface Session {
  /** Begins a round and returns its first message. Only for the initiator; a round under way is dropped. */
  start(nodes: Nodes): Uint8Array;
  /** Takes a message. "malformed" is one that no honest peer sends: the link should be closed. */
  receive(nodes: Nodes, message: Uint8Array): Received | "malformed";
  /** What was found to be missing here, in the order to be pulled; it is then forgotten. */
  wants(): Want[];
  /** Whether either side left something out of the last round, so that another should follow soon. */
  incomplete(): boolean;
  /** Whether the last round found the two sets equal. */
  equal(): boolean;
  /** Closes a round. quiet says that no message moved because of it: what differed then counts as settled. */
  end(quiet: boolean): void;
}

/** What a session remembers. */
interface State {
  readonly config: Config;
  readonly settled: Settled;
  underWay: boolean;
  steps: number; // messages of the round so far, both ways
  incomplete: boolean; // one of them left something out
  equal: boolean; // the round found equal sets
  wants: Want[];
  wanted: number; // size of wants
}

/** A session with no round under way. A new salt takes a new session: what was settled goes with the old one. */
export function newSession(config: Config): Session {
  const s: State = {
    config,
    settled: newSettled(),
    underWay: false,
    steps: 0,
    incomplete: false,
    equal: false,
    wants: [],
    wanted: 0,
  };
  return {
    start: (nodes) => start(s, nodes),
    receive: (nodes, message) => receive(s, nodes, message),
    wants() {
      const found = orderWants(s.wants);
      s.wants = [];
      s.wanted = 0;
      return found;
    },
    incomplete: () => s.incomplete,
    equal: () => s.equal,
    end(quiet) {
      endRound(s.settled, quiet && !s.underWay, s.incomplete);
      s.underWay = false;
    },
  };
}

function start(s: State, nodes: Nodes): Uint8Array {
  const sum = sumUnder(nodes, "");
  begin(s);
  const w = newWriter();
  addItem(w, { kind: "root", p: "", count: sum.count, print: rootPrint(s.config.salt, sum) });
  return Uint8Array.from(w.bytes);
}

function begin(s: State): void {
  s.underWay = true;
  s.steps = 1;
  s.incomplete = s.equal = false;
  endRound(s.settled, false, true);
}

function receive(s: State, nodes: Nodes, message: Uint8Array): Received | "malformed" {
  const items = admit(s, message);
  if (!items) {
    s.underWay = false;
    return "malformed";
  }
  return reply(s, nodes, items);
}

/** Checks a message as a whole, before any of it is acted on. */
function admit(s: State, message: Uint8Array): Item[] | undefined {
  const head = message[0];
  if (head === undefined || head > 3 || message.length > maxBytes) return undefined;
  const items = decodeItems(message);
  if (!items) return undefined;
  const roots = items.filter((it) => it.kind === "root").length;
  for (const it of items) if (it.kind !== "root") hear(s.settled, it);
  if (roots > 0) {
    if (s.config.initiator || items.length > 1) return undefined;
    begin(s);
  } else {
    s.steps++;
    if (s.steps > maxSteps || !s.underWay) return undefined;
  }
  if (head & flag.equal) {
    if (items.length > 0 || !s.config.initiator || s.steps !== 2 || head !== flag.equal) return undefined;
    s.equal = true;
  }
  const left = (head & flag.incomplete) !== 0;
  s.incomplete ||= left;
  heard(s.settled, left);
  return items;
}

function reply(s: State, nodes: Nodes, items: readonly Item[]): Received {
  const r = newReply({ nodes, config: s.config, settled: s.settled, wants: s.wants, wanted: s.wanted });
  for (const it of items) answer(r, it);
  s.wanted = r.wanted;
  s.equal ||= r.equal;
  if (!items.some(asks)) {
    s.incomplete ||= r.left;
    s.underWay = false;
    return { reply: undefined, done: true };
  }
  s.steps++;
  const late = r.out.asks && s.steps >= maxSteps;
  const left = r.left || late;
  const bytes = Uint8Array.from(late ? [0] : r.out.bytes);
  if (left) {
    s.incomplete = true;
    bytes[0] = (bytes[0] ?? 0) | flag.incomplete;
  }
  sent(s.settled, left);
  s.underWay = r.out.asks && !late;
  return { reply: bytes, done: !s.underWay };
}
