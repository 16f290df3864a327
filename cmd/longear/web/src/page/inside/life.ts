// One life of the inside, from opening to forgetting, and what is done with it both at once and later.

import type { Clock } from "./clock.ts";
import type { Keep } from "./keep.ts";
import { type Memory, tagOf } from "./memory.ts";
import type { Stock } from "./stock.ts";
import type { Tabs } from "./tabs.ts";
import type { Teller } from "./teller.ts";
import type { Trade } from "./trade.ts";

/** What one life has. */
export interface Life {
  readonly keep: Keep;
  readonly clock: Clock;
  readonly memory: Memory;
  readonly stock: Stock;
  readonly trade: Trade;
  readonly end: () => void;
}

/** What every life tells of itself. */
export interface Voices {
  readonly tabs: Tabs;
  readonly teller: Teller;
}

/** Changes who is muted, and looks again at what those have written who then are or no longer are. */
export async function remute({ memory: { muted }, stock: { view } }: Life, change: () => Promise<void>): Promise<void> {
  const before = new Set(muted);
  await change();
  for (const author of new Set([...before, ...muted])) if (before.has(author) !== muted.has(author)) view.look(author);
}

/** Notes a channel by its name. */
export async function learn({ teller }: Pick<Voices, "teller">, l: Life, name: string, chosen: boolean): Promise<void> {
  if (!(await l.memory.learn(name, chosen))) return;
  l.stock.view.name(tagOf(name), name, chosen);
  teller.changed();
}
