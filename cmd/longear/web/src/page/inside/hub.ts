// What a page asks of a hub: node/api/GUEST.md, in calls. What comes back is only its word, and may be anything.

import { fetchRest } from "./ahead.ts";
import type { Arrival } from "./check.ts";

/** The hub has too much to do: come again after so many ms. */
export class Busy extends Error {
  constructor(readonly after: number) {
    super("busy");
  }
}

/** The hub's answer makes no sense, or says that ours did not. */
export class Wrong extends Error {}

/** What became of a posted message. */
export interface Posted {
  readonly word: string;
  readonly again: boolean;
}

/** The answer to GET /guest/state. What is missing or of another type is 0 or "". */
export interface State {
  readonly start: string; // names the hub's run; "" an older hub
  readonly hub: string;
  readonly guests: number;
  readonly neighbours: number;
  readonly lastSync: number; // s; -1 never
  readonly messages: number;
  readonly ranks: number; // wanted: a bit for each
  readonly floor: number; // nothing created before is wanted
  readonly clock: number; // the hub's time of day, ms; 0 not told
}

/** A hub at the address that this page came from. */
export interface Hub {
  readonly state: () => Promise<State>;
  /** Tags of channels and the names that the hub shows them by. */
  readonly channels: () => Promise<readonly { readonly tag: string; readonly name: string }[]>;
  /** The newest messages, of a channel or of all; or those with these IDs. */
  readonly messages: (of: { readonly channel: string } | { readonly ids: readonly string[] }) => Promise<Arrival[]>;
  readonly post: (records: Uint8Array) => Promise<Posted[]>;
  readonly sync: (session: string, frames: Uint8Array) => Promise<Uint8Array>;
  /** By how many neighbours of the hub each message is known to be kept; undefined where the hub does not say. */
  readonly carried: (ids: readonly string[]) => Promise<(number | undefined)[]>;
  readonly events: (last: string, signal: AbortSignal) => Promise<ReadableStream<Uint8Array>>;
}

/** A request that gets an answer. */
export type Ask = (path: string) => Promise<Response>;
/** A request that brings bytes of a type. */
export type Send = (path: string, type: string, body: Uint8Array) => Promise<Response>;

/** An answer that takes longer than this is not waited for. */
const answerTime = 30_000;

/** The hub at an origin; fetch is the browser's. */
export function newHub(origin: string, fetch: typeof globalThis.fetch): Hub {
  const ask = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const limit = new AbortController();
    const timer = init.signal ? undefined : setTimeout(() => limit.abort(), answerTime);
    try {
      const r = await fetch(origin + path, { signal: limit.signal, cache: "no-store", credentials: "omit", ...init });
      if (r.status === 429 || r.status === 503) throw new Busy(Math.min(Number(r.headers.get("Retry-After")) || 5, 120) * 1000);
      if (!r.ok) throw new Wrong(`${path}: ${r.status}`);
      if (init.signal) return r;
      // The body has to come in that time too.
      const body = await r.arrayBuffer();
      return new Response(body, { status: r.status, headers: r.headers });
    } finally {
      clearTimeout(timer);
    }
  };
  const send: Send = (path, type, body) => ask(path, { method: "POST", headers: { "Content-Type": `application/vnd.longear.${type}` }, body: body as BodyInit });
  return {
    async state() {
      const r = await ask("/guest/state");
      return stateOf(await object(r), Date.parse(r.headers.get("Date") ?? "") || 0);
    },
    channels: async () => list((await object(await ask("/guest/channels"))).channels).map((c) => ({ tag: text(c.tag), name: text(c.name) })),
    async messages(of) {
      const query = "ids" in of ? of.ids.map((id) => `id=${id}`).join("&") : `limit=50${of.channel && `&channel=${of.channel}`}`;
      return list((await object(await ask(`/guest/messages?${query}`))).messages).flatMap((m) => arrivalOf(m) ?? []);
    },
    post: async (records) => (await fetchRest()).post(send, records),
    sync: async (session, frames) => (await fetchRest()).sync(send, session, frames),
    carried: async (ids) => (await fetchRest()).carried(ask, ids),
    async events(last, signal) {
      const r = await ask("/guest/events", { signal, headers: last ? { "Last-Event-ID": last } : {} });
      if (!r.body) throw new Wrong("no stream");
      return r.body;
    },
  };
}

function stateOf(o: Record<string, unknown>, clock: number): State {
  const scope = record(o.scope);
  return {
    start: text(o.start),
    hub: text(o.hub).slice(0, 64),
    guests: number(o.guests),
    neighbours: number(o.neighbours),
    lastSync: typeof o.last_sync_seconds === "number" ? number(o.last_sync_seconds) : -1,
    messages: number(o.messages),
    ranks: number(scope.classes),
    floor: number(scope.oldest_created),
    clock,
  };
}

/** A message as JSON tells it. */
export function arrivalOf(told: Record<string, unknown>): Arrival | undefined {
  const wire = fromBase64(text(told.wire));
  return wire && { wire, age: number(told.age_ms) };
}

/** The bytes of base64url without padding. */
function fromBase64(from: string): Uint8Array | undefined {
  try {
    const binary = atob(from.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(binary, (c) => c.charCodeAt(0));
  } catch {
    return undefined;
  }
}

/** The object that an answer is. */
export async function object(r: Response): Promise<Record<string, unknown>> {
  return record(await r.json().catch(() => undefined));
}

function record(v: unknown): Record<string, unknown> {
  return typeof v === "object" && v !== null ? (v as Record<string, unknown>) : {};
}

/** The objects of a list. */
export function list(v: unknown): Record<string, unknown>[] {
  return Array.isArray(v) ? v.map(record) : [];
}

/** A text, or "". */
export function text(v: unknown): string {
  return typeof v === "string" ? v : "";
}

function number(v: unknown): number {
  return typeof v === "number" && v >= 0 && Number.isFinite(v) ? v : 0;
}
