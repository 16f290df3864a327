// Channels with a key, to be loaded when there is one.

export { type ChannelKey, channelKey } from "./channelkey.ts";
export { type PrivateText, type SealError, maxSealedBytes, openSealed, seal, sealMedia } from "./seal.ts";
