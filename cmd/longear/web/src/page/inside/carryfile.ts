// Carry files: all that this phone holds, to be taken along on a stick, and what somebody brings.

import { newCarryReader, writeCarry } from "../../protocol/carry.ts";
import type { Loaded } from "../core.ts";
import type { Arrival } from "./check.ts";
import { ageOf } from "./giving.ts";
import type { Held } from "./head.ts";
import type { Stock } from "./stock.ts";

/** So much is read or held at a time, in bytes. */
const piece = 256 << 10;

/** A file of everything but what may only pass over local links, the most urgent and the newest first: files get cut short. */
export async function saveCarry(stock: Stock): Promise<Blob> {
  const list = [...stock.holdings.all()].filter((h) => !h.local).sort(order);
  const parts: Blob[] = [];
  let held: Uint8Array[] = [];
  let size = 0;
  const flush = (): void => {
    parts.push(new Blob(held as BlobPart[])); // browsers put large ones on disk
    held = [];
    size = 0;
  };
  // The writer is a generator, and what it takes comes in portions.
  const source: Arrival[] = [];
  const writer = writeCarry(drain(source));
  const put = (bytes: Uint8Array): void => {
    held.push(bytes);
    size += bytes.length;
    if (size >= piece) flush();
  };
  put(writer.next().value as Uint8Array);
  for (let i = 0; i < list.length; i += 64) {
    const some = list.slice(i, i + 64);
    const wires = await stock.wires(some.map((h) => h.id));
    for (const h of some) {
      const wire = wires.get(h.id);
      if (!wire) continue;
      source.push({ wire, age: ageOf(h, stock.now()) });
      put(writer.next().value as Uint8Array);
    }
  }
  put(writer.next().value as Uint8Array); // nothing is left to take: the trailer
  flush();
  return new Blob(parts, { type: "application/octet-stream" });
}

function* drain(from: Arrival[]): Generator<Arrival> {
  for (let next = from.shift(); next; next = from.shift()) yield next;
}

/** Alerts, then texts, then media, each newest first. */
function order(a: Held, b: Held): number {
  if (a.key[0] !== b.key[0]) return (a.key[0] ?? "") < (b.key[0] ?? "") ? -1 : 1;
  return a.key < b.key ? 1 : -1;
}

/** Takes in a file, piece by piece. */
export async function loadCarry(stock: Stock, file: Blob): Promise<Loaded> {
  const reader = newCarryReader();
  const sum = { taken: 0, known: 0, refused: 0, damaged: false };
  const use = async (events: ReturnType<typeof reader.push>): Promise<void> => {
    const records: Arrival[] = [];
    for (const e of events) {
      if ("wire" in e) records.push(e);
      else sum.damaged = true;
    }
    for (const o of await stock.check.all(records)) {
      if (o === "taken") sum.taken++;
      else if (o === "refused") sum.refused++;
      else sum.known++;
    }
  };
  for (let at = 0; at < file.size; at += piece) {
    await use(reader.push(new Uint8Array(await file.slice(at, at + piece).arrayBuffer())));
  }
  await use(reader.end());
  return sum;
}
