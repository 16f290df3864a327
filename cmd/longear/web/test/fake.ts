// An inside that is made up: every state that the screens can show, the same at each run, and a handle by which a test changes it. It
// is for tests of the screens alone and no part of the page.

import type { Answer, Core, Draft, Post, Room, Snapshot, Tally } from "../src/page/core.ts";
import { Failure } from "../src/page/core.ts";

/** A handle on the inside. */
export interface Fake extends Core {
  /** Changes what there is to show. */
  set(some: Partial<Snapshot>): void;
  /** A message arrives. */
  arrive(some: Partial<Post>): void;
  /** What was asked of the inside. */
  readonly asked: string[];
  /** What fails from now on, with which word; "" nothing. */
  fail(say: string): void;
}

const noTally: Tally = { confirms: 0, contradicts: 0, signs: 0, votes: [], voters: 0, reactions: [], mine: undefined };
const letters = "abcdefghijklmnopqrstuvwxyz234567";

/** A key or an ID that a number decides. */
export function made(n: number, length = 52): string {
  let state = (n + 1) * 2654435761;
  return Array.from({ length }, () => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 374761393) >>> 0;
    return letters.charAt(state >>> 27);
  }).join("");
}

const rooms: readonly Room[] = [
  { name: "all", tag: made(900, 26), messages: 12, chosen: true },
  { name: "water", tag: made(901, 26), messages: 5, chosen: false },
  { name: "дәрігер", tag: made(902, 26), messages: 2, chosen: true },
  { name: "", tag: made(903, 26), messages: 1, chosen: false },
];

/** A message with what most have. */
export function post(n: number, some: Partial<Post> = {}): Post {
  const room = rooms.find((r) => r.name === (some.channel ?? "all")) ?? rooms[3]!;
  return {
    id: made(n), kind: "post", alert: false, channel: room.name, tag: room.tag, author: made(100 + (n % 7)), name: "", mine: false, text: "",
    created: Date.now() - n * 7 * 60_000, parents: [], tally: noTally, delivery: undefined, poll: undefined, photo: undefined, ...some,
  };
}

const dot = Uint8Array.from(atob("iVBORw0KGgoAAAANSUhEUgAAABAAAAAMCAIAAADkharWAAAAYklEQVR42mOo3/SUJMTQv/0eSYhh/p7rJCGG9QcvkIQY9h87SRJiOH/6EBrystKDI0xZhvsXdqMhZA2Ysgz+OV5oCFkDpiyDb5YXGkLWgCnL4J3hRRJi8EzzIgkxuKd4kYQANKo7EDBtp7gAAAAASUVORK5CYII="), (c) => c.charCodeAt(0));

/** A picture, drawn: as large as somebody would send. */
async function drawn(): Promise<Blob> {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [640, 480];
  const pen = canvas.getContext("2d")!;
  const sky = pen.createLinearGradient(0, 0, 0, 480);
  sky.addColorStop(0, "#7fb2e5");
  sky.addColorStop(0.6, "#f2d9b0");
  sky.addColorStop(0.6, "#5d7a4a");
  sky.addColorStop(1, "#3c5230");
  pen.fillStyle = sky;
  pen.fillRect(0, 0, 640, 480);
  pen.fillStyle = "#4a3a2e";
  pen.fillRect(240, 200, 160, 160);
  return new Promise((done) => canvas.toBlob((b) => done(b!), "image/jpeg", 0.8));
}

