// The whole inside over a hub in memory: what is written is kept first and goes out when it can; tabs know of each other.

import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { afterEach, mock, test } from "node:test";
import { idOf } from "../../protocol/id.ts";
import { kinds } from "../../protocol/message.ts";
import { encodeAnswer } from "../../protocol/encode.ts";
import { atOnce, isOld } from "../again.ts";
import { Failure, type Snapshot } from "../core.ts";
import { newMirror } from "../mirror.ts";
import type { Calls } from "./delta.ts";
import { type TestHub, authorText, eventData, messageBy, testHub, until } from "./imitation.ts";
import { newInside } from "./inside.ts";
import { type Life, remute } from "./life.ts";
import { tagOf } from "./memory.ts";

/** Channels between tabs, of one test. */
function newAir(): (name: string) => BroadcastChannel {
  const all = new Set<{ onmessage: ((e: { data: unknown }) => void) | null }>();
  return () => {
    const own = {
      onmessage: null,
      postMessage: (data: unknown) => all.forEach((o) => o !== own && setTimeout(() => o.onmessage?.({ data: structuredClone(data) }))),
    };
    all.add(own);
    return own as unknown as BroadcastChannel;
  };
}

/** The pages that a test has opened. */
const opened: Calls[] = [];
// Their lines and timers would keep a failure from being told.
afterEach(async () => {
  for (const calls of opened.splice(0)) await calls.forget();
});

function tab(hub: TestHub, where: "phone" | "tab", channel = newAir()): { calls: Calls; now: () => Snapshot; log: string[] } {
  const mirror = newMirror((f) => void setTimeout(f));
  const log: string[] = [];
  const calls = newInside({
    database: where === "phone" ? indexedDB : undefined,
    hub,
    hands: { wall: () => Date.now(), mono: () => performance.now() },
    local: true,
    channel,
    tell: (d) => mirror.apply(structuredClone(d)),
    log: (text) => log.push(text),
  });
  opened.push(calls);
  return { calls, now: mirror.now, log };
}

const say = (text: string) => ({ kind: "post", channel: "#Water", text, alert: false }) as const;
const deliveries = (s: Snapshot): unknown[] => s.posts.map((p) => p.delivery?.at);

test("out of reach, then at the hub, then carried; a second tab, a next visit, and forgetting", async () => {
  const hub = testHub();
  const air = newAir();
  hub.out = true;
  const one = tab(hub, "phone", air);
  await until("ready", () => one.now().ready);
  assert.deepEqual([one.now().author, one.now().posts], ["", []]);
  await one.calls.write(say("first"));
  await until("kept", () => deliveries(one.now())[0] === "phone");
  assert.deepEqual([one.now().waiting, one.now().line, one.now().author.length], [1, "away", 52]);
  const two = tab(hub, "phone", air);
  await until("the second tab has it", () => two.now().posts.length === 1 && two.now().author === one.now().author);
  hub.out = false;
  await one.calls.poke();
  await until("at the hub", () => deliveries(one.now())[0] !== "phone");
  assert.equal(one.now().waiting, 0);
  await one.calls.write(say("second"));
  await until("the second tab has both", () => two.now().posts.length === 2);
  hub.say("message", eventData(messageBy(5, { text: "of others" })));
  await until("both hear", () => one.now().posts.length === 3 && two.now().posts.length === 3);
  await until("carried", () => deliveries(one.now()).includes("carried"));
  const three = tab(hub, "phone", air);
  await until("the next visit", () => three.now().posts.length === 3);
  assert.equal(three.now().author, one.now().author);
  await one.calls.forget();
  for (const t of [one, two, three]) {
    await until("forgotten", () => t.now().posts.length === 0 && t.now().author === "");
    assert.deepEqual([t.now().rooms, t.now().carrying, t.now().line], [[], 0, "away"]);
  }
  const before = three.now().author;
  const four = tab(hub, "phone", newAir());
  await until("ready", () => four.now().ready);
  assert.deepEqual([four.now().author, four.now().posts], [before, []]);
  await four.calls.forget();
  await one.calls.write(say("again"));
  await until("a new key", () => one.now().author.length === 52 && one.now().posts.length === 1);
});

