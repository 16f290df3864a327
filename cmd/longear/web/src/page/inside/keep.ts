// Where this phone keeps messages, key and settings: in the browser's database, and in memory what that would not take. Nothing
// here throws but end: a phone that refuses storage still shows and carries while the tab is open.

import { Failure, type Keeping } from "../core.ts";
import { type Database, answered, newDatabase, silent, stores } from "./database.ts";
import type { Grave } from "./early.ts";
import type { Held, Kept } from "./head.ts";

/** A message to be kept, with what is known of it. */
export interface Entry {
  readonly held: Held;
  readonly wire: Uint8Array;
}

/** Where things are kept. */
export interface Keep {
  readonly keeping: () => Keeping;
  /** All texts and alerts. */
  readonly texts: () => Promise<Kept[]>;
  /** What is known of media, without their bytes. */
  readonly parts: () => Promise<Held[]>;
  /** The encodings of those of the IDs that are here. */
  readonly wires: (ids: readonly string[]) => Promise<Map<string, Uint8Array>>;
  /** Keeps texts and media. "full": the phone has no room, give something up and try again. */
  readonly put: (entries: readonly Entry[]) => Promise<"kept" | "full">;
  /** Keeps them in memory alone. */
  readonly hold: (entries: readonly Entry[]) => void;
  /** Removes messages, and remembers that those keys are dead. */
  readonly drop: (ids: readonly string[], dead: readonly (readonly [string, Grave])[]) => Promise<void>;
  /** The keys of the dead, also of those that are kept again, with their graves. */
  readonly dead: () => Promise<[string, Grave][]>;
  readonly undead: (keys: readonly string[]) => Promise<void>;
  readonly setting: (name: string) => Promise<unknown>;
  readonly set: (values: Readonly<Record<string, unknown>>) => Promise<void>;
  /** Makes another value of what is kept by a name, whichever tab has kept it; of undefined where that cannot be read. */
  readonly change: (name: string, to: (before: unknown) => unknown) => Promise<void>;
  /** Lets go of the database: what comes after this is kept nowhere. With erase everything in it is deleted; it fails if that cannot be. */
  readonly end: (erase: boolean) => Promise<void>;
}

/** State of a keep. */
interface State {
  db: Database | undefined; // given up once it does not even answer
  readonly extra: Map<string, Entry>; // what the database would not take
  readonly settings: Map<string, unknown>; // set in this tab
  failing: boolean; // the last write failed
}

/** A keep in the database of a name, or in memory if there is no factory. */
export function newKeep(factory: IDBFactory | undefined, name: string): Keep {
  const s: State = { db: factory && newDatabase(factory, name), extra: new Map(), settings: new Map(), failing: !factory };
  const hold = (entries: readonly Entry[]): void => entries.forEach((e) => s.extra.set(e.held.id, e));
  return {
    keeping: () => (s.failing || s.extra.size > 0 ? "tab" : "phone"),
    texts: async () => {
      const extra = [...s.extra.values()].filter((e) => !isPart(e)).map((e) => keptOf(e));
      return [...(await read(s, (of) => answered(of(stores.texts).getAll()), [])), ...extra];
    },
    parts: async () => {
      const extra = [...s.extra.values()].filter(isPart).map((e) => e.held);
      return [...(await read(s, (of) => answered(of(stores.parts).getAll()), [])), ...extra];
    },
    wires: (ids) => wires(s, ids),
    put: async (entries) => {
      try {
        await write(s, async (of) => {
          for (const e of [...s.extra.values(), ...entries]) putEntry(of, e);
        });
        s.extra.clear();
        return "kept";
      } catch (e) {
        if (isFull(e)) return "full";
        hold(entries);
        return "kept";
      }
    },
    hold,
    drop: async (ids, dead) => {
      ids.forEach((id) => s.extra.delete(id));
      await write(s, async (of) => {
        for (const id of ids) for (const name of [stores.texts, stores.media, stores.parts]) of(name).delete(id);
        for (const [key, { at, died }] of dead) of(stores.dead).put(Object.assign([at], { died }), key);
      }).catch(() => undefined);
    },
    dead: () => read(s, deadOf, []),
    undead: (keys) => write(s, async (of) => keys.forEach((k) => of(stores.dead).delete(k))).catch(() => undefined),
    setting: async (name) => (s.settings.has(name) ? s.settings.get(name) : read(s, (of) => answered(of(stores.settings).get(name)), undefined)),
    set: (values) => set(s, values),
    change: async (name, to) => {
      let value: unknown;
      await write(s, async (of) => {
        value = to(s.settings.get(name) ?? (await answered(of(stores.settings).get(name))));
        of(stores.settings).put(value, name);
      }).then(
        () => s.settings.delete(name),
        () => s.settings.set(name, value ?? to(s.settings.get(name))),
      );
    },
    end: async (erase) => {
      const db = s.db ?? (erase && factory ? newDatabase(factory, name) : undefined); // it may answer again
      s.db = undefined;
      s.extra.clear();
      s.settings.clear();
      await db?.end(erase).catch((e: unknown) => {
        if (!(e instanceof Error) || e.name !== "SecurityError") throw new Failure("not_erased"); // where a browser lets nothing be kept there is nothing
      });
    },
  };
}

