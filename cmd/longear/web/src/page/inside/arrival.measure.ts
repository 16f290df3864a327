// Prints what one arrival costs a page that holds 10,000 messages, in CPU time, and what a visit begins with: npm run measure.

import "fake-indexeddb/auto";
import { performance } from "node:perf_hooks";
import { newMirror } from "../mirror.ts";
import { newClock } from "./clock.ts";
import { messageBy, testHands } from "./imitation.ts";
import { newKeep } from "./keep.ts";
import { newStock } from "./stock.ts";
import { newView } from "./view.ts";

const used = (since: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
};

const hands = testHands();
const mirror = newMirror((f) => f());
const head = { ready: true } as ReturnType<typeof mirror.now>;
const bounds = { messages: 20_000, textBytes: 1 << 30, mediaBytes: 0 };
const stock = newStock({
  keep: newKeep(undefined, ""), // in memory: what a browser's database costs is not in these figures
  clock: newClock(hands),
  wall: hands.wall,
  bounds,
  makeView: (held) => newView({ held, muted: new Set(), author: () => "" }),
  came: () => undefined,
  changed: () => undefined,
});
const show = (): void => {
  const { posts, gone, rooms } = stock.view.takeChanges(1e9);
  mirror.apply({ head, posts: structuredClone(posts), gone, rooms });
};
const wires = Array.from({ length: 10_200 }, (_, i) => messageBy(i % 64, { text: `water ${i}`, created: 1_794_000_000_000 + i * 1000 }));
let began = process.cpuUsage();
await stock.check.all(wires.slice(0, 10_000).map((wire) => ({ wire, age: 0 })));
console.log(`10,000 messages checked, kept and indexed: ${used(began).toFixed(0)} ms CPU`);
began = process.cpuUsage();
show();
console.log(`shown: ${used(began).toFixed(0)} ms CPU`);
began = process.cpuUsage();
for (const wire of wires.slice(10_000)) {
  await stock.check.all([{ wire, age: 0 }]);
  show();
}
console.log(`one arrival at 10,000, checked, kept, indexed and shown: ${(used(began) / 200).toFixed(2)} ms CPU`);
began = process.cpuUsage();
const at = performance.now();
for (let i = 0; i < 200; i++) mirror.apply({ head, posts: [{ ...mirror.now().posts[5000]! }], gone: [], rooms: undefined });
console.log(`of it the screens' side: ${(used(began) / 200).toFixed(3)} ms CPU (${((performance.now() - at) / 200).toFixed(3)} ms by the clock)`);
