// What a page brings to a hub, in calls: the other half of hub.ts.

import { concat } from "../../protocol/bytes.ts";
import { maxLifetime } from "../../protocol/limits.ts";
import { uvarint } from "../../protocol/uvarint.ts";
import type { Arrival } from "./check.ts";
import type { Held } from "./head.ts";
import { type Ask, type Posted, type Send, list, object, text } from "./hub.ts";

/** Brings messages, and says what became of each. */
export async function post(send: Send, records: Uint8Array): Promise<Posted[]> {
  const told = list((await object(await send("/guest/messages", "records", records))).records);
  return told.map((r) => ({ word: text(r.word), again: r.again === true }));
}

/** A turn of an exchange. */
export async function sync(send: Send, session: string, frames: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await (await send(`/guest/sync/${session}`, "sync", frames)).arrayBuffer());
}

/** How far messages have come. */
export async function carried(ask: Ask, ids: readonly string[]): Promise<(number | undefined)[]> {
  const told = list((await object(await ask(`/guest/carried?${ids.map((id) => `id=${id}`).join("&")}`))).messages);
  return ids.map((id) => {
    const m = told.find((t) => t.id === id);
    return m && Number.isInteger(m.by) ? Number(m.by) : undefined;
  });
}

/** How long a message has been travelling. */
export function ageOf(h: Held, now: number): number {
  return Math.min(Math.max(0, now - h.born), maxLifetime * 1000);
}

/** One record of a POST or of MESSAGES: length, age, message. */
export function recordOf({ wire, age }: Arrival): Uint8Array {
  const told = uvarint(Math.max(0, Math.floor(age)));
  return concat(Uint8Array.from([...uvarint(told.length + wire.length), ...told]), wire);
}

/** Bytes as base64url without padding. */
export function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
}
