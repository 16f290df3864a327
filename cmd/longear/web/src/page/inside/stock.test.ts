// The one way in: what is forged, dead, expired or too much does not get through, and what leaves is gone everywhere.

import { own } from "./doing.ts";
import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBase32 } from "../../protocol/frombase32.ts";
import { utf8 } from "../../protocol/bytes.ts";
import { encodeAnswer } from "../../protocol/encode.ts";
import { classes, kinds } from "../../protocol/message.ts";
import { newClock } from "./clock.ts";
import type { Bounds } from "./holdings.ts";
import { authorText, idText, messageBy, testHands } from "./imitation.ts";
import { newKeep } from "./keep.ts";
import { type Stock, newStock } from "./stock.ts";
import { newView } from "./view.ts";

let names = 0;

async function open(bounds?: Bounds, name = `stock ${++names}`, hands = testHands()): Promise<{ stock: Stock; hands: typeof hands; name: string }> {
  const stock = newStock({
    keep: newKeep(indexedDB, name),
    clock: newClock(hands),
    wall: hands.wall,
    bounds,
    makeView: (held) => newView({ held, muted: new Set(), author: () => authorText(1) }),
    came: () => undefined,
    changed: () => undefined,
  });
  await stock.open();
  return { stock, hands, name };
}

const take = (stock: Stock, wires: readonly Uint8Array[], age = 0): Promise<string[]> => stock.check.all(wires.map((wire) => ({ wire, age })));
const texts = (stock: Stock): string[] => stock.view.takeChanges(1e9).posts.map((p) => p.text);
const parent = (wire: Uint8Array): Uint8Array => fromBase32(idText(wire), 32) as Uint8Array;

test("only what is signed is shown and kept", async () => {
  const { stock, name } = await open();
  const good = messageBy(1);
  const bad = good.slice();
  bad[100] = (bad[100] ?? 0) ^ 1;
  const forged = messageBy(2, { text: "forged" });
  forged[forged.length - 1] = (forged[forged.length - 1] ?? 0) ^ 1;
  assert.deepEqual(await take(stock, [forged, good, good, Uint8Array.of(1), bad]), ["refused", "taken", "known", "refused", "refused"]);
  assert.deepEqual(texts(stock), ["water at gate 4"]);
  assert.deepEqual([...stock.holdings.all()].map((h) => h.id), [idText(good)]);
  const again = await open(undefined, name);
  assert.deepEqual(texts(again.stock), ["water at gate 4"]);
  forged[forged.length - 1] = (forged[forged.length - 1] ?? 0) ^ 1;
  assert.deepEqual(await take(stock, [forged]), ["taken"]); // a forged copy does not keep the good one out
});

test("a message dies when its age has reached its lifetime, and does not come back", async () => {
  const { stock, hands, name } = await open();
  const wire = messageBy(1, { lifetime: 3600 });
  assert.deepEqual(await take(stock, [wire], 3_600_000), ["passed"]);
  assert.deepEqual(await take(stock, [wire], 14_000), ["taken"]); // with a larger age it would have died early: early.test.ts
  hands.turn(3_585_000);
  await stock.expire();
  assert.equal(stock.holdings.counts().texts, 1);
  hands.turn(2_000);
  await stock.expire();
  assert.equal(stock.holdings.counts().texts, 0);
  assert.deepEqual(stock.view.takeChanges(10).posts, []);
  assert.deepEqual(await take(stock, [wire]), ["passed"]);
  const { stock: next } = await open(undefined, name, hands);
  assert.deepEqual(await take(next, [wire]), ["passed"]);
});

test("a clock that jumps neither kills nor prolongs; a phone that slept has aged", () => {
  const hands = testHands();
  const clock = newClock(hands);
  hands.set(hands.wall() - 5e11);
  hands.turn(1000);
  assert.equal(clock.now(), 1000);
  hands.set(hands.wall() + 8e9); // three months
  assert.equal(clock.now(), 1000);
  hands.set(hands.wall() + 7_200_000); // asleep for two hours
  assert.equal(clock.now(), 7_201_000);
  const kept = clock.saved();
  hands.set(hands.wall() + 60_000);
  assert.equal(newClock(hands, kept).now(), 7_261_000);
  hands.set(kept.wall - 1);
  assert.equal(newClock(hands, kept).now(), 7_201_000);
});

