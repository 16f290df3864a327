// Reconciliation as a page uses it, to be loaded behind what shows the first messages.

export { type Key, keyOf } from "./key.ts";
export { type Prefix, keyBytes, keyFrom } from "./prefix.ts";
export { type KeySet, type Scope, floorStep, newKeySet, within } from "./keyset.ts";
export { type Config, type Received, type Session, newSession } from "./session.ts";
export type { Nodes } from "./trie.ts";
export { type Want, decodeWants, encodeWants, matching } from "./want.ts";
