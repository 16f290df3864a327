// What there is to see of what is held: posts with their tallies, the names that authors give themselves, what was taken back. Each
// arrival marks what it changes, and only that is made anew.

import { sha256 } from "@noble/hashes/sha2.js";
import { fromUTF8, inDomain } from "../../protocol/bytes.ts";
import { decodeManifest } from "../../protocol/manifest.ts";
import { kinds } from "../../protocol/message.ts";
import { decodePoll } from "../../protocol/poll.ts";
import { decodeAnswer } from "../../protocol/response.ts";
import { toBase32 } from "../../protocol/base32.ts";
import type { Photo, Post, Room } from "../core.ts";
import { type Held, rankOf } from "./head.ts";
import { shownAt } from "./holdings.ts";
import { readName } from "./profile.ts";
import { pictureType } from "./picture.ts";
import { type Said, newTallies } from "./tally.ts";

/** Where letters go, which are for their readers' own programs. */
const directTag = toBase32(sha256(inDomain("longear/1 channel direct")).slice(0, 16));

/** What changed since the last time. */
export interface Changes {
  readonly posts: readonly Post[]; // new or changed
  readonly gone: readonly string[];
  readonly rooms: readonly Room[] | undefined; // if they changed
  readonly more: boolean; // there are more
}

/** What the view asks of others. */
export interface Around {
  readonly held: (id: string) => Held | undefined;
  readonly author: () => string; // this phone's key, or ""
  readonly muted: ReadonlySet<string>; // authors that are not shown
}

/** The messages as screens show them. */
export interface View {
  readonly add: (h: Held, body: Uint8Array) => void;
  readonly remove: (h: Held) => void;
  /** Something about a message has changed: its delivery, the parts of its photo. */
  readonly touch: (id: string) => void;
  /** Tells the name of a channel. */
  readonly name: (tag: string, name: string, chosen: boolean) => void;
  readonly nameOf: (tag: string) => string;
  /** An author is muted now, or not any more. */
  readonly look: (author: string) => void;
  /** The name that an author gives itself. */
  readonly calls: (author: string) => string;
  /** The photo in a message. */
  readonly photo: (id: string) => Shown["photo"];
  /** At most so many posts, the newest first. */
  readonly takeChanges: (most: number) => Changes;
}

/** What a body says. */
interface Shown {
  readonly kind: Post["kind"];
  readonly text: string;
  readonly poll: Post["poll"];
  readonly photo: (Omit<Photo, "have" | "parts"> & { readonly chunks: readonly string[] }) | undefined;
}

interface Entry {
  readonly h: Held;
  readonly shown: Shown;
}

interface Profile {
  readonly key: string;
  readonly name: string;
}

interface State {
  readonly around: Around;
  readonly posts: Map<string, Entry>;
  readonly byAuthor: Map<string, Set<string>>;
  readonly byTag: Map<string, Set<string>>; // without what is hidden
  readonly tallies: ReturnType<typeof newTallies>;
  readonly said: Map<string, Said>; // by the ID of the response
  readonly profiles: Map<string, Profile[]>; // by author; the latest last
  readonly retracts: Map<string, Map<string, string>>; // by target: retract to its author
  readonly names: Map<string, { name: string; chosen: boolean }>; // by tag
  readonly dirty: Set<string>;
  readonly told: Set<string>; // posts that were told and not taken back
  roomsDirty: boolean;
}

/** A view of nothing. */
export function newView(around: Around): View {
  const s: State = {
    around,
    posts: new Map(),
    byAuthor: new Map(),
    byTag: new Map(),
    tallies: newTallies(),
    said: new Map(),
    profiles: new Map(),
    retracts: new Map(),
    names: new Map(),
    dirty: new Set(),
    told: new Set(),
    roomsDirty: true,
  };
  return {
    add: (h, body) => add(s, h, body),
    remove: (h) => remove(s, h),
    touch: (id) => s.dirty.add(id),
    name: (tag, name, chosen) => {
      const before = s.names.get(tag);
      s.names.set(tag, { name, chosen: chosen || (before?.chosen ?? false) });
      s.roomsDirty = true;
      if (before?.name !== name) s.byTag.get(tag)?.forEach((id) => s.dirty.add(id));
    },
    nameOf: (tag) => s.names.get(tag)?.name ?? "",
    look: (author) => {
      s.byAuthor.get(author)?.forEach((id) => weigh(s, id));
      for (const [id, said] of s.said) if (said.author === author) weigh(s, id);
    },
    calls: (author) => calls(s, author),
    photo: (id) => s.posts.get(id)?.shown.photo,
    takeChanges: (most) => takeChanges(s, most),
  };
}

