// The browser's database, as little of it as is needed. Every access may fail: in private tabs, on full phones, when iOS has let go of
// the connection, when a hub with a later page made the database.

/** What holds texts, the bytes of media, what is known of media without their bytes, the dead, and everything else by name. */
export const stores = { texts: "texts", media: "media", parts: "parts", dead: "dead", settings: "settings" } as const;

/** The version of this layout. A later one only ever adds to it, so that a page of either version can use the other's. */
const version = 1;

/** Opening hangs in some browsers now and then. */
const openTime = 4000;
/** What then is said. */
export const silent = "no answer";

/** Waits for a request. */
export function answered<T>(r: IDBRequest<T>): Promise<T> {
  return new Promise((done, failed) => {
    r.onsuccess = () => done(r.result);
    r.onerror = () => failed(r.error ?? new Error("the database failed"));
  });
}

/** A database that is opened when it is used, and again when the browser has closed it. */
export interface Database {
  /** Runs work in one transaction and waits until that is on disk. Only requests to the database may be awaited in it. */
  readonly run: <T>(mode: IDBTransactionMode, work: (of: (store: string) => IDBObjectStore) => Promise<T>) => Promise<T>;
  /** Closes it and, with erase, empties and deletes it for all tabs; fails if neither can be. */
  readonly end: (erase: boolean) => Promise<void>;
}

/** A database by its name. */
export function newDatabase(factory: IDBFactory, name: string): Database {
  let open: Promise<IDBDatabase> | undefined;
  const use = (): Promise<IDBDatabase> => (open ??= connect(factory, name, () => (open = undefined)));
  const begin = async (mode: IDBTransactionMode): Promise<IDBTransaction> => {
    for (let again = false; ; again = true) {
      const db = await use().catch((e: unknown) => {
        open = undefined;
        throw e;
      });
      try {
        return db.transaction(Object.values(stores), mode);
      } catch (e) {
        open = undefined; // closed behind our back
        if (again) throw e;
      }
    }
  };
  const d: Database = {
    async run(mode, work) {
      const tx = await begin(mode);
      const ended = new Promise<void>((done, failed) => {
        tx.oncomplete = () => done();
        tx.onabort = () => failed(tx.error ?? new Error("aborted"));
      });
      ended.catch(() => undefined); // the failure of the work, if there is one, says more
      try {
        const result = await work((store) => tx.objectStore(store));
        await ended;
        return result;
      } catch (e) {
        try {
          tx.abort();
        } catch {
          // it has ended
        }
        throw tx.error ?? e;
      }
    },
    async end(erase) {
      // First of all emptied, which works beside other connections: a tab that sleeps holds the deletion up until it wakes.
      let full = false;
      if (erase) await timely(d.run("readwrite", async (of) => Object.values(stores).forEach((s) => of(s).clear()))).catch(() => (full = true));
      const db = await open?.catch(() => undefined);
      db?.close();
      open = undefined;
      if (!erase) return;
      await timely(answered(factory.deleteDatabase(name))).catch((e: unknown) => {
        if (full) throw e;
      });
    },
  };
  return d;
}

async function connect(factory: IDBFactory, name: string, closed: () => void): Promise<IDBDatabase> {
  let db: IDBDatabase;
  try {
    db = await timely(opened(factory.open(name, version)));
  } catch (e) {
    if (!(e instanceof Error) || e.name !== "VersionError") throw e;
    db = await timely(opened(factory.open(name))); // of a later page: what we know is still in it
  }
  if (Object.values(stores).some((s) => !db.objectStoreNames.contains(s))) {
    db.close();
    throw new Error("another layout");
  }
  db.onclose = closed;
  db.onversionchange = () => {
    db.close(); // another tab forgets everything
    closed();
  };
  return db;
}

function opened(r: IDBOpenDBRequest): Promise<IDBDatabase> {
  r.onupgradeneeded = () => {
    const db = r.result;
    for (const s of [stores.texts, stores.media, stores.parts]) {
      if (!db.objectStoreNames.contains(s)) db.createObjectStore(s, { keyPath: "id" });
    }
    for (const s of [stores.dead, stores.settings]) if (!db.objectStoreNames.contains(s)) db.createObjectStore(s);
  };
  return answered(r);
}

function timely<T>(wait: Promise<T>): Promise<T> {
  return new Promise((done, failed) => {
    const timer = setTimeout(() => failed(new Error(silent)), openTime);
    wait.then(done, failed).finally(() => clearTimeout(timer));
  });
}
