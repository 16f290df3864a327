// Ages are not signed: one that is too large kills no message for good, and one that is too small prolongs none past its first receipt.

import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { test } from "node:test";
import { concat, utf8 } from "../../protocol/bytes.ts";
import { fromBase32 } from "../../protocol/frombase32.ts";
import { decode, kinds } from "../../protocol/message.ts";
import { type Session, matching, newKeySet, newSession, within } from "../../protocol/reconcile/reconcile.ts";
import { uvarint } from "../../protocol/uvarint.ts";
import { isRefusal } from "../../protocol/verdict.ts";
import type { Arrival } from "./check.ts";
import { newClock } from "./clock.ts";
import { stores } from "./database.ts";
import { own } from "./doing.ts";
import { doneFrame, frame, frameOf, framesIn, pullIn, scopeBytes, scopeIn } from "./frames.ts";
import { recordOf } from "./giving.ts";
import { headOf } from "./head.ts";
import type { Bounds } from "./holdings.ts";
import type { Hub } from "./hub.ts";
import { type TestHands, authorText, idText, messageBy, testHands, testHub } from "./imitation.ts";
import { newKeep } from "./keep.ts";
import { exchange } from "./mule.ts";
import { type Stock, newStock } from "./stock.ts";
import { newView } from "./view.ts";

const minute = 60_000;
const day = 86_400_000;
/** A day is 256 steps of this. */
const step = day / 256;
/** What died early is looked for again after this. */
const after = 2 ** 20 + minute;

const wire = messageBy(2, { lifetime: 86_400 });
const key = keyOf(wire);

function keyOf(of: Uint8Array): string {
  const m = decode(of);
  if (isRefusal(m)) throw new Error(m);
  return headOf(m, of).key;
}

let names = 0;

interface Phone {
  readonly stock: Stock;
  readonly hands: TestHands;
  /** Lets time pass, as the page does. */
  readonly turn: (ms: number) => Promise<void>;
  readonly take: (age: number, of?: Uint8Array) => Promise<string>;
  readonly holds: (of?: Uint8Array) => boolean;
  /** Exchanges with a hub that has the message at this age. Whether it was asked for, and whether it is held then. */
  readonly meet: (age: number) => Promise<[asked: boolean, held: boolean]>;
  /** The page is loaded again, after so long. */
  readonly reload: (ms?: number) => Promise<Phone>;
  /** Another tab of this page. */
  readonly tab: () => Promise<Phone>;
  readonly name: string;
}

async function phone(bounds?: Bounds, name = `early ${++names}`, hands = testHands(), clock = newClock(hands)): Promise<Phone> {
  const keep = newKeep(indexedDB, name);
  const makeView = (held: Stock["holdings"]["get"]) => newView({ held, muted: new Set(), author: () => authorText(1) });
  const stock = newStock({ keep, clock, wall: hands.wall, bounds, makeView, came: () => undefined, changed: () => undefined });
  await stock.open();
  const holds = (of = wire): boolean => stock.holdings.get(idText(of)) !== undefined;
  const { holdings, wires, now } = stock;
  return {
    stock,
    hands,
    turn: async (ms) => {
      hands.turn(ms);
      await stock.expire();
    },
    take: async (age, of = wire) => (await stock.check.all([{ wire: of, age }]))[0] as string,
    holds,
    meet: async (age) => {
      await stock.expire();
      let asked = false;
      const hub = givingHub({ wire, age }, () => (asked = true));
      await exchange(hub, { held: holdings.all, dead: holdings.dead, now, wires, take: stock.check.all, local: true, most: 100 }, { floor: 0, ranks: 0 });
      return [asked, holds()];
    },
    reload: (ms = 0) => {
      hands.turn(ms);
      return phone(bounds, name, hands, clock);
    },
    tab: () => phone(bounds, name, hands, clock),
    name,
  };
}

/** A hub with one message, which gives what it is asked for, and asks for nothing. */
function givingHub(a: Arrival, asked: () => void): Hub {
  const all = newKeySet([keyOf(a.wire)]);
  let nodes = within(all, { floor: 0, ranks: 0 });
  let session: Session;
  const sync = async (name: string, body: Uint8Array): Promise<Uint8Array> => {
    const salt = Uint8Array.from(Buffer.from(name, "base64url"));
    const out: Uint8Array[] = [];
    for (const { kind, payload } of framesIn(body) ?? []) {
      const scope = kind === frame.round ? scopeIn(payload) : undefined;
      if (scope) {
        session = newSession({ salt, initiator: false });
        nodes = within(all, scope);
      }
      if (scope || kind === frame.recon) {
        const got = session.receive(nodes, scope ? payload.subarray(scopeBytes(scope).length) : payload);
        if (got === "malformed") throw new Error(got);
        if (got.reply) out.push(frameOf(frame.recon, got.reply));
      }
      const pull = kind === frame.pull ? pullIn(payload) : undefined;
      if (!pull) continue;
      if (pull.wants.some((w) => matching(nodes, salt, w).length > 0)) {
        asked();
        out.push(frameOf(frame.messages, uvarint(pull.number), recordOf(a)));
      }
      out.push(doneFrame({ number: pull.number, more: undefined }));
    }
    return concat(...out);
  };
  return { ...testHub(), sync };
}