test("a hub that refuses, is full, or is too busy", async () => {
  const hub = testHub();
  hub.word = "full";
  const t = tab(hub, "tab");
  await t.calls.write(say("x"));
  await until("full", () => t.now().line === "full" && t.now().waiting === 1);
  assert.equal(t.now().keeping, "tab");
  hub.word = "muted";
  await t.calls.write(say("y"));
  await until("refused", () => deliveries(t.now()).every((d) => d === "refused"));
  hub.word = "kept";
  hub.start = "bbbb"; // another hub
  hub.say("hello", "{}");
  await until("another hub took them", () => deliveries(t.now()).every((d) => d === "hub" || d === "carried"));
  const busy = testHub();
  busy.busy = true;
  const u = tab(busy, "tab");
  await until("busy", () => u.now().line === "busy" && !u.now().looked);
  busy.busy = false;
  await u.calls.poke();
  await until("and then not", () => u.now().line === "live" && u.now().looked);
  // The stream stays open, and everything else is answered by 429.
  busy.busy = true;
  await u.calls.poke();
  await until("busy again", () => u.now().line === "busy");
  busy.busy = false;
  await u.calls.poke();
  await until("live again", () => u.now().line === "live");
  busy.out = true;
  await u.calls.poke();
  await until("away", () => u.now().line === "away");
});

test("a hub that lies is said to, and nothing of it is kept", async () => {
  const hub = testHub();
  const t = tab(hub, "tab");
  await until("live", () => t.now().line === "live");
  for (let i = 0; i < 3; i++) {
    const wire = messageBy(6, { text: `forged ${i}` });
    wire[wire.length - 1] = (wire[wire.length - 1] ?? 0) ^ 1;
    hub.say("message", eventData(wire));
  }
  hub.say("message", "{no json");
  hub.say("message", eventData(messageBy(6, { text: "true" })));
  await until("the true one", () => t.now().posts.length === 1 && t.now().lies === 3);
  assert.ok(t.log.length > 0 && t.now().carrying === 1);
});

test("what cannot be written is said in words of the catalogue", async () => {
  const t = tab(testHub(), "tab");
  const saying = async (f: () => Promise<unknown>): Promise<string> => f().then(() => "nothing", (e: unknown) => (e instanceof Failure ? e.say : String(e)));
  assert.equal(await saying(() => t.calls.write(say(" "))), "empty_text");
  assert.equal(await saying(() => t.calls.write(say("x".repeat(32_769)))), "too_long");
  assert.equal(await saying(() => t.calls.write({ ...say("x"), channel: "no name" })), "bad_channel");
  assert.equal(await saying(() => t.calls.addChannel("!")), "bad_channel");
  assert.equal(await saying(() => t.calls.rename("x".repeat(65))), "bad_name");
  assert.equal(await saying(() => t.calls.write({ kind: "poll", channel: "all", text: "?", options: ["one"], most: 1 })), "bad_draft");
  assert.equal(await saying(() => t.calls.respond("unknown", { kind: "confirm" })), "failed");
  assert.equal(await saying(() => t.calls.photo("unknown")), "failed");
});

