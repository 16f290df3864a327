// What the screens ask of the page's inside, and what it tells them. The inside holds the key, the messages and the line to the hub;
// the screens hold nothing that a reload should not lose. Everything here has been checked: text is text, never markup, and a message
// stands here only after its signature verified.

/** What an author says to a message of somebody. SPEC.md, "Responses". */
export type Answer =
  | { readonly kind: "withdraw" }
  | { readonly kind: "confirm" }
  | { readonly kind: "contradict" }
  | { readonly kind: "sign" }
  | { readonly kind: "vote"; readonly options: readonly number[] }
  | { readonly kind: "react"; readonly text: string };

/** What authors said to one message, as far as this phone has heard: one answer each, the latest. Keys are counted, not people. */
export interface Tally {
  readonly confirms: number;
  readonly contradicts: number;
  readonly signs: number;
  readonly votes: readonly number[]; // one number for each option of a poll
  readonly voters: number;
  readonly reactions: readonly { readonly text: string; readonly count: number }[]; // the most frequent first
  readonly mine: Answer | undefined;
}

/** How far a message of this phone's has come. */
export type Delivery =
  | { readonly at: "phone" } // kept on this phone: no hub has taken it yet
  | { readonly at: "hub" } // kept at the hub
  | { readonly at: "carried"; readonly by: number } // other nodes have it too
  | { readonly at: "refused"; readonly word: string }; // a key of the catalogue: why the hub did not take it

/** A photo or a file. */
export interface Photo {
  readonly type: string; // a media type, such as image/jpeg
  readonly name: string;
  readonly size: number; // bytes
  readonly width: number; // 0: not known
  readonly height: number;
  readonly preview: Uint8Array; // a tiny picture; may be empty
  readonly have: number; // parts that this phone has
  readonly parts: number;
}

/** A poll. */
export interface Poll {
  readonly options: readonly string[];
  readonly most: number; // how many of them one may choose
}

/** A message as screens show it. */
export interface Post {
  readonly id: string; // base32
  readonly kind: "post" | "petition" | "poll" | "photo" | "sealed";
  readonly alert: boolean;
  readonly channel: string; // its name without #, or "" if this phone does not know it
  readonly tag: string; // base32
  readonly author: string; // base32
  readonly name: string; // what the author calls itself; "" nothing. Anybody may take any name.
  readonly mine: boolean;
  readonly text: string; // of a poll the question, of a photo the caption
  readonly created: number; // ms since 1970 by the author's clock or by receipt, whichever is earlier
  readonly parents: readonly string[]; // IDs of what it answers
  readonly tally: Tally;
  readonly delivery: Delivery | undefined; // only of own ones
  readonly poll: Poll | undefined;
  readonly photo: Photo | undefined;
}

/** A channel this phone knows of. */
export interface Room {
  readonly name: string; // "" if only the tag is known
  readonly tag: string;
  readonly messages: number; // on this phone
  readonly chosen: boolean; // the person added it by name
}

/** The hub, by its own word. */
export interface Hub {
  readonly name: string;
  readonly guests: number;
  readonly neighbours: number;
  readonly lastSync: number; // s since its last exchange with a neighbour; -1: never
  readonly messages: number;
}

/** How the line to the hub is. */
export type Line = "connecting" | "live" | "away" | "busy" | "full"; // busy: it asked to wait; full: it has no room for what was written

/** Where this phone keeps things: for good, or only until the tab is closed (private tabs, phones without room). */
export type Keeping = "phone" | "tab";

/** An author. */
export interface Person {
  readonly author: string; // base32
  readonly name: string; // what it calls itself; ""
}

/** Everything there is to show. It never changes; a change makes another. */
export interface Snapshot {
  readonly ready: boolean; // false until what was kept has been read
  readonly line: Line;
  readonly looked: boolean; // the newest messages of a hub have been read: what is not here is not there
  readonly hub: Hub | undefined; // the last one that answered
  readonly keeping: Keeping;
  readonly posts: readonly Post[]; // newest first, responses and parts of photos not among them
  readonly rooms: readonly Room[]; // the fullest first
  readonly author: string; // this phone's key, base32
  readonly name: string; // what the person calls itself; ""
  readonly waiting: number; // own messages that no hub has taken
  readonly carrying: number; // messages that will be offered to the next hub
  readonly clockOff: number; // ms by which this phone's clock differs from the hub's, or 0 if that is under ten minutes or not known
  readonly lies: number; // messages of this hub's that were not what they said they are, and were dropped
  readonly old: boolean; // the hub has another page than this, and this one's inside lacks something that it cannot have from there
  readonly muted: readonly Person[]; // whose messages and answers this phone neither shows nor counts, and carries all the same
}

/** What a person writes. */
export type Draft = { readonly channel: string; readonly lifetime?: number } & (
  | { readonly kind: "post"; readonly text: string; readonly alert: boolean; readonly parent?: string }
  | { readonly kind: "petition"; readonly text: string }
  | { readonly kind: "poll"; readonly text: string; readonly options: readonly string[]; readonly most: number }
  | { readonly kind: "photo"; readonly text: string; readonly file: Blob }
);

/** What became of a carry file. */
export interface Loaded {
  readonly taken: number;
  readonly known: number;
  readonly refused: number;
  readonly damaged: boolean;
}

/** A failure that a person is told about; say is a key of the catalogue. */
export class Failure extends Error {
  constructor(readonly say: string) {
    super(say);
  }
}

/** The page's inside. Promises fail with a Failure. */
export interface Core {
  now(): Snapshot;
  /** Calls back after each change, at most once a frame. The result ends it. */
  subscribe(changed: () => void): () => void;
  /** Signs and keeps a message; it goes to the hub as soon as there is one. */
  write(draft: Draft): Promise<void>;
  respond(target: string, answer: Answer): Promise<void>;
  /** Fetches what is missing of a photo and puts it together. Only JPEG, PNG and WebP are pictures; else it is something to save. */
  photo(id: string): Promise<Blob>;
  /** Says what is on the screen, so that it is checked and fetched first. */
  looking(at: { readonly channel: string }): void;
  /** Adds a public channel by its name, as it was typed. */
  addChannel(typed: string): Promise<void>;
  rename(name: string): Promise<void>;
  /** Shows nothing of an author on this phone any more, or everything again. Nobody is told. */
  mute(author: string, on: boolean): Promise<void>;
  /** A carry file of all that this phone keeps. */
  save(): Promise<Blob>;
  load(file: Blob): Promise<Loaded>;
  /** Erases key, messages and settings on this phone, and ends the line to the hub. */
  forget(): Promise<void>;
}
