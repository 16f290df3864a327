// What was written here goes to the hub: kept first, posted then, again until a hub has taken it; and afterwards it is asked how far
// it has come.

import { concat } from "../../protocol/bytes.ts";
import type { Delivery } from "../core.ts";
import { type Held, isMedia } from "./head.ts";
import { ageOf, recordOf } from "./giving.ts";
import type { Hub, Posted } from "./hub.ts";
import type { Stock } from "./stock.ts";

/** What one POST may hold. */
const mostRecords = 64;
const mostBytes = 262_144;
/** So many messages are asked about at a time, the newest. */
const mostAsked = 64;
/** An older one has come as far as it will. */
const askedFor = 86_400_000;
/** What a hub would not take is tried again after so long. */
const patience = 15_000;

/** Which hub has taken which of this phone's messages: no other is asked about them, since asking tells whose they are. */
export interface Handed {
  readonly start: string;
  readonly ids: readonly string[];
}

/** The way out. */
export interface Outbox {
  /** Posts what no hub has taken. Returns how many ms to wait before the next try, if something is left. Fails as the calls to the hub do. */
  readonly flush: () => Promise<number | undefined>;
  /** Asks how far messages have come; whether there are any to ask about. */
  readonly ask: () => Promise<boolean>;
  /** Another hub may take what this one refused. */
  readonly meet: (start: string) => void;
}

/** An outbox of a stock. */
export function newOutbox(stock: Stock, hub: Hub, handed: Handed, note: (h: Handed) => void): Outbox {
  let { start } = handed;
  let here = new Set(handed.ids);
  const mine = (at: Delivery["at"]): Held[] =>
    [...stock.holdings.all()].filter((h) => h.delivery?.at === at).sort((a, b) => (a.key < b.key ? -1 : 1));
  return {
    async flush() {
      let left: number | undefined;
      const tried = new Set<string>();
      for (;;) {
        const batch = await batchOf(stock, mine("phone").filter((h) => !tried.has(h.id)));
        if (batch.records.length === 0) return left;
        const posted = await hub.post(concat(...batch.records));
        batch.list.forEach((h, i) => {
          tried.add(h.id);
          const d = deliveryOf(posted[i]);
          if (d) stock.deliver(h.id, d);
          else left = patience;
          if (d?.at === "hub") here.add(h.id);
        });
        here = new Set([...here].slice(-4 * mostAsked));
        note({ start, ids: [...here] });
      }
    },
    async ask() {
      const list = [...mine("hub"), ...mine("carried")].filter((h) => here.has(h.id) && !isMedia(h) && ageOf(h, stock.now()) < askedFor);
      const ids = list.sort((a, b) => b.at - a.at).slice(0, mostAsked).map((h) => h.id);
      if (ids.length === 0) return false;
      (await hub.carried(ids)).forEach((by, i) => {
        const h = stock.holdings.get(ids[i] ?? "");
        if (h && by && by > carriers(h)) stock.deliver(h.id, { at: "carried", by });
      });
      return true;
    },
    meet: (next) => {
      if (next === start) return;
      start = next;
      here = new Set();
      note({ start, ids: [] });
      for (const h of mine("refused")) if (!final(h.delivery)) stock.deliver(h.id, { at: "phone" });
    },
  };
}

function carriers(h: Held): number {
  return h.delivery?.at === "carried" ? h.delivery.by : 0;
}

/** Whether every hub would say the same. */
function final(d: Delivery | undefined): boolean {
  return d?.at === "refused" && (d.word === "refused" || d.word === "expired");
}

/** What a hub's word means for a message; undefined: it is to be tried again. */
function deliveryOf(p: Posted | undefined): Delivery | undefined {
  if (!p || p.again) return undefined;
  return p.word === "kept" || p.word === "known" ? { at: "hub" } : { at: "refused", word: p.word || "refused" };
}

/** The first messages that one POST can hold. */
async function batchOf(stock: Stock, from: readonly Held[]): Promise<{ readonly list: readonly Held[]; readonly records: readonly Uint8Array[] }> {
  const list: Held[] = [];
  const records: Uint8Array[] = [];
  let size = 0;
  const wires = await stock.wires(from.slice(0, mostRecords).map((h) => h.id));
  for (const h of from.slice(0, mostRecords)) {
    const wire = wires.get(h.id);
    if (!wire) continue;
    const record = recordOf({ wire, age: ageOf(h, stock.now()) });
    if (size + record.length > mostBytes) break;
    size += record.length;
    list.push(h);
    records.push(record);
  }
  return { list, records };
}
