// Several tabs of this page in one browser: each has its own inside, and all keep in one place. They tell each other what changed there.

/** What other tabs tell. */
export interface Others {
  readonly kept: (ids: readonly string[]) => void;
  readonly settings: () => void;
  readonly forgotten: () => void;
}

/** Tells the other tabs. */
export interface Tabs {
  readonly kept: (ids: readonly string[]) => void;
  readonly settings: () => void;
  readonly forget: () => void;
}

type Note = { readonly kept: readonly string[] } | "settings" | "forget";

/** The way to other tabs; where a browser has none, they find what changed when they are opened again. */
export function newTabs(make: ((name: string) => BroadcastChannel) | undefined, name: string, others: Others): Tabs {
  let channel: BroadcastChannel | undefined;
  try {
    channel = make?.(name);
  } catch {
    // no storage in this tab, and nothing to tell
  }
  if (channel) {
    channel.onmessage = ({ data }: MessageEvent<Note>) => {
      if (data === "settings") others.settings();
      else if (data === "forget") others.forgotten();
      else if (Array.isArray(data?.kept)) others.kept(data.kept.map(String));
    };
  }
  const say = (note: Note): void => channel?.postMessage(note);
  return { kept: (ids) => say({ kept: ids }), settings: () => say("settings"), forget: () => say("forget") };
}