test("the bounds hold: the oldest go first, own ones last, media have a bound of their own", async () => {
  const { stock } = await open({ messages: 50, textBytes: 1e6, mediaBytes: 10_000 });
  await own(stock, [messageBy(1, { text: "mine", created: 1_600_000_000_000 })]);
  const many = Array.from({ length: 80 }, (_, i) => messageBy(2, { text: `n${i}`, created: 1_700_000_000_000 + i * 1000 }));
  await take(stock, many);
  const { texts: n } = stock.holdings.counts();
  assert.ok(n <= 50 && n >= 45, String(n));
  const left = stock.view.takeChanges(1e9).posts.map((p) => p.text);
  assert.ok(left.includes("mine") && left.includes("n79") && !left.includes("n0"));
  assert.deepEqual(await take(stock, [many[0] as Uint8Array]), ["passed"]); // it would only be given up again
  const parts = Array.from({ length: 10 }, (_, i) => messageBy(3, { class: classes.media, kind: kinds.chunk, body: new Uint8Array(3000).fill(i) }));
  for (const p of parts) await take(stock, [p]);
  assert.ok(stock.holdings.counts().mediaBytes <= 10_000);
  assert.equal(stock.holdings.counts().texts, n);
  assert.deepEqual(await take(stock, [parts[0] as Uint8Array]), ["taken"]); // a part may be asked for again
});

test("who is the same may take back, and nobody else; in whatever order", async () => {
  const { stock } = await open();
  const post = messageBy(2, { text: "said" });
  const answer = messageBy(3, { kind: kinds.response, parents: [parent(post)], body: encodeAnswer({ kind: "confirm" }) });
  const others = messageBy(3, { kind: kinds.retract, parents: [parent(post)], body: utf8("") });
  const back = messageBy(3, { kind: kinds.retract, parents: [parent(answer)], body: utf8("") });
  const own = messageBy(2, { kind: kinds.retract, parents: [parent(post)], body: utf8(""), lifetime: 3600 });
  await take(stock, [others, answer, post]);
  assert.equal(stock.view.takeChanges(9).posts.find((p) => p.text === "said")?.tally.confirms, 1);
  await take(stock, [back]);
  assert.equal(stock.view.takeChanges(9).posts.find((p) => p.text === "said")?.tally.confirms, 0);
  await take(stock, [own]);
  assert.deepEqual(stock.view.takeChanges(9).gone, [idText(post)]);
});

test("a retract that dies takes along what it took back", async () => {
  const { stock, hands } = await open();
  const post = messageBy(2, { text: "said" });
  await take(stock, [messageBy(2, { kind: kinds.retract, parents: [parent(post)], body: utf8(""), lifetime: 60 }), post]);
  hands.turn(61_000);
  await stock.expire();
  assert.equal(stock.holdings.counts().texts, 0);
  assert.deepEqual(stock.view.takeChanges(9).posts, []);
});

test("names: the latest of an author's profiles, on all its posts", async () => {
  const { stock } = await open();
  const name = (text: string, created: number): Uint8Array => messageBy(2, { kind: kinds.profile, text, created });
  await take(stock, [messageBy(2), name("blue kettle", 5), name("older", 4), name("two\nlines", 9), name("x".repeat(65), 10)]);
  assert.deepEqual(stock.view.takeChanges(9).posts.map((p) => p.name), ["blue kettle"]);
  await take(stock, [name("", 6)]);
  assert.deepEqual(stock.view.takeChanges(9).posts.map((p) => p.name), [""]);
});

test("what a disk has spoilt is dropped", async () => {
  const name = `stock ${++names}`;
  const keep = newKeep(indexedDB, name);
  await keep.set({});
  const { stock } = await open(undefined, name);
  await take(stock, [messageBy(1), messageBy(2)]);
  await new Promise<void>((done) => {
    const r = indexedDB.open(name);
    r.onsuccess = () => {
      const tx = r.result.transaction(["texts", "parts"], "readwrite");
      tx.objectStore("texts").put({ id: idText(messageBy(1)), wire: messageBy(3), born: 0, at: 0 });
      tx.objectStore("texts").put({ id: "odd", wire: "text", born: "x" });
      tx.objectStore("parts").put({ id: "odd" });
      tx.oncomplete = () => done(r.result.close());
    };
  });
  const { stock: next } = await open(undefined, name);
  assert.deepEqual([...next.holdings.all()].map((h) => h.id), [idText(messageBy(2))]);
});

test("control characters, bytes that are no text, letters", async () => {
  const { stock } = await open();
  await take(stock, [messageBy(2, { text: "a\u0007b\nc" }), messageBy(2, { body: Uint8Array.of(0xff, 0xfe) }), messageBy(2, { kind: 77 }), messageBy(2, { kind: kinds.direct, body: new Uint8Array(256) })]);
  assert.deepEqual(stock.view.takeChanges(9).posts.map((p) => [p.kind, p.text]).sort(), [["post", "a\ufffdb\nc"], ["sealed", ""]]);
});
