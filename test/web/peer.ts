// The TypeScript end of the pipe: one JSON object a line in, one out. What the Go tests ask is in the operations below.

import { createInterface } from "node:readline";
import { toBase32 } from "../../cmd/longear/web/src/protocol/base32.ts";
import { type Author, type Tag, toHex } from "../../cmd/longear/web/src/protocol/bytes.ts";
import { readCard, writeCard } from "../../cmd/longear/web/src/protocol/card.ts";
import { newCarryReader, writeCarry } from "../../cmd/longear/web/src/protocol/carry.ts";
import { canonicalName, publicTag } from "../../cmd/longear/web/src/protocol/channel.ts";
import { channelKey } from "../../cmd/longear/web/src/protocol/channelkey.ts";
import { keyPair, openDirect, writeDirect } from "../../cmd/longear/web/src/protocol/direct.ts";
import { fromBase32 } from "../../cmd/longear/web/src/protocol/frombase32.ts";
import { idOf } from "../../cmd/longear/web/src/protocol/id.ts";
import type { Message } from "../../cmd/longear/web/src/protocol/message.ts";
import { read, readAll } from "../../cmd/longear/web/src/protocol/read.ts";
import { type Key, keyOf } from "../../cmd/longear/web/src/protocol/reconcile/key.ts";
import { keyBytes, keyFrom } from "../../cmd/longear/web/src/protocol/reconcile/prefix.ts";
import { type KeySet, type Scope, newKeySet, within } from "../../cmd/longear/web/src/protocol/reconcile/keyset.ts";
import { type Session, newSession } from "../../cmd/longear/web/src/protocol/reconcile/session.ts";
import type { Nodes } from "../../cmd/longear/web/src/protocol/reconcile/trie.ts";
import { decodeWants, encodeWants, matching } from "../../cmd/longear/web/src/protocol/reconcile/want.ts";
import { openSealed, seal } from "../../cmd/longear/web/src/protocol/seal.ts";
import { isRefusal } from "../../cmd/longear/web/src/protocol/verdict.ts";
import { write } from "../../cmd/longear/web/src/protocol/write.ts";

/** A message as both ends tell of it. */
interface Told {
  author: string;
  created: number;
  lifetime: number;
  channel: string;
  class: number;
  kind: number;
  flags: number;
  parents: string[];
  body: string;
  nonce: string;
}

/** Everything that a request may hold; the operation says what it does. */
interface Request {
  op: string;
  list: string[];
  text: string;
  seed: string;
  key: string;
  salt: string;
  initiator: boolean;
  quiet: boolean;
  scope: Scope;
  drafts: (Told & { seed: string })[];
}

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"));

function told(m: Message): Told {
  return {
    author: toHex(m.author),
    created: m.created,
    lifetime: m.lifetime,
    channel: toHex(m.channel),
    class: m.class,
    kind: m.kind,
    flags: m.flags,
    parents: m.parents.map(toHex),
    body: toHex(m.body),
    nonce: m.nonce.toString(),
  };
}

function readOne(hex: string): object {
  const wire = bytes(hex);
  const m = read(wire);
  if (isRefusal(m)) return { verdict: m };
  const id = idOf(wire);
  return { verdict: "accept", id: toBase32(id), key: toHex(keyBytes(keyOf(m, id))), ...told(m) };
}

function writeOne(d: Told & { seed: string }): string {
  const draft = {
    ...d,
    channel: bytes(d.channel) as Tag,
    parents: d.parents.map(bytes),
    body: bytes(d.body),
    nonce: BigInt(d.nonce),
  };
  return toHex(write(draft, bytes(d.seed)));
}

function messageOf(hex: string): Message {
  const m = read(bytes(hex));
  if (isRefusal(m)) throw new Error(m);
  return m;
}

function keyFromHex(hex: string): Key {
  const k = keyFrom(bytes(hex));
  if (k === undefined) throw new Error("no key: " + hex);
  return k;
}

// One end of a link, for the operations of reconciliation.
let set: KeySet = newKeySet();
let session: Session = newSession({ salt: new Uint8Array(16), initiator: false });
let scope: Scope = { floor: 0, ranks: 0 };

/** The set as the session sees it. */
function view(): Nodes {
  return within(set, scope);
}

