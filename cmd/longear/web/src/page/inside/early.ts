// What is remembered of the dead. Ages are not signed, so who passes on a message with an age just below its lifetime must not kill it for
// good: until a lifetime since its first receipt is over, it comes back with a clearly smaller age (SPEC.md section 10, died early).

import type { Held } from "./head.ts";

/** One of the dead, in ms of running time. */
export interface Grave {
  readonly at: number; // since when it is remembered: its death, or of who died early first receipt + lifetime, and until then it may come back
  readonly died: number; // of who died early, when its age reached its lifetime; NaN of others
}

/** By this part of its lifetime an age must be smaller than another to make a difference. */
const step = 1 / 256;

/** The grave of what is let go of now. */
export function graveOf({ born, since, lifetime, delivery }: Held, now: number): Grave {
  const until = since + lifetime;
  const died = born + lifetime;
  // A first receipt that is still to come means a damaged state, NaN that an older page did not note it.
  const early = !delivery && died <= now && since <= now && now < until && until - died > lifetime * step;
  return early ? { at: until, died } : { at: now, died: NaN };
}

/** Whether a message comes out of its grave that would die then. */
export function opens({ at, died }: Grave, now: number, dies: number, lifetime: number): boolean {
  return now < at && dies - died >= lifetime * step;
}