// A grave is kept as a list of one number, with the other beside it: older pages kept the one alone, and such a list is that number to them.
async function deadOf(of: (store: string) => IDBObjectStore): Promise<[string, Grave][]> {
  const [keys, values] = await Promise.all([answered(of(stores.dead).getAllKeys()), answered(of(stores.dead).getAll())]);
  return keys.map((k, i) => [String(k), { at: Number(values[i]), died: Number(values[i]?.died) }]);
}

async function set(s: State, values: Readonly<Record<string, unknown>>): Promise<void> {
  const names = Object.keys(values);
  for (const name of names) s.settings.set(name, values[name]);
  try {
    await write(s, async (of) => names.forEach((name) => of(stores.settings).put(values[name], name)));
    for (const name of names) s.settings.delete(name); // what is in the database may be changed by another tab
  } catch {
    // it stays in memory
  }
}

function isPart(e: Entry): boolean {
  return e.held.key.startsWith("2");
}

function keptOf({ held: { id, born, at, since, delivery }, wire }: Entry): Kept {
  return { id, wire, born, at, since, delivery };
}

function putEntry(of: (store: string) => IDBObjectStore, e: Entry): void {
  if (isPart(e)) {
    of(stores.media).put({ id: e.held.id, wire: e.wire });
    of(stores.parts).put(e.held);
  } else {
    of(stores.texts).put(keptOf(e));
  }
}

async function wires(s: State, ids: readonly string[]): Promise<Map<string, Uint8Array>> {
  const out = new Map<string, Uint8Array>();
  const note = (r: unknown): void => {
    const { id, wire } = (r ?? {}) as Partial<Kept>;
    if (id && wire instanceof Uint8Array) out.set(id, wire);
  };
  for (const id of ids) {
    const e = s.extra.get(id);
    if (e) out.set(id, e.wire);
  }
  await read(
    s,
    async (of) => {
      const gets = ids.flatMap((id) => [stores.texts, stores.media].map((name) => answered(of(name).get(id) as IDBRequest<unknown>)));
      for (const r of await Promise.all(gets)) note(r);
    },
    undefined,
  );
  return out;
}

async function read<T>(s: State, work: (of: (store: string) => IDBObjectStore) => Promise<T>, otherwise: T): Promise<T> {
  try {
    return s.db ? await s.db.run("readonly", work) : otherwise;
  } catch (e) {
    failed(s, e);
    return otherwise;
  }
}

async function write(s: State, work: (of: (store: string) => IDBObjectStore) => Promise<void>): Promise<void> {
  if (!s.db) throw new Error("no database");
  try {
    await s.db.run("readwrite", work);
    s.failing = false;
  } catch (e) {
    failed(s, e);
    throw e;
  }
}

function failed(s: State, e: unknown): void {
  s.failing = true;
  if (e instanceof Error && e.message === silent) s.db = undefined;
}

function isFull(e: unknown): boolean {
  return e instanceof Error && e.name === "QuotaExceededError";
}