/** What a pull of wants brings. */
function serve(hex: string): object {
  const wants = decodeWants(bytes(hex));
  if (!wants) return { malformed: true };
  const found = wants.map((w) => matching(view(), bytes(salt), w));
  if (found.includes("broad")) return { malformed: true };
  return { list: found.flatMap((keys) => (keys as Key[]).map((k) => toHex(keyBytes(k)))) };
}

let salt = "";

/** A link over a new set. */
function link(r: Request): object {
  set = newKeySet(r.list.map(keyFromHex));
  salt = r.salt;
  scope = r.scope;
  const refused = newKeySet(r.drafts.map((d) => keyFromHex(d.body)));
  const config = { salt: bytes(r.salt), initiator: r.initiator };
  session = newSession(refused.size() > 0 ? { ...config, refused: refused.keys } : config);
  return {};
}

function receive(hex: string): object {
  const got = session.receive(view(), bytes(hex));
  if (got === "malformed") return { malformed: true };
  return {
    text: got.reply ? toHex(got.reply) : "",
    due: got.reply !== undefined,
    done: got.done,
    wants: toHex(encodeWants(session.wants())),
    incomplete: session.incomplete(),
    equal: session.equal(),
  };
}

function carry(hex: string): string {
  const r = newCarryReader();
  const file = bytes(hex);
  const events = [];
  for (let at = 0; at < file.length; at += 1000) events.push(...r.push(file.subarray(at, at + 1000)));
  events.push(...r.end());
  return events.map((e) => ("damage" in e ? e.damage : `${e.age} ${toHex(e.wire)}`)).join("\n");
}

const operations: Record<string, (r: Request) => object> = {
  read: (r) => ({ results: r.list.map(readOne) }),
  batch: (r) => ({ list: readAll(r.list.map(bytes)).map((m) => (isRefusal(m) ? m : "accept")) }),
  write: (r) => ({ list: r.drafts.map(writeOne) }),
  names: (r) => ({
    list: r.list.map((hex) => {
      const name = canonicalName(bytes(hex));
      const known = /\p{Cn}/u.test(Buffer.from(bytes(hex)).toString()) ? "?" : "";
      return known + (name === undefined ? "" : name + " " + toBase32(publicTag(name)));
    }),
  }),
  cards: (r) => ({
    list: r.list.map((text) => {
      const c = readCard(text);
      return c ? toHex(c.author) + toHex(c.sealing) : "";
    }),
  }),
  card: (r) => ({ text: writeCard(bytes(r.seed), bytes(r.key)) }),
  carry: (r) => ({ list: r.list.map(carry) }),
  pack: (r) => ({ text: Buffer.concat([...writeCarry(r.list.map((hex, age) => ({ wire: bytes(hex), age })))]).toString("hex") }),
  seal: (r) => ({
    list: r.list.map((text) => {
      const key = channelKey(fromBase32(r.key, 32) ?? new Uint8Array(32));
      return toHex(seal(key, bytes(r.seed) as Author, bytes(text)) ?? new Uint8Array());
    }),
  }),
  open: (r) => ({
    list: r.list.map((hex) => {
      const text = openSealed(channelKey(fromBase32(r.key, 32) ?? new Uint8Array(32)), messageOf(hex));
      return typeof text === "string" ? text : "text " + toHex(text);
    }),
  }),
  letter: (r) => ({
    list: r.list.map((text) => toHex(writeDirect(bytes(r.seed), bytes(r.key), { created: 5, text: bytes(text) }) ?? new Uint8Array())),
  }),
  unfold: (r) => ({
    list: r.list.map((hex) => {
      const d = openDirect(keyPair(bytes(r.key)), messageOf(hex));
      return typeof d === "string" ? d : `${toHex(d.author)} ${d.created} ${toHex(d.text)}`;
    }),
  }),
  link,
  start: () => ({ text: toHex(session.start(view())) }),
  receive: (r) => receive(r.text),
  serve: (r) => serve(r.text),
  gain: (r) => {
    set.change(r.list.map(keyFromHex));
    return {};
  },
  end: (r) => {
    session.end(r.quiet);
    return {};
  },
  keys: () => ({ list: [...set.keys("")].map((k) => toHex(keyBytes(k))) }),
};

for await (const line of createInterface({ input: process.stdin })) {
  // What is empty is left out by the Go end.
  const r = { list: [], text: "", seed: "", key: "", salt: "", drafts: [], ...JSON.parse(line) } as Request;
  const run = operations[r.op];
  const out = run ? run(r) : { error: "no such operation: " + r.op };
  process.stdout.write(JSON.stringify(out) + "\n");
}
