// The inside's entry. In a worker it serves the page that made it; where a browser cannot load a module into a worker, the page
// imports this file itself and gives it a port.

import { Failure } from "../core.ts";
import type { Call, Delta, Port } from "./delta.ts";
import { newHub } from "./hub.ts";
import { newInside } from "./inside.ts";

/** Serves calls that come by a port. */
export function serve(port: Port): void {
  const scope = globalThis;
  const calls = newInside({
    database: database(),
    hub: newHub(scope.location.origin, scope.fetch.bind(scope)),
    hands: { wall: () => Date.now(), mono: () => performance.now() },
    local: isAtHand(scope.location.hostname),
    channel: "BroadcastChannel" in scope ? (name) => new BroadcastChannel(name) : undefined,
    tell: (delta: Delta) => port.postMessage({ delta }),
    log: (text) => console.warn(text),
  });
  port.onmessage = ({ data }: MessageEvent<Call>) => {
    const [n, name, ...args] = data;
    (calls[name] as (...args: unknown[]) => Promise<unknown>)(...args).then(
      (result) => port.postMessage({ n, result }),
      (e: unknown) => {
        if (!(e instanceof Failure)) console.error(e);
        port.postMessage({ n, say: e instanceof Failure ? e.say : "wrong" });
      },
    );
  };
}

/** The browser's database; even naming it may fail. */
function database(): IDBFactory | undefined {
  try {
    return globalThis.indexedDB ?? undefined;
  } catch {
    return undefined;
  }
}

/** Whether a hub's address is on a network at hand, as SPEC.md means LOCAL_ONLY: a name proves nothing. */
function isAtHand(host: string): boolean {
  const at = host.replace(/^\[|\]$/g, "").toLowerCase();
  return (
    at === "localhost" ||
    /^(127|10)\.\d+\.\d+\.\d+$/.test(at) ||
    /^(192\.168|169\.254)\.\d+\.\d+$/.test(at) ||
    /^172\.(1[6-9]|2\d|3[01])\.\d+\.\d+$/.test(at) ||
    at === "::1" ||
    /^f[cd][0-9a-f]{2}:/.test(at) ||
    /^fe[89ab][0-9a-f]:/.test(at)
  );
}

// In a worker there is no document.
if (typeof document === "undefined" && "WorkerGlobalScope" in globalThis) serve(globalThis as unknown as Port);