/** Messages of every sort. */
export function everySort(): Post[] {
  const photo = { type: "image/jpeg", name: "gate.jpg", size: 61_234, width: 640, height: 480, preview: dot, have: 3, parts: 8 };
  return [
    post(0, { alert: true, name: "blue kettle", text: "The north gate is closed. Use the east stairs, the ramp is free.", tally: { ...noTally, confirms: 12, contradicts: 1 } }),
    post(1, { mine: true, author: made(1), name: "rain coat", text: "Water at the east stairs, about 200 bottles left.", delivery: { at: "carried", by: 2 }, tally: { ...noTally, reactions: [{ text: "👍", count: 4 }, { text: "🙏", count: 2 }] } }),
    post(2, { name: "blue kettle", author: made(107), text: "Gate is open again!!! Everybody go there", tally: { ...noTally, reactions: [{ text: "❗", count: 1 }], mine: { kind: "react", text: "❗" } } }),
    post(3, { kind: "poll", name: "Айгүл", text: "Where should the tea tent be?", poll: { options: ["East stairs", "Under the bridge", "Беседка у фонтана", "في الحديقة"], most: 1 }, tally: { ...noTally, votes: [14, 6, 3, 0], voters: 23, mine: { kind: "vote", options: [0] } } }),
    post(4, { kind: "petition", name: "медпункт", text: "Просим открыть боковую дверь для скорой помощи.", tally: { ...noTally, signs: 41 } }),
    post(5, { kind: "photo", name: "بهار", text: "خیابان شمالی بسته است", photo }),
    post(6, { kind: "sealed", channel: "", text: "" }),
    post(7, { text: "Anybody near the #water point? http://example.org/ <b>not bold</b> \u202eevil\u202c", channel: "water", parents: [made(1)] }),
    post(8, { text: "I was there an hour ago.", name: "rain coat", author: made(109), parents: [made(999)], channel: "water" }),
    post(9, { mine: true, author: made(1), name: "rain coat", text: "Дәрігер керек, 3-ші кіреберіс", channel: "дәрігер", delivery: { at: "phone" } }),
    post(10, { mine: true, author: made(1), name: "rain coat", text: "Hello?", delivery: { at: "refused", word: "full" } }),
    post(11, { mine: true, author: made(1), name: "rain coat", text: "First words.", delivery: { at: "hub" } }),
    post(12, { kind: "photo", name: "guide", text: "", photo: { ...photo, type: "application/pdf", name: "map of the square.pdf", size: 182_000, preview: new Uint8Array(), width: 0, height: 0, have: 0, parts: 23 } }),
    post(13, { kind: "poll", name: "tent 4", text: "What is short where you are?", poll: { options: ["Water", "Bread", "Blankets"], most: 2 }, tally: { ...noTally, votes: [3, 1, 2], voters: 4 } }),
    post(14, { alert: true, name: "مستشفى", text: "نحتاج إلى متبرعين بالدم، فصيلة O سالب، عند الخيمة الطبية.", tally: { ...noTally, confirms: 3, mine: { kind: "confirm" } } }),
    post(15, { name: "long", text: "A long report. ".repeat(60), channel: "water" }),
    post(16, { name: "w".repeat(60), text: "oneverylongwordwithoutanyspace".repeat(12) }),
  ];
}

/** Many messages, as at a hub in a crowd. */
export function many(n: number): Post[] {
  return Array.from({ length: n }, (_, i) => post(1000 + i, { name: `guest ${i % 40}`, author: made(200 + (i % 40)), text: `Message ${n - i}: the line at the east stairs is ${i % 90} people long.`, created: Date.now() - i * 20_000, alert: i % 50 === 7, channel: i % 3 === 0 ? "water" : "all" }));
}

