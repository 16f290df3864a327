// What a phone keeps survives; what it cannot keep breaks nothing.

import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { test } from "node:test";
import { decode } from "../../protocol/message.ts";
import { isRefusal } from "../../protocol/verdict.ts";
import { classes, kinds } from "../../protocol/message.ts";
import { stores } from "./database.ts";
import { headOf } from "./head.ts";
import { idText, messageBy } from "./imitation.ts";
import { type Entry, newKeep } from "./keep.ts";

function entryOf(wire: Uint8Array): Entry {
  const m = decode(wire);
  if (isRefusal(m)) throw new Error(m);
  return { held: { ...headOf(m, wire), born: 5, at: 6, since: 7 }, wire };
}

const text = messageBy(1);
const chunk = messageBy(1, { class: classes.media, kind: kinds.chunk, text: "part" });

let names = 0;
const fresh = (): string => `keep ${++names}`;

test("texts, parts, the dead and settings are there at the next visit", async () => {
  const name = fresh();
  const first = newKeep(indexedDB, name);
  assert.equal(await first.put([entryOf(text), entryOf(chunk)]), "kept");
  await first.set({ seed: new Uint8Array(32).fill(7), name: "blue kettle" });
  await first.drop([], [["1key", { at: 9, died: 8 }], ["1other", { at: 9, died: NaN }]]);
  assert.equal(first.keeping(), "phone");
  await first.end(false);
  const next = newKeep(indexedDB, name);
  assert.deepEqual((await next.texts()).map((k) => [k.id, k.born, k.at, k.since]), [[idText(text), 5, 6, 7]]);
  assert.deepEqual((await next.parts()).map((h) => h.id), [idText(chunk)]);
  const wires = await next.wires([idText(text), idText(chunk), "nothing"]);
  assert.deepEqual([...wires.values()].map((w) => w.length), [text.length, chunk.length]);
  assert.deepEqual(await next.setting("seed"), new Uint8Array(32).fill(7));
  assert.equal(await next.setting("name"), "blue kettle");
  assert.deepEqual(await next.dead(), [["1key", { at: 9, died: 8 }], ["1other", { at: 9, died: NaN }]]);
  await next.drop([idText(chunk)], []);
  await next.undead(["1key", "1other"]);
  assert.deepEqual([await next.parts(), await next.dead()], [[], []]);
});

test("without storage everything works, for this tab", async () => {
  const refuse = (): never => { throw new DOMException("no", "SecurityError"); };
  const refusing = { open: refuse, deleteDatabase: refuse };
  for (const factory of [undefined, refusing as unknown as IDBFactory]) {
    const keep = newKeep(factory, fresh());
    assert.equal(await keep.put([entryOf(text), entryOf(chunk)]), "kept");
    await keep.set({ name: "x" });
    assert.equal(keep.keeping(), "tab");
    assert.equal((await keep.texts()).length, 1);
    assert.equal((await keep.parts()).length, 1);
    assert.equal((await keep.wires([idText(chunk)])).size, 1);
    assert.equal(await keep.setting("name"), "x");
    await keep.drop([idText(text)], [["k", { at: 1, died: NaN }]]);
    assert.equal((await keep.texts()).length, 0);
    await keep.end(true);
    assert.equal((await keep.parts()).length, 0);
  }
});

function openRaw(name: string, version: number, make: (db: IDBDatabase) => void): Promise<IDBDatabase> {
  return new Promise((done, failed) => {
    const r = indexedDB.open(name, version);
    r.onupgradeneeded = () => make(r.result);
    r.onsuccess = () => done(r.result);
    r.onerror = () => failed(r.error);
  });
}

test("a database of a later page is used as far as it is known, and one of another layout is let be", async () => {
  const later = fresh();
  (await openRaw(later, 7, (db) => {
    for (const s of [stores.texts, stores.media, stores.parts]) db.createObjectStore(s, { keyPath: "id" });
    for (const s of [stores.dead, stores.settings, "novelties"]) db.createObjectStore(s);
  })).close();
  const keep = newKeep(indexedDB, later);
  assert.equal(await keep.put([entryOf(text)]), "kept");
  assert.equal(keep.keeping(), "phone");
  const other = fresh();
  (await openRaw(other, 1, (db) => void db.createObjectStore("else"))).close();
  const odd = newKeep(indexedDB, other);
  assert.equal(await odd.put([entryOf(text)]), "kept");
  assert.equal(odd.keeping(), "tab");
  assert.equal((await odd.texts()).length, 1);
  assert.deepEqual([...(await openRaw(other, 1, () => undefined)).objectStoreNames], ["else"]);
});