function add(s: State, h: Held, body: Uint8Array): void {
  switch (h.kind) {
    case kinds.response: {
      const answer = decodeAnswer(body);
      const target = h.parents.length === 1 ? h.parents[0] : undefined;
      if (!answer || target === undefined) return;
      const said = { key: h.key, author: h.author, tag: h.tag, answer };
      s.said.set(h.id, said);
      if (!isHidden(s, h)) s.tallies.hear(target, said);
      s.dirty.add(target);
      return;
    }
    case kinds.profile: {
      const name = readName(body);
      if (name !== undefined) rename(s, h.author, [...(s.profiles.get(h.author) ?? []), { key: h.key, name }]);
      return;
    }
    case kinds.retract:
      for (const target of h.parents) {
        const by = s.retracts.get(target) ?? new Map<string, string>();
        s.retracts.set(target, by.set(h.id, h.author));
        weigh(s, target);
      }
      return;
  }
  const shown = h.tag === directTag ? undefined : read(h, body);
  if (!shown) return;
  s.posts.set(h.id, { h, shown });
  link(s.byAuthor, h.author, h.id);
  if (!isHidden(s, h)) link(s.byTag, h.tag, h.id);
  const { poll } = shown;
  const kind = shown.kind === "petition" || shown.kind === "poll" ? shown.kind : "other";
  s.tallies.know(h.id, { tag: h.tag, kind, options: poll?.options.length ?? 0, most: poll?.most ?? 0 });
  s.dirty.add(h.id);
  s.roomsDirty = true;
}

function remove(s: State, h: Held): void {
  const said = s.said.get(h.id);
  if (said) {
    const target = h.parents[0] ?? "";
    s.said.delete(h.id);
    s.tallies.unhear(target, said);
    s.dirty.add(target);
  }
  if (h.kind === kinds.profile) rename(s, h.author, (s.profiles.get(h.author) ?? []).filter((p) => p.key !== h.key));
  if (h.kind === kinds.retract) {
    for (const target of h.parents) {
      const by = s.retracts.get(target);
      by?.delete(h.id);
      if (by?.size === 0) s.retracts.delete(target);
      weigh(s, target);
    }
  }
  if (!s.posts.delete(h.id)) return;
  unlink(s.byAuthor, h.author, h.id);
  unlink(s.byTag, h.tag, h.id);
  s.tallies.know(h.id, undefined);
  s.dirty.add(h.id);
  s.roomsDirty = true;
}

/** What is taken back is not shown, and an answer that is taken back does not count. Others' retracts mean nothing. Neither is what a muted author says. */
function isHidden(s: State, h: Held): boolean {
  return s.around.muted.has(h.author) || [...(s.retracts.get(h.id)?.values() ?? [])].includes(h.author);
}

/** Looks at a message anew, of which a retract came or went, or whose author is muted or not any more. */
function weigh(s: State, target: string): void {
  const h = s.around.held(target);
  if (!h) return;
  if (s.posts.has(target)) {
    if (isHidden(s, h)) unlink(s.byTag, h.tag, target);
    else link(s.byTag, h.tag, target);
    s.dirty.add(target);
    s.roomsDirty = true;
  }
  const said = s.said.get(target);
  if (!said) return;
  const answered = h.parents[0] ?? "";
  if (isHidden(s, h)) s.tallies.unhear(answered, said);
  else s.tallies.hear(answered, said);
  s.dirty.add(answered);
}

function rename(s: State, author: string, list: Profile[]): void {
  const before = calls(s, author);
  if (list.length > 0) s.profiles.set(author, list.sort((a, b) => (a.key.slice(1) < b.key.slice(1) ? -1 : 1)));
  else s.profiles.delete(author);
  if (calls(s, author) !== before) s.byAuthor.get(author)?.forEach((id) => s.dirty.add(id));
}

