// What the person does: messages and answers written, a name taken. Each is signed, kept, and sent as soon as there is a hub.

import { fromBase32 } from "../../protocol/frombase32.ts";
import { canonicalName } from "../../protocol/channel.ts";
import type { Tag } from "../../protocol/bytes.ts";
import { decode, kinds } from "../../protocol/message.ts";
import { isRefusal } from "../../protocol/verdict.ts";
import { type Answer, Failure } from "../core.ts";
import type { Checked } from "./check.ts";
import { type Pen, compose, composeAnswer, composeProfile } from "./compose.ts";
import type { Ready } from "./delta.ts";
import { ageOf } from "./giving.ts";
import { type Held, headOf } from "./head.ts";
import { type Life, type Voices, learn, remute } from "./life.ts";
import { tagOf } from "./memory.ts";
import type { Stock } from "./stock.ts";

/** A profile is written again when it has lived half its life. */
const profileAge = 3.5 * 86_400_000;

/** Writes a message. */
export async function write(s: Voices, l: Life, draft: Ready): Promise<void> {
  const name = canonicalName(draft.channel);
  if (name === undefined) throw new Failure("bad_channel");
  const wires = compose(await penOf(l, tagFrom(tagOf(name)), draft.lifetime ?? 0), draft);
  await learn(s, l, name, false);
  await post(s, l, wires);
}

/** Answers a message. */
export async function respond(s: Voices, l: Life, target: string, answer: Answer): Promise<void> {
  const h = l.stock.holdings.get(target);
  if (!h) throw new Failure("failed");
  await post(s, l, [composeAnswer(await penOf(l, tagFrom(h.tag), 0), target, answer)]);
}

/** Takes a name. */
export async function rename(s: Voices, l: Life, name: string): Promise<void> {
  const profile = composeProfile(await penOf(l, tagFrom(tagOf("all")), 0), name.trim());
  await l.memory.call(name.trim());
  s.tabs.settings();
  await keep(s, l, [profile]);
}

/** So many authors are muted; the first of them are heard again. */
const mostMuted = 1000;

/** Mutes an author on this phone, or ends that. What it wrote is held and carried all the same: only what is shown and counted here changes. */
export async function mute(s: Voices, l: Life, author: string, on: boolean): Promise<void> {
  const { keep: kept, memory } = l;
  // What is kept counts, not what this tab has read of it: another may have muted somebody meanwhile.
  const next = (before: unknown): string[] => {
    const others = (Array.isArray(before) ? before.map(String) : [...memory.muted]).filter((a) => a !== author);
    return [...others, ...(on ? [author] : [])].slice(-mostMuted);
  };
  await remute(l, async () => {
    await kept.change("muted", next);
    await memory.reread();
  });
  s.teller.changed();
  s.tabs.settings();
}

function tagFrom(tag: string): Tag {
  const bytes = fromBase32(tag, 16);
  if (!bytes) throw new Failure("failed");
  return bytes as Tag;
}

async function penOf(l: Life, tag: Tag, lifetime: number): Promise<Pen> {
  return { seed: await l.memory.seed(), tag, lifetime, created: l.memory.stamp };
}

/** Keeps what was signed, after a profile if one is due. */
async function post(s: Voices, l: Life, wires: readonly Uint8Array[]): Promise<void> {
  await keep(s, l, [...(await profile(l)), ...wires]);
}

/** Takes what this page has just signed into its stock. It is on disk when this returns. */
export async function own({ take, holdings }: Stock, wires: readonly Uint8Array[]): Promise<Held[]> {
  const list = wires.map((wire): Checked => {
    const message = decode(wire);
    if (isRefusal(message)) throw new RangeError(message);
    return { head: headOf(message, wire), message, wire, age: 0 };
  });
  await take(list, { at: "phone" });
  return list.flatMap(({ head }) => holdings.get(head.id) ?? []);
}

/** Keeps what was signed, and has it go out. */
async function keep(s: Voices, l: Life, wires: readonly Uint8Array[]): Promise<void> {
  const kept = await own(l.stock, wires);
  if (kept.length === 0) throw new Failure("failed");
  s.tabs.settings(); // there may be a key now
  l.trade.send();
}

/** The person's profile, if they have a name and the last one will soon be gone. */
async function profile(l: Life): Promise<Uint8Array[]> {
  const name = l.memory.name();
  const me = l.memory.author();
  if (name === "" || me === "") return [];
  for (const h of l.stock.holdings.all()) {
    if (h.kind === kinds.profile && h.author === me && ageOf(h, l.stock.now()) < profileAge) return [];
  }
  return [composeProfile(await penOf(l, tagFrom(tagOf("all")), 0), name)];
}