test("a full phone says so, and holds what it is told to hold", async () => {
  const keep = newKeep(indexedDB, fresh());
  assert.equal(await keep.put([entryOf(text)]), "kept");
  const put = IDBObjectStore.prototype.put;
  IDBObjectStore.prototype.put = function () {
    throw new DOMException("full", "QuotaExceededError");
  };
  try {
    assert.equal(await keep.put([entryOf(chunk)]), "full");
    keep.hold([entryOf(chunk)]);
    assert.equal(keep.keeping(), "tab");
    assert.equal((await keep.parts()).length, 1);
    await keep.set({ name: "held" });
    assert.equal(await keep.setting("name"), "held");
  } finally {
    IDBObjectStore.prototype.put = put;
  }
  assert.equal(await keep.put([entryOf(messageBy(2))]), "kept"); // and with it what was held
  assert.equal(keep.keeping(), "phone");
  assert.equal((await keep.parts()).length, 1);
});

test("a connection that the browser has closed is opened again; forgetting in one tab closes the other's", async () => {
  const name = fresh();
  const [one, two] = [newKeep(indexedDB, name), newKeep(indexedDB, name)];
  await one.put([entryOf(text)]);
  assert.equal((await two.texts()).length, 1);
  await one.end(true); // two's connection would hold it up if it were not let go
  assert.equal((await two.texts()).length, 0);
  assert.equal(await two.put([entryOf(text)]), "kept");
  assert.equal((await newKeep(indexedDB, name).texts()).length, 1);
  assert.equal(await one.put([entryOf(chunk)]), "kept"); // what is still on its way to who has forgotten
  assert.equal((await newKeep(indexedDB, name).parts()).length, 0);
});

test("what is forgotten is gone beside a tab that sleeps", async () => {
  const name = fresh();
  const keep = newKeep(indexedDB, name);
  await keep.put([entryOf(text), entryOf(chunk)]);
  await keep.set({ seed: new Uint8Array(32), muted: ["x"] });
  await keep.drop([], [["1key", { at: 9, died: NaN }]]);
  const asleep = await openRaw(name, 1, () => undefined); // and lets nothing go
  await keep.end(true);
  const tx = asleep.transaction([...asleep.objectStoreNames]);
  const left = [...asleep.objectStoreNames].map((s) => new Promise((done) => (tx.objectStore(s).count().onsuccess = (e) => done((e.target as IDBRequest).result))));
  assert.deepEqual(await Promise.all(left), [0, 0, 0, 0, 0]);
  asleep.close();
  assert.equal((await newKeep(indexedDB, name).texts()).length, 0);
});

test("what can be neither emptied nor deleted is not said to be erased", async () => {
  const name = fresh();
  const keep = newKeep(indexedDB, name);
  await keep.put([entryOf(text)]);
  const asleep = await openRaw(name, 1, () => undefined);
  const clear = IDBObjectStore.prototype.clear;
  IDBObjectStore.prototype.clear = function () {
    throw new DOMException("no", "UnknownError");
  };
  try {
    await assert.rejects(keep.end(true), { say: "not_erased" });
  } finally {
    IDBObjectStore.prototype.clear = clear;
    asleep.close();
  }
});

test("what is kept is changed from what is kept, in whichever tab", async () => {
  const name = fresh();
  const [one, two, none] = [newKeep(indexedDB, name), newKeep(indexedDB, name), newKeep(undefined, name)];
  const and = (more: string) => (before: unknown) => [...((before as string[] | undefined) ?? []), more];
  await Promise.all([one.change("list", and("a")), two.change("list", and("b")), one.change("list", and("c"))]);
  assert.deepEqual(((await two.setting("list")) as string[]).sort(), ["a", "b", "c"]);
  await none.change("list", and("a"));
  await none.change("list", and("b"));
  assert.deepEqual(await none.setting("list"), ["a", "b"]);
});
