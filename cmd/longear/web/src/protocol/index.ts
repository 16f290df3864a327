// longear's protocol as a page uses it. What few pages need, and what is heavy, is fetched when somebody asks for it.

export { toBase32 } from "./base32.ts";
export type { Author, ID, Tag } from "./bytes.ts";
export { fromUTF8, utf8 } from "./bytes.ts";
export { type Card, readCard, writeCard } from "./card.ts";
export { canonicalName, publicTag } from "./channel.ts";
export { authorOf } from "./ed25519.ts";
export { encodeAnswer, encodeManifest, encodePoll } from "./encode.ts";
export { fromBase32 } from "./frombase32.ts";
export { idOf } from "./id.ts";
export { type Manifest, decodeManifest, fileLimits } from "./manifest.ts";
export { type Content, type Message, classes, decode, kinds } from "./message.ts";
export { type Poll, decodePoll } from "./poll.ts";
export { read, readAll } from "./read.ts";
export { type Answer, decodeAnswer } from "./response.ts";
export { findNonce, stampOf } from "./stamp.ts";
export { type Refusal, type Verdict, isRefusal } from "./verdict.ts";
export { type Draft, contentFrom, write } from "./write.ts";

/** Finding out with a hub who lacks what. */
export const reconcile = () => import("./reconcile/reconcile.ts");
/** Carry files, to save and to load. */
export const carry = () => import("./carry.ts");
/** Channels with a key: their tags and keys, sealing and opening. */
export const sealed = () => import("./private.ts");
/** Direct messages. */
export const direct = () => import("./direct.ts");
/** Open-secret channels: 64 MiB and seconds for each passphrase. */
export const passphrases = () => import("./passphrase.ts");
