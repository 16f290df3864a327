// The limits of SPEC.md section 2. They are the same for every node: two that disagreed about one would disagree about
// what is valid. Whatever a peer declares is compared with them before memory is spent on it.

/** The largest body of a message, in bytes. */
export const maxBody = 32_768;
/** The largest message with its signature, in bytes. */
export const maxMessage = 33_280;
/** The smallest message: author, channel, signature. */
export const minMessage = 118;
/** How many messages one may answer. */
export const maxParents = 4;
/** The largest kind. */
export const maxKind = 65_535;
/** The largest value of the flags. */
export const maxFlags = 65_535;
/** The largest class: media. */
export const maxClass = 2;
/** The latest creation time, in ms. */
export const maxCreated = 2 ** 48 - 1;
/** The lifetime of a message that does not ask for one, in seconds. */
export const defaultLifetime = 604_800;
/** The longest lifetime, in seconds. */
export const maxLifetime = 1_209_600;
/** The largest frame between nodes, in bytes; also the most that a reader of a carry file skips at once. */
export const maxFrame = 131_072;
/** The longest name of a public channel, in bytes of UTF-8. */
export const maxName = 64;