/** A phone on which the message has died early: a liar told an age 5 s below the lifetime, a minute ago. */
async function killed(bounds?: Bounds): Promise<Phone> {
  const p = await phone(bounds);
  assert.deepEqual(await p.meet(day - 5000), [true, true]);
  await p.turn(minute);
  assert.ok(!p.holds());
  return p;
}

/** Puts a value among those that are kept. */
async function put(name: string, store: string, value: unknown, key?: string): Promise<void> {
  await new Promise<void>((done) => {
    const r = indexedDB.open(name);
    r.onsuccess = () => {
      const tx = r.result.transaction(store, "readwrite");
      tx.objectStore(store).put(value, key);
      tx.oncomplete = () => done(r.result.close());
    };
  });
}

test("what a false age killed comes back from a hub that tells the true one", async () => {
  const p = await killed();
  await p.turn(after - 2 * minute);
  assert.deepEqual(await p.meet(after), [false, false]); // other copies may be dying with this one
  await p.turn(2 * minute);
  assert.deepEqual(await p.meet(after), [true, true]);
  assert.deepEqual(p.stock.view.takeChanges(9).posts.map((s) => s.text), ["water at gate 4"]);
  assert.deepEqual(await p.meet(after), [false, true]);
});

test("it comes back by whatever way, and at once", async () => {
  const p = await killed();
  assert.equal(await p.take(minute), "taken");
  const q = await phone();
  await q.take(step + 1); // the smallest age that can have killed
  await q.turn(day - step - 1);
  assert.equal(await q.take(day - step - 1), "taken");
});

test("it does not come back by the age that killed it, nor by one that is hardly smaller", async () => {
  const p = await killed();
  const age = (by: number): number => day + minute - 5000 - by; // smaller by so much than it would be by now
  assert.deepEqual([await p.take(age(0)), await p.take(age(minute)), await p.take(age(step - 1))], ["passed", "passed", "passed"]);
  assert.equal(await p.take(age(step)), "taken");
  await p.turn(step - minute + 5000);
  assert.ok(!p.holds());
  assert.equal(await p.take(day - step + 1), "passed");
});

test("a liar brings it back 256 times at most", async () => {
  const p = await killed();
  let n = 0;
  for (let now = minute; now < 2 * day; now += step / 4) {
    if ((await p.take(day - 1)) === "taken") n++;
    await p.turn(step / 4);
  }
  assert.ok(n > 200 && n < 256, String(n));
});

test("it counts from its first receipt: nobody prolongs it past that and its lifetime", async () => {
  const p = await killed();
  await p.turn(day / 2 - minute);
  assert.equal(await p.take(0), "taken"); // a lie
  await p.turn(day / 2 - 1);
  assert.ok(p.holds());
  await p.turn(1);
  assert.ok(!p.holds());
  await p.turn(after);
  assert.equal(await p.take(0), "passed");
  assert.deepEqual(await p.meet(0), [false, false]);
});

test("once a lifetime since its first receipt is over it is dead like any other, for 28 days from then", async () => {
  const p = await killed();
  await p.turn(day - minute - 1);
  assert.deepEqual(await p.meet(0), [true, true]);
  const q = await killed();
  await q.turn(day - minute);
  assert.deepEqual([await q.take(0), ...(await q.meet(0))], ["passed", false, false]);
  await q.turn(28 * day - 1);
  assert.equal(await q.take(0), "passed");
  await q.turn(1);
  assert.equal(await q.take(0), "taken");
});

test("it comes back after the page was loaded again, and is there after the next time", async () => {
  const p = await (await killed()).reload(after);
  assert.deepEqual(await p.meet(after), [true, true]);
  const q = await p.reload(day / 2);
  assert.ok(q.holds());
  assert.equal(await q.take(0), "known");
  const r = await q.reload(day / 2);
  assert.ok(!r.holds());
  assert.equal(await r.take(0), "passed");
});

test("who died while the page was not open died early if a lifetime is not over yet, and else is remembered from now on", async () => {
  const p = await phone();
  assert.equal(await p.take(day / 2), "taken");
  const q = await p.reload(day / 2 + after);
  assert.ok(!q.holds());
  assert.deepEqual(await q.meet(day / 2 + after), [true, true]);
  const late = await phone();
  assert.equal(await late.take(day / 2), "taken");
  const r = await late.reload(10 * day);
  assert.ok(!r.holds());
  await r.turn(28 * day - 1);
  assert.equal(await r.take(0), "passed");
});

