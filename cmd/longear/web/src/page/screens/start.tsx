// Takes over from the page without script, which the hub sent and which is being read while this is fetched: the same look, and the
// text that is being read stays where it is.

import { render } from "preact";
import { atOnce, until, whenOld } from "../again.ts";
import type { Core, Room } from "../core.ts";
import { App, type Legacy } from "./app.tsx";
import { firstLanguage } from "./choice.ts";
import { pageful } from "./feed.tsx";
import { rest, sorts } from "./later.tsx";
import { fetchStyle } from "./look.ts";
import { elementOf } from "./post.tsx";
import css from "./style.css";
import { fetchWords } from "./words.ts";

/** How long the names of channels are waited for, in ms. */
const patience = 2500;
/** Before this, in ms since the page was opened, nobody reads yet. */
const reading = 1500;

/** Starts the page. */
export async function start(core: Core): Promise<void> {
  let over = false; // this page has taken over, or never will
  addEventListener("submit", () => (over = true));
  // Where the hub has another page by now, that one is to take over; once, and not from under who types.
  const [visit] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  whenOld(() => {
    if (!over && !writing() && visit?.type === "navigate") location.reload();
  });
  // The look is not put on before the page is drawn: it would move the text of the old one.
  let [words, look] = await Promise.all([until(() => fetchWords(firstLanguage())), until(() => atOnce(() => fetchStyle(css, "print"))), settled(core)]);
  // So that no message grows while it is read.
  if (core.now().posts.slice(0, pageful).some((p) => p.mine || p.tally.mine || (p.kind !== "post" && p.kind !== "sealed"))) {
    words = await words.fill().catch(() => words);
    await sorts.fetch().catch(() => undefined);
  }
  // Who types keeps the old page's field, and the phone's keyboard, until there is another.
  await until(async () => {
    if (writing()) [words] = await Promise.all([words.fill(), rest.fetch()]);
  });
  if (over) return; // what stands in the old page's form is on its way, and the answer is another page
  over = true;
  const legacy = leave(core.now().rooms);
  const anchor = anchorOf();
  const root = document.createElement("div");
  root.id = "page";
  document.documentElement.lang = words.code;
  document.documentElement.dir = words.dir;
  look.media = "all";
  document.body.replaceChildren(root);
  render(<App core={core} first={words} legacy={legacy} />, root);
  const same = anchor === undefined ? null : document.getElementById(elementOf(anchor.id)) ?? document.querySelector(`[id^="${elementOf(anchor.id)}"]`);
  if (anchor !== undefined && same !== null) scrollBy(0, same.getBoundingClientRect().top - anchor.top);
  const field = document.querySelector<HTMLTextAreaElement>("#text");
  if (!legacy.field || field === null) return;
  field.focus({ preventScroll: true });
  field.setSelectionRange(legacy.field.selectionStart, legacy.field.selectionEnd);
}

/** Waits until there is something to show. Until then the old page is read, which has the hub's messages. */
function settled(core: Core): Promise<void> {
  return new Promise((done) => {
    let late = false;
    const old = document.querySelector("article") !== null;
    const look = (): void => {
      const { ready, looked, line, posts } = core.now();
      // Messages come before the names of their channels, and nobody knows a channel by its tag.
      const some = posts.some((p) => p.channel !== "") || (late && posts.length > 0);
      if (!ready || !(some || looked || (!old && line === "away"))) return;
      stop();
      clearTimeout(timer);
      done();
    };
    const timer = setTimeout(() => {
      late = true;
      look();
    }, patience);
    const stop = core.subscribe(look);
    look();
  });
}

/** Whether somebody writes in the old page's form. */
function writing(): boolean {
  const area = document.querySelector<HTMLTextAreaElement>("#t");
  return area !== null && (area.value !== "" || document.activeElement === area);
}

/** What the old page leaves: its channel, and what was typed into its form; and the form's field, if it has the focus. */
function leave(rooms: readonly Room[]): Legacy & { readonly field: HTMLTextAreaElement | null } {
  const asked = (new URLSearchParams(location.search).get("channel") ?? "").replace(/^#/, ""); // a tag or a name
  const area = document.querySelector<HTMLTextAreaElement>("#t");
  return {
    tab: asked === "" ? "" : (rooms.find((r) => r.tag === asked || r.name === asked)?.tag ?? ""),
    text: area?.value ?? "",
    field: document.activeElement === area ? area : null,
  };
}

/** The message of the old page that is at the top of the window, if somebody reads already. */
function anchorOf(): { readonly id: string; readonly top: number } | undefined {
  if (scrollY < 8 && performance.now() < reading) return undefined;
  for (const article of document.querySelectorAll<HTMLElement>("article[id^=p-]")) {
    const { top, bottom } = article.getBoundingClientRect();
    if (bottom > 0) return { id: article.id.slice(2), top };
  }
  return undefined;
}