test("answers, a name, a photo; a carry file to another phone", async () => {
  const t = tab(testHub(), "tab");
  await t.calls.rename("blue kettle");
  await t.calls.write({ kind: "poll", channel: "all", text: "Where?", options: ["east", "west"], most: 1 });
  await until("shown", () => t.now().posts.length === 1);
  const poll = t.now().posts[0];
  await t.calls.respond(poll?.id ?? "", { kind: "vote", options: [0] });
  await t.calls.respond(poll?.id ?? "", { kind: "vote", options: [1] });
  await until("the second counts", () => t.now().posts[0]?.tally.votes[1] === 1);
  assert.deepEqual([t.now().posts[0]?.tally.votes, t.now().posts[0]?.tally.voters, t.now().posts[0]?.name], [[0, 1], 1, "blue kettle"]);
  const bytes = new Uint8Array(70_000).fill(7);
  bytes.set([0xff, 0xd8, 0xff]);
  const preview = Uint8Array.of(0xff, 0xd8, 0xff, 1);
  await t.calls.write({ kind: "photo", channel: "all", text: "the gate", drawn: { bytes, type: "image/jpeg", width: 9, height: 7, preview } });
  await until("the photo", () => t.now().posts.length === 2);
  const photo = t.now().posts.find((p) => p.kind === "photo");
  assert.deepEqual([photo?.photo?.have, photo?.photo?.parts, photo?.photo?.size, photo?.text], [3, 3, 70_000, "the gate"]);
  const file = await t.calls.save();
  const other = tab(testHub(), "tab");
  const bitten = new Uint8Array(await file.arrayBuffer());
  assert.deepEqual(await other.calls.load(new Blob([bitten.subarray(0, bitten.length - 20)])), { taken: 8, known: 0, refused: 0, damaged: true });
  assert.deepEqual(await other.calls.load(file), { taken: 0, known: 8, refused: 0, damaged: false });
  await until("there too", () => other.now().posts.length === 2);
  const seen = await other.calls.photo(photo?.id ?? "");
  assert.equal(seen.type, "image/jpeg");
  assert.deepEqual(new Uint8Array(await seen.arrayBuffer()), bytes);
});

test("what the hub calls its channels is asked for again if the first answer is lost", async () => {
  const hub = testHub();
  let asked = 0;
  const channels = () => (asked++ === 0 ? Promise.reject(new Error("the answer is lost")) : Promise.resolve([{ tag: tagOf("water"), name: "water" }]));
  const one = tab({ ...hub, channels }, "tab");
  await until("ready", () => one.now().ready);
  hub.say("message", eventData(messageBy(5)));
  await until("heard", () => one.now().posts.length === 1);
  assert.notEqual(one.now().posts[0]?.channel, "water");
  await until("named", () => one.now().posts[0]?.channel === "water");
  assert.equal(asked, 2);
});

test("whom a person mutes is neither shown nor counted on this phone, and carried all the same", async () => {
  const hub = testHub();
  const air = newAir();
  const one = tab(hub, "phone", air);
  const two = tab(hub, "phone", air);
  await until("live", () => one.now().line === "live" && two.now().line === "live");
  const asked = messageBy(5, { kind: kinds.petition, text: "open the well" });
  hub.say("message", eventData(asked));
  const answer = { kind: kinds.response, parents: [idOf(asked)], body: encodeAnswer({ kind: "sign" }) };
  for (const n of [6, 7]) hub.say("message", eventData(messageBy(n, answer)));
  hub.say("message", eventData(messageBy(6, { kind: kinds.profile, text: "noise" })));
  hub.say("message", eventData(messageBy(6, { text: "buy this" })));
  const state = (t: typeof one): unknown[] => [t.now().posts.map((p) => p.text).sort(), t.now().posts.find((p) => p.kind === "petition")?.tally.signs, t.now().rooms.map((r) => r.messages)];
  const all = [["buy this", "open the well"], 2, [2]];
  const some = [["open the well"], 1, [1]];
  const is = (want: unknown[], t: typeof one) => () => JSON.stringify(state(t)) === JSON.stringify(want);
  for (const t of [one, two]) await until("all", is(all, t));
  const carrying = one.now().carrying;
  await one.calls.mute(authorText(6), true);
  for (const t of [one, two]) await until("muted in both tabs", is(some, t));
  assert.deepEqual(one.now().muted, [{ author: authorText(6), name: "noise" }]);
  assert.equal(one.now().carrying, carrying);
  hub.say("message", eventData(messageBy(6, { text: "buy more", created: 1_794_999_000_001 })));
  hub.say("message", eventData(messageBy(6, { ...answer, body: encodeAnswer({ kind: "confirm" }), created: 1_794_999_000_002 })));
  await until("carried", () => one.now().carrying === carrying + 2);
  assert.deepEqual(state(one), some);
  const three = tab(hub, "phone", air);
  await until("the next visit", () => three.now().ready && three.now().posts.length > 0);
  assert.deepEqual([state(three), three.now().muted.length], [some, 1]);
  await one.calls.mute(authorText(6), false);
  for (const t of [one, two, three]) await until("all, with what came meanwhile", is([["buy more", "buy this", "open the well"], 1, [3]], t));
  await two.calls.mute(authorText(7), true);
  await until("the other", () => one.now().muted[0]?.author === authorText(7));
  await one.calls.forget();
  for (const t of [one, two, three]) await until("nobody is remembered", () => t.now().muted.length === 0);
  const four = tab(hub, "phone", air);
  await until("the visit after that", () => four.now().ready);
  assert.deepEqual(four.now().muted, []);
});

