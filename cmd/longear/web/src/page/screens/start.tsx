// Takes over from the page without script, which the hub sent and which is being read while this is fetched: the same look, and the
// text that is being read stays where it is.

import { render } from "preact";
import type { Core, Room } from "../core.ts";
import { App, type Legacy } from "./app.tsx";
import { firstLanguage } from "./choice.ts";
import { pageful } from "./feed.tsx";
import { fetchRest } from "./later.tsx";
import { elementOf } from "./post.tsx";
import css from "./style.css";
import { fetchWords } from "./words.ts";

/** How long the inside may take to find what this phone and the hub have, in ms; until then the old page is read. */
const patience = 2500;
/** Before this, in ms since the page was opened, nobody reads yet. */
const reading = 1500;

/** Starts the page. */
export async function start(core: Core): Promise<void> {
  const [words, look] = await Promise.all([fetchWords(firstLanguage()), styled(), settled(core)]);
  const needed = core.now().posts.slice(0, pageful).some((p) => p.kind !== "post" && p.kind !== "sealed");
  if (needed) await fetchRest().catch(() => undefined); // so that no message grows while it is read
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
  setTimeout(() => void fetchRest().catch(() => undefined), 3000); // what fails now is asked for again when it is needed
  if (legacy.focused) document.getElementById("text")?.focus({ preventScroll: true });
}

/** Fetches the look. It is not put on before the page is drawn: it would move the text of the old one. */
function styled(): Promise<HTMLLinkElement> {
  return new Promise((done) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.media = "print";
    link.href = new URL(css, import.meta.url).href;
    link.onload = link.onerror = () => done(link); // a page without its look can still be read
    document.head.append(link);
  });
}

/** Waits until there is something to show, or for long enough. */
function settled(core: Core): Promise<void> {
  return new Promise((done) => {
    // Messages come before the names of their channels, and nobody knows a channel by its tag.
    const there = (): boolean => core.now().ready && (core.now().posts.some((p) => p.channel !== "") || core.now().line !== "connecting");
    if (there()) {
      done();
      return;
    }
    const end = (): void => {
      stop();
      clearTimeout(timer);
      done();
    };
    const stop = core.subscribe(() => {
      if (there()) end();
    });
    const timer = setTimeout(end, patience);
  });
}

/** What the old page leaves: its channel, and what was typed into its form. */
function leave(rooms: readonly Room[]): Legacy & { readonly focused: boolean } {
  const asked = (new URLSearchParams(location.search).get("channel") ?? "").replace(/^#/, ""); // a tag or a name
  const area = document.querySelector<HTMLTextAreaElement>("#t");
  return {
    tab: asked === "" ? "" : (rooms.find((r) => r.tag === asked || r.name === asked)?.tag ?? ""),
    text: area?.value ?? "",
    focused: area !== null && document.activeElement === area,
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
