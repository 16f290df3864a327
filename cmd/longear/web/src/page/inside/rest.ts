// What the inside needs beyond showing what a hub has, as one file: writing, the way out, the exchange, photos, carry files. It is fetched once
// the first messages are there, so that a crowd's radio carries them first; and then at once, since out of reach there is nowhere to fetch
// it from.

export { verifyAll } from "../../protocol/batch.ts";
export { loadCarry, saveCarry } from "./carryfile.ts";
export { mute, rename, respond, write } from "./doing.ts";
export { ask, exchange, send } from "./errands.ts";
export { assemble } from "./gallery.ts";
export { carried, post, sync } from "./giving.ts";