function calls(s: State, author: string): string {
  return s.profiles.get(author)?.slice(-1)[0]?.name ?? "";
}

function link(index: Map<string, Set<string>>, at: string, id: string): void {
  const set = index.get(at);
  if (set) set.add(id);
  else index.set(at, new Set([id]));
}

function unlink(index: Map<string, Set<string>>, at: string, id: string): void {
  const set = index.get(at);
  set?.delete(id);
  if (set?.size === 0) index.delete(at);
}

/** What a body says, if its kind is shown. What cannot be read stands there as sealed: it cannot be told from it. */
function read(h: Held, body: Uint8Array): Shown | undefined {
  const nothing = { text: "", poll: undefined, photo: undefined };
  const sealed: Shown = { kind: "sealed", ...nothing };
  switch (h.kind) {
    case kinds.post:
    case kinds.petition: {
      const text = fromUTF8(body);
      if (text === undefined || text.includes("\0")) return sealed;
      return { ...nothing, kind: h.kind === kinds.post ? "post" : "petition", text: clean(text) };
    }
    case kinds.poll: {
      const p = decodePoll(body);
      if (!p) return sealed;
      return { ...nothing, kind: "poll", text: clean(p.question), poll: { options: p.options.map(clean), most: p.most } };
    }
    case kinds.manifest: {
      const m = decodeManifest(body);
      if (!m) return sealed;
      const { type, size, width, height } = m;
      const preview = pictureType(m.preview) ? m.preview.slice() : new Uint8Array(0);
      const photo = { type, name: clean(m.name), size, width, height, preview, chunks: m.chunks.map(toBase32) };
      return { ...nothing, kind: "photo", text: clean(m.caption), photo };
    }
  }
  return undefined;
}

/** Text without control characters. */
function clean(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "\ufffd");
}

function takeChanges(s: State, most: number): Changes {
  const posts: Post[] = [];
  const gone: string[] = [];
  for (const id of nextOf(s, most)) {
    s.dirty.delete(id);
    const e = s.posts.get(id);
    const h = s.around.held(id);
    if (e && h && !isHidden(s, h)) {
      posts.push(post(s, h, e.shown));
      s.told.add(id);
    } else if (s.told.delete(id)) {
      gone.push(id);
    }
  }
  const rooms = s.roomsDirty ? roomsOf(s) : undefined;
  s.roomsDirty = false;
  return { posts, gone, rooms, more: s.dirty.size > 0 };
}

function nextOf(s: State, most: number): string[] {
  const all = [...s.dirty];
  if (all.length <= most) return all;
  const at = new Map(all.map((id) => [id, s.posts.get(id)?.h.created ?? 0]));
  return all.sort((a, b) => (at.get(b) ?? 0) - (at.get(a) ?? 0)).slice(0, most);
}

function post(s: State, h: Held, shown: Shown): Post {
  const me = s.around.author();
  const { chunks, ...photo } = shown.photo ?? { chunks: [] };
  return {
    id: h.id,
    kind: shown.kind,
    alert: rankOf(h) === 0,
    channel: s.names.get(h.tag)?.name ?? "",
    tag: h.tag,
    author: h.author,
    name: calls(s, h.author),
    mine: h.author === me,
    text: shown.text,
    created: shownAt(h),
    parents: h.parents,
    tally: s.tallies.of(h.id, me),
    delivery: h.delivery,
    poll: shown.poll,
    photo: shown.photo && {
      ...(photo as Omit<Photo, "have" | "parts">),
      have: chunks.filter((c) => s.around.held(c)).length,
      parts: chunks.length,
    },
  };
}

/** So many channels are listed that nobody here has chosen: anybody may post to as many as they like. */
const mostRooms = 200;

function roomsOf(s: State): Room[] {
  const rooms: Room[] = [];
  for (const tag of new Set([...s.byTag.keys(), ...s.names.keys()])) {
    const { name = "", chosen = false } = s.names.get(tag) ?? {};
    const messages = s.byTag.get(tag)?.size ?? 0;
    if (messages > 0 || chosen) rooms.push({ name, tag, messages, chosen });
  }
  rooms.sort((a, b) => b.messages - a.messages || (a.tag < b.tag ? -1 : 1));
  return rooms.filter((r, i) => i < mostRooms || r.chosen);
}
