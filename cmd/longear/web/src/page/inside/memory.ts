// What this phone remembers of its person: the key, the name, the channels. A key is made when the first message is written, so that
// who only reads has none, and who has erased everything has none until then.

import { toBase32 } from "../../protocol/base32.ts";
import { random } from "../../protocol/bytes.ts";
import { canonicalName, publicTag } from "../../protocol/channel.ts";
import { authorOf } from "../../protocol/ed25519.ts";
import type { Handed } from "./outbox.ts";
import type { Saved } from "./clock.ts";
import type { Keep } from "./keep.ts";

/** So many names of channels that nobody here chose are remembered. */
const mostNames = 100;

/** What is remembered. */
export interface Memory {
  readonly author: () => string; // base32, or "" while there is no key
  readonly name: () => string;
  /** Names of channels, and whether the person chose them. */
  readonly channels: () => Iterable<readonly [name: string, chosen: boolean]>;
  /** Whom the person does not want to see. */
  readonly muted: Set<string>;
  /** The key, made if there is none. */
  readonly seed: () => Promise<Uint8Array>;
  readonly call: (name: string) => Promise<void>;
  /** Remembers a channel; false: it was known so. */
  readonly learn: (name: string, chosen: boolean) => Promise<boolean>;
  /** A time of writing, in ms by this phone's clock, later than the last one. */
  readonly stamp: () => number;
  readonly clock: () => Saved | undefined;
  readonly setClock: (s: Saved) => Promise<void>;
  readonly handed: () => Handed;
  readonly setHanded: (h: Handed) => Promise<void>;
  /** Reads again what another tab may have changed. */
  readonly reread: () => Promise<void>;
}

/** Reads what is remembered in a keep. */
export async function newMemory(keep: Keep, wall: () => number): Promise<Memory> {
  let seed: Uint8Array | undefined;
  let author = "";
  let name = "";
  let last = 0;
  const channels = new Map<string, boolean>();
  const muted = new Set<string>();
  const use = (s: unknown): void => {
    if (seed || !(s instanceof Uint8Array) || s.length !== 32) return;
    seed = s;
    author = toBase32(authorOf(s));
  };
  const reread = async (): Promise<void> => {
    use(await keep.setting("seed"));
    name = String((await keep.setting("name")) ?? "");
    const silent = await keep.setting("muted");
    muted.clear();
    if (Array.isArray(silent)) silent.forEach((a) => muted.add(String(a)));
    const known = await keep.setting("channels");
    for (const [n, chosen] of Array.isArray(known) ? (known as unknown[][]) : []) {
      if (canonicalName(String(n)) === n) channels.set(n as string, chosen === true || (channels.get(n as string) ?? false));
    }
  };
  await reread();
  const clock = saved(await keep.setting("clock"));
  const h = (await keep.setting("handed")) as Partial<Handed> | undefined;
  const handed: Handed = { start: String(h?.start ?? ""), ids: Array.isArray(h?.ids) ? h.ids.map(String) : [] };
  return {
    author: () => author,
    name: () => name,
    channels: () => channels,
    muted,
    async seed() {
      if (!seed) use(await keep.setting("seed")); // another tab's
      if (!seed) {
        use(random(32));
        await keep.set({ seed });
      }
      return seed as Uint8Array;
    },
    async call(next) {
      name = next;
      await keep.set({ name });
    },
    async learn(n, chosen) {
      if (channels.get(n) ?? !chosen) {
        if (channels.has(n) || channels.size >= mostNames) return false;
      }
      channels.set(n, chosen);
      await keep.set({ channels: [...channels] });
      return true;
    },
    stamp: () => (last = Math.max(wall(), last + 1)),
    clock: () => clock,
    setClock: (s) => keep.set({ clock: s }),
    handed: () => handed,
    setHanded: (next) => keep.set({ handed: next }),
    reread,
  };
}

function saved(v: unknown): Saved | undefined {
  const s = v as Partial<Saved> | undefined;
  return s && Number.isFinite(s.running) && Number.isFinite(s.wall) ? (s as Saved) : undefined;
}

/** The tag of a channel's name, base32. */
export function tagOf(name: string): string {
  return toBase32(publicTag(name));
}
