// What this phone brings to hubs: what was written here, questions how far that has come, the exchange. Everything that fails is tried
// again, later each time.

import { jitter } from "../again.ts";
import { Busy } from "./hub.ts";
import { phoneBounds } from "./holdings.ts";
import { exchange as exchangeWith } from "./mule.ts";
import { type Outbox, newOutbox } from "./outbox.ts";
import { waitingIn } from "./stock.ts";
import { type State, later, take } from "./trade.ts";

/** After a message was taken by the hub, it is asked how far it has come, in ms. */
const askAfter = [2500, 6000, 15_000, 30_000];
/** And then now and then. */
const askSeldom = 60_000;
/** The exchange is repeated so often, in ms, and after a failure. */
const exchangeEvery = 600_000;
const exchangeAgain = 15_000;

/** The way out, which knows what hub this is. */
function outboxOf(s: State): Outbox {
  s.outbox ??= newOutbox(s.stock, s.hub, s.memory.handed(), (h) => void s.memory.setHanded(h));
  if (s.meets) s.outbox.meet(s.start);
  s.meets = false;
  return s.outbox;
}

/** Posts what no hub has taken. */
export async function send(s: State): Promise<void> {
  try {
    const before = waitingIn(s.stock);
    const wait = await outboxOf(s).flush();
    s.hold = wait === undefined ? undefined : "full";
    if (wait !== undefined) later(s, "send", jitter(wait));
    if (waitingIn(s.stock) < before) s.asked = 0;
    later(s, "ask", jitter(askAfter[s.asked] ?? askSeldom));
  } catch (e) {
    if (e instanceof Busy) s.hold = "busy";
    later(s, "send", e instanceof Busy ? e.after : jitter(5000));
  }
  s.changed();
}

/** Asks how far what was taken has come. */
export async function ask(s: State): Promise<void> {
  const some = await outboxOf(s).ask().catch(() => true);
  s.asked++;
  if (some) later(s, "ask", jitter(askAfter[s.asked] ?? askSeldom));
}

/** Finds out with the hub who lacks what, and both give it. */
export async function exchange(s: State): Promise<void> {
  if (s.exchanging) return later(s, "exchange", 1000);
  s.exchanging = true;
  try {
    await s.stock.expire();
    const { stock } = s;
    const done = await exchangeWith(
      s.hub,
      {
        held: stock.holdings.all,
        dead: stock.holdings.dead,
        now: stock.now,
        wires: stock.wires,
        take: (list) => take(s, list),
        local: s.local,
        most: phoneBounds.messages,
      },
      { floor: s.told?.floor ?? 0, ranks: s.told?.ranks ?? 0 },
    );
    s.failures = 0;
    if (done.gave > 0) later(s, "send", 0); // own ones among them are at the hub now
    later(s, "exchange", jitter(exchangeEvery));
  } catch (e) {
    s.failures++;
    const wait = Math.min(exchangeAgain * 2 ** s.failures, exchangeEvery);
    later(s, "exchange", e instanceof Busy ? e.after + jitter(2000) : jitter(wait));
  }
  s.exchanging = false;
}
