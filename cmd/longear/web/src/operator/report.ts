// What the node's API answers: node/api/message.go, node/api/live.go, node/status.go. Only what the page shows is named.
// Texts in it may come from anybody: they are shown as text, cleaned by plain().

/** A way of finding neighbours, and how it goes. */
export interface Rung {
  readonly rung: string;
  readonly state: string;
  readonly error?: string;
  readonly found: number;
}

/** The node in numbers. */
export interface Status {
  readonly version: string;
  readonly up_seconds: number;
  readonly peer: string;
  readonly listening: readonly string[];
  readonly peers: number;
  readonly messages: number;
  readonly stored_bytes: number;
  readonly quota_bytes: number;
  readonly banned: number;
  readonly verdicts: Readonly<Record<string, number>>;
  readonly discovery: readonly Rung[] | null;
  readonly trouble?: readonly string[];
  readonly per_minute?: Readonly<Record<string, readonly number[]>>; // by way, the oldest minute first
}

/** A neighbour, and the link to it. */
export interface Peer {
  readonly peer: string;
  readonly addr: string;
  readonly via: string;
  readonly transport: string;
  readonly since: string;
  readonly syncing: boolean;
  readonly last_sync?: string;
  readonly equal: boolean;
  readonly took: number;
  readonly gave: number;
  readonly received_bytes: number;
  readonly sent_bytes: number;
}

/** Something that happened, once or again and again. */
export interface Happening {
  readonly seq: number;
  readonly what: string;
  readonly peer?: string;
  readonly detail?: string;
  readonly count: number;
  readonly first: string;
  readonly last: string;
}

/** All that changes by the second. */
export interface Live {
  readonly status: Status;
  readonly peers: readonly Peer[];
  readonly guests?: number;
  readonly seq: number;
  readonly events: readonly Happening[] | null; // null: none that are later than those asked for
}

/** What takes the room in the store. */
export interface Room {
  readonly messages: number;
  readonly stored_bytes: number;
  readonly quota_bytes: number;
  readonly dead_bytes: number;
  readonly classes: readonly { readonly class: string; readonly messages: number; readonly bytes: number }[];
  readonly expired: number;
  readonly evicted: number;
  readonly removed: number;
  readonly damaged: number;
}

/** A channel that is known by name, or only seen. */
export interface Channel {
  readonly name: string;
  readonly tag: string;
  readonly kind: string;
  readonly joined: boolean;
  readonly messages: number;
  readonly newest: string;
  readonly key?: string;
}

/** A message, as far as this page shows one. */
export interface Message {
  readonly id: string;
  readonly channel: string;
  readonly author: string; // "" if the message is gone
  readonly text: string;
  readonly sealed: boolean;
  readonly delivery: string;
  readonly age_seconds: number;
  readonly expires_seconds: number;
}

/** An author who is not heard. */
export interface Muted {
  readonly author: string;
  readonly until?: string; // absent: it does not end by itself
  readonly drop?: boolean;
}

/** What became of a message. */
export interface Life {
  readonly message: Message;
  readonly life: {
    readonly state: string;
    readonly own: boolean;
    readonly kept: boolean;
    readonly received?: string;
    readonly next: string;
  };
}

/** What became of a carry file. */
export interface Carried {
  readonly new: number;
  readonly known: number;
  readonly refused: number;
  readonly damaged: number;
  readonly ignored: number;
}

/** What one check of doctor says. */
export interface Finding {
  readonly check: string;
  readonly state: "ok" | "warn" | "fail";
  readonly text: string;
  readonly fix?: string;
}
