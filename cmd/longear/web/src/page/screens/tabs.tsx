// The channels, one tab each, and one of all alerts.

import type { VNode } from "preact";
import type { Post, Room, Snapshot } from "../core.ts";
import { channelName, useAround } from "./shared.tsx";

/** The tab of alerts. No tag is like it. */
export const alertsTab = "!";
/** How many channels are offered: a stranger can fill any number. */
const mostTabs = 24;

/** The messages of a tab. */
export function postsOf(posts: readonly Post[], tab: string): readonly Post[] {
  if (tab === "") return posts;
  return posts.filter(tab === alertsTab ? (p) => p.alert : (p) => p.tag === tab);
}

/** The channels, with the one that was shown last while its tab is: muting or time may take its last message from under who writes to it. */
export function withShown(rooms: readonly Room[], tab: string, last: Room | undefined): readonly Room[] {
  return last?.tag !== tab || rooms.some((r) => r.tag === tab) ? rooms : [...rooms, { ...last, messages: 0 }];
}

/** The channels that are offered: those that the person chose come first. */
export function offered(rooms: readonly Room[], tab: string): readonly Room[] {
  const some = [...rooms.filter((r) => r.chosen), ...rooms.filter((r) => !r.chosen)];
  return some.filter((r, i) => i < mostTabs || r.tag === tab);
}

/** The tabs. */
export function Tabs({ now, tab, choose }: { readonly now: Snapshot; readonly tab: string; readonly choose: (tab: string) => void }): VNode {
  const { words } = useAround();
  const alerts = now.posts.reduce((n, p) => n + (p.alert ? 1 : 0), 0);
  const one = (to: string, name: string, n: number): VNode => (
    <button type="button" key={to} aria-current={to === tab ? "page" : undefined} onClick={() => choose(to)}>
      <bdi>{name}</bdi>
      {n > 0 && <span class="m"> {words.number(n)}</span>}
    </button>
  );
  return (
    <nav class="tabs" aria-label={words.say("channels")}>
      {one("", words.say("all"), 0)}
      {(alerts > 0 || tab === alertsTab) && one(alertsTab, words.say("alerts"), alerts)}
      {offered(now.rooms, tab).map((r) => one(r.tag, channelName(r), r.messages))}
    </nav>
  );
}