test("so many are muted and not more, the first are heard again", async () => {
  const one = tab(testHub(), "tab");
  await until("ready", () => one.now().ready);
  for (let n = 0; n < 1003; n++) await one.calls.mute(`author ${n}`, true);
  await until("a thousand", () => one.now().muted.length === 1000 && one.now().muted[0]?.author === "author 3");
});

test("what could not be forgotten is shown again, and can be forgotten then", async () => {
  const one = tab(testHub(), "phone");
  await one.calls.write(say("kept"));
  await until("shown", () => one.now().posts.length === 1);
  const { author } = one.now();
  const { clear } = IDBObjectStore.prototype;
  const { deleteDatabase } = IDBFactory.prototype;
  IDBObjectStore.prototype.clear = IDBFactory.prototype.deleteDatabase = () => {
    throw new DOMException("no", "UnknownError");
  };
  await assert.rejects(one.calls.forget(), { say: "not_erased" });
  Object.assign(IDBObjectStore.prototype, { clear });
  Object.assign(IDBFactory.prototype, { deleteDatabase });
  await until("shown again", () => one.now().posts.length === 1 && one.now().author === author);
  await one.calls.forget();
  const two = tab(testHub(), "phone");
  await until("ready", () => two.now().ready);
  assert.deepEqual([two.now().posts, two.now().author], [[], ""]);
});

test("the hub is back when it was away, not at each word of its", async () => {
  const hub = testHub();
  const one = tab(hub, "tab");
  await one.calls.write(say("x")); // what is fetched later is there
  await until("live", () => one.now().line === "live");
  const looks = mock.method(globalThis, "fetch", () => Promise.resolve({ status: 404 } as Response));
  await atOnce(() => Promise.reject(new Error("no"))).catch(() => undefined);
  await until("another page", isOld);
  looks.mock.restore();
  hub.say("hello", "{}");
  hub.say("message", eventData(messageBy(5)));
  await until("heard", () => one.now().posts.length === 2);
  assert.equal(isOld(), true);
  hub.out = true;
  await one.calls.poke();
  await until("away", () => one.now().line === "away");
  hub.out = false;
  await one.calls.poke();
  await until("live again", () => one.now().line === "live");
  assert.equal(isOld(), false);
});

test("two tabs that do not hear of each other mute two authors", async () => {
  const [one, two] = [tab(testHub(), "phone"), tab(testHub(), "phone")]; // each in an air of its own
  await until("ready", () => one.now().ready && two.now().ready);
  await one.calls.mute("a", true);
  await two.calls.mute("b", true);
  await until("both", () => two.now().muted.map((p) => p.author).join() === "a,b");
  await one.calls.mute("a", false);
  await until("the other's stays", () => one.now().muted.map((p) => p.author).join() === "b");
});

test("only what those have written is looked at who are muted now, or no longer", async () => {
  const looked: string[] = [];
  const muted = new Set(["a", "b"]);
  const life = { memory: { muted }, stock: { view: { look: (author: string) => looked.push(author) } } } as unknown as Life;
  await remute(life, async () => {
    muted.delete("a");
    muted.add("c");
  });
  assert.deepEqual(looked, ["a", "c"]);
});