test("another tab takes part", async () => {
  const p = await phone();
  await p.take(day - 5000);
  const q = await p.tab();
  await q.turn(minute);
  await p.stock.expire();
  assert.equal(await p.take(minute), "taken");
  await q.stock.reread([idText(wire)]);
  assert.ok(q.holds() && !q.stock.holdings.dead.has(key));
});

test("other deaths are for good", async () => {
  const deaths: Record<string, () => Promise<Phone>> = {
    "of age": async () => {
      const p = await phone();
      await p.take(step); // of no consequence
      await p.turn(day - step);
      return p;
    },
    "its own person's": async () => {
      const p = await phone();
      await own(p.stock, [wire]);
      const h = p.stock.holdings.get(idText(wire));
      if (h) p.stock.holdings.add({ ...h, born: h.born - day / 2 }); // though it cannot be
      await p.turn(day / 2);
      return p;
    },
    "for want of room": async () => {
      const p = await phone({ messages: 1, textBytes: 1e6, mediaBytes: 1e6 });
      await p.take(day / 2);
      p.hands.turn(1);
      await p.take(0, messageBy(3));
      return p;
    },
    "taken back": async () => {
      const p = await phone();
      await p.take(day / 2);
      const parents = [fromBase32(idText(wire), 32) as Uint8Array];
      await p.take(0, messageBy(2, { kind: kinds.retract, parents, body: utf8(""), lifetime: 60 }));
      await p.turn(minute);
      return p;
    },
    "of an older page": async () => {
      const p = await phone();
      await p.turn(minute);
      await put(p.name, stores.dead, 2 * day, key); // by a clock that was set back since
      return p.reload();
    },
    "of what an older page had kept": async () => {
      const p = await phone();
      await put(p.name, stores.texts, { id: idText(wire), wire, born: -day / 2, at: p.hands.wall() });
      const q = await p.reload();
      assert.ok(q.holds());
      await q.turn(day / 2);
      return q;
    },
  };
  for (const [name, die] of Object.entries(deaths)) {
    for (const p of await die().then(async (p) => [p, await p.reload()])) {
      assert.ok(!p.holds(), name);
      assert.equal(await p.take(0), "passed", name);
      await p.turn(after);
      assert.deepEqual(await p.meet(0), [false, false], name);
    }
  }
});

test("who died early holds up nobody whose time in the grave is over", async () => {
  const p = await killed(); // remembered from a day after its first receipt on
  const other = messageBy(3, { lifetime: 3600 });
  await p.take(0, other);
  await p.turn(3_600_000);
  await p.turn(28 * day);
  assert.deepEqual([...p.stock.holdings.dead.keys()], [key]);
});

test("an older page reads when who died early is forgotten", async () => {
  const { name } = await killed();
  const values = await new Promise<unknown[]>((done) => {
    const r = indexedDB.open(name);
    r.onsuccess = () => {
      const all = r.result.transaction(stores.dead).objectStore(stores.dead).getAll();
      all.onsuccess = () => done(all.result);
    };
  });
  assert.deepEqual(values.map(Number), [day]);
});

test("what a disk has spoilt breaks nothing, and lets nothing live long", async () => {
  const p = await killed();
  const sound = messageBy(3, { lifetime: 3600 });
  await p.take(0, sound);
  await p.turn(3_600_000);
  const odd = [null, undefined, NaN, "x", {}, [], [{}], { died: {} }, true, Object.assign([1e300], { died: -1e300 }), Object.assign([0], { died: "x" })];
  for (const [i, value] of odd.entries()) await put(p.name, stores.dead, value, i === 9 ? key : `odd ${i}`);
  for (const [i, since] of [null, "5", NaN, {}, 1e300, -1e300].entries()) {
    const text = messageBy(4, { text: `${i}`, lifetime: 86_400 });
    await put(p.name, stores.texts, { id: idText(text), wire: text, born: -day / 2, at: 0, since });
  }
  const q = await p.reload();
  assert.equal(await q.take(0, sound), "passed");
  assert.equal(q.stock.holdings.counts().texts, 6);
  await q.turn(day / 2);
  assert.equal(q.stock.holdings.counts().texts, 0);
  for (let i = 0; i < 6; i++) assert.equal(await q.take(0, messageBy(4, { text: `${i}`, lifetime: 86_400 })), "passed");
  assert.equal(await q.take(0), "taken"); // its grave was spoilt
  await q.turn(day);
  assert.ok(!q.holds());
  assert.equal(await q.take(0), "passed");
  await q.turn(28 * day);
  assert.equal(q.stock.holdings.dead.size, 0);
});