/** An inside to begin with. */
export function fakeCore(posts: readonly Post[]): Fake {
  const listeners = new Set<() => void>();
  let next = 5000;
  let failing = "";
  let hidden: readonly Post[] = []; // of muted authors
  let now: Snapshot = {
    ready: true, line: "live", looked: true, hub: { name: "north gate", guests: 11, neighbours: 2, lastSync: 20, messages: 231 }, keeping: "phone",
    posts, rooms, author: made(1), name: "rain coat", waiting: 0, carrying: 231, clockOff: 0, lies: 0, old: false, muted: [],
  };
  const asked: string[] = [];
  const set = (some: Partial<Snapshot>): void => {
    now = { ...now, ...some };
    requestAnimationFrame(() => listeners.forEach((l) => l()));
  };
  const ask = async (what: string): Promise<void> => {
    asked.push(what);
    await new Promise((done) => setTimeout(done, 20));
    if (failing !== "") throw new Failure(failing);
  };
  const change: Change = (id, by) => set({ posts: now.posts.map((p) => (p.id === id ? { ...p, ...by(p) } : p)) });
  return {
    asked,
    set,
    fail: (say) => void (failing = say),
    arrive: (some) => set({ posts: [post(next++, { created: Date.now(), ...some }), ...now.posts] }),
    now: () => now,
    subscribe: (changed) => {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
    write: async (draft) => {
      await ask(`write ${JSON.stringify(draft)}`);
      set({ posts: [written(next++, draft), ...now.posts] });
    },
    respond: async (target, answer) => {
      await ask(`respond ${JSON.stringify(answer)}`);
      change(target, (p) => ({ tally: counted(p.tally, answer) }));
    },
    photo: (id) => ask("photo").then(() => fetched(id, () => now.posts, change)),
    looking: ({ channel }) => void asked.push(`looking ${channel}`),
    addChannel: async (typed) => {
      await ask(`channel ${typed}`);
      set({ rooms: [...now.rooms, { name: typed.toLowerCase(), tag: made(typed.length + 950, 26), messages: 0, chosen: true }] });
    },
    rename: async (name) => {
      await ask(`name ${name}`);
      set({ name });
    },
    mute: async (author, on) => {
      await ask(`mute ${author} ${on}`);
      const name = now.posts.find((p) => p.author === author)?.name ?? "";
      if (on) hidden = hidden.concat(now.posts.filter((p) => p.author === author));
      const posts = on ? now.posts.filter((p) => p.author !== author) : [...now.posts, ...hidden.filter((p) => p.author === author)].sort((a, b) => b.created - a.created);
      if (!on) hidden = hidden.filter((p) => p.author !== author);
      set({ posts, muted: [...now.muted.filter((m) => m.author !== author), ...(on ? [{ author, name }] : [])] });
    },
    save: async () => {
      await ask("save");
      return new Blob(["longear"]);
    },
    load: async (file) => {
      await ask(`load ${file.size}`);
      return { taken: 12, known: 3, refused: 1, damaged: file.size === 7 };
    },
    forget: async () => ask("forget"),
  };
}

type Change = (id: string, by: (p: Post) => Partial<Post>) => void;

/** The parts of a photo come one by one. */
async function fetched(id: string, posts: () => readonly Post[], change: Change): Promise<Blob> {
  const photo = posts().find((p) => p.id === id)!.photo!;
  for (let have = photo.have; have <= photo.parts; have++) {
    change(id, (p) => ({ photo: { ...p.photo!, have } }));
    await new Promise((done) => setTimeout(done, 40));
  }
  return photo.type === "image/jpeg" ? drawn() : new Blob(["<script>alert(1)</script>"], { type: "text/html" });
}

function written(n: number, draft: Draft): Post {
  const base = { mine: true, author: made(1), name: "rain coat", text: draft.text, channel: draft.channel, created: Date.now(), delivery: { at: "phone" } as const };
  if (draft.kind === "post") return post(n, { ...base, alert: draft.alert, parents: draft.parent === undefined ? [] : [draft.parent] });
  if (draft.kind === "poll") return post(n, { ...base, kind: "poll", poll: { options: draft.options, most: draft.most }, tally: { ...noTally, votes: draft.options.map(() => 0) } });
  return post(n, { ...base, kind: draft.kind });
}

/** A tally after this reader's answer: the old one goes, the new one counts. */
export function counted(tally: Tally, answer: Answer): Tally {
  const by = (t: Tally, a: Answer | undefined, n: 1 | -1): Tally => {
    switch (a?.kind) {
      case "confirm":
        return { ...t, confirms: t.confirms + n };
      case "contradict":
        return { ...t, contradicts: t.contradicts + n };
      case "sign":
        return { ...t, signs: t.signs + n };
      case "vote":
        return { ...t, voters: t.voters + n, votes: t.votes.map((v, i) => (a.options.includes(i) ? v + n : v)) };
      case "react": {
        const others = t.reactions.filter((r) => r.text !== a.text);
        const count = (t.reactions.find((r) => r.text === a.text)?.count ?? 0) + n;
        return { ...t, reactions: count > 0 ? [...others, { text: a.text, count }].sort((x, y) => y.count - x.count) : others };
      }
      default:
        return t;
    }
  };
  return { ...by(by(tally, tally.mine, -1), answer, 1), mine: answer.kind === "withdraw" ? undefined : answer };
}
