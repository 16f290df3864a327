// The page's inside as the screens see it: calls go to a worker, what changed comes back. This side holds nothing but a copy of what
// there is to show.

import { back, fetched, once, pause } from "./again.ts";
import { type Core, Failure } from "./core.ts";
import type { Calls, Delta, Port, Ready, Reply } from "./inside/delta.ts";
import { type Mirror, newMirror } from "./mirror.ts";

/** What draws photos. */
export const drawing = once(() => import("./drawing.ts"));

/** Starts the inside. */
export function newCore(): Core {
  const mirror = newMirror(beforeNextFrame);
  const call = caller(mirror);
  // A phone that is taken out, or has changed its Wi-Fi, may have another hub or none. The browser's word is only a reason to look.
  const poke = (): void => void call("poke").catch(() => undefined);
  addEventListener("online", poke);
  addEventListener("offline", poke);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") poke();
  });
  return {
    now: mirror.now,
    subscribe: mirror.subscribe,
    write: async (draft) => {
      if (draft.kind !== "photo") return call("write", draft);
      const { file, ...rest } = draft;
      const { draw } = await drawing();
      return call("write", { ...rest, drawn: await draw(file) } satisfies Ready);
    },
    respond: (target, answer) => call("respond", target, answer),
    photo: (id) => call("photo", id),
    looking: ({ channel }) => void call("looking", channel).catch(() => undefined),
    addChannel: (typed) => call("addChannel", typed),
    rename: (name) => call("rename", name),
    mute: (author, on) => call("mute", author, on),
    save: () => call("save"),
    load: (file) => call("load", file),
    forget: () => call("forget"),
  };
}

type Caller = <Name extends keyof Calls>(name: Name, ...args: Parameters<Calls[Name]>) => ReturnType<Calls[Name]>;

/** A way to call the inside, which is loaded meanwhile. */
function caller(mirror: Mirror): Caller {
  const open = new Map<number, { readonly done: (v: never) => void; readonly failed: (e: Failure) => void }>();
  let last = 0;
  const port = connect((reply) => {
    if ("delta" in reply) {
      if (reply.delta.head.line === "live" && mirror.now().line !== "live") back();
      return mirror.apply(reply.delta as Delta);
    }
    const waiting = open.get(reply.n);
    open.delete(reply.n);
    if (reply.say === undefined) waiting?.done(reply.result as never);
    else waiting?.failed(new Failure(reply.say));
  });
  return (name, ...args) =>
    new Promise((done, failed) => {
      open.set(++last, { done, failed });
      port.postMessage([last, name, ...args]);
    }) as ReturnType<Calls[typeof name]>;
}

/** The address of the inside's file, which the build puts here. */
declare const insideFile: string;

/** Loads the inside into a worker; where that cannot be, into this thread; again until it is there. What is sent meanwhile waits. */
function connect(on: (reply: Reply) => void): { readonly postMessage: (m: unknown) => void } {
  const address = new URL(insideFile, import.meta.url).href;
  const sent: unknown[] = []; // until the inside has spoken: it may turn out that it is not there
  let heard = false;
  let port: Port | undefined;
  const use = (next: Port): void => {
    port = next;
    next.onmessage = ({ data }: MessageEvent<Reply>) => {
      heard = true;
      sent.length = 0;
      on(data);
    };
    sent.forEach((m) => next.postMessage(m));
  };
  const here = async (): Promise<void> => {
    if (heard) return;
    const { serve } = await fetched(() => import(address) as Promise<typeof import("./inside/worker.ts")>);
    const { port1, port2 } = new MessageChannel();
    serve(port2 as Port);
    use(port1 as Port);
  };
  const begin = (): void => {
    const otherwise = (): void => void here().catch(() => pause().then(begin));
    try {
      const worker = new Worker(address, { type: "module" });
      worker.addEventListener("error", otherwise, { once: true });
      use(worker);
    } catch {
      otherwise();
    }
  };
  begin();
  return {
    postMessage: (m) => {
      if (!heard) sent.push(m);
      port?.postMessage(m);
    },
  };
}

/** Before the next frame; a tab that is not seen has none, and is told all the same. */
function beforeNextFrame(f: () => void): void {
  if (document.visibilityState === "visible") requestAnimationFrame(f);
  else setTimeout(f, 250);
}
