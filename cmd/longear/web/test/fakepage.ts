// The screens over an inside that is made up, for looking at them in a browser: ?posts=1000 makes many messages, ?board those of the
// page without script that is there, and a few newer ones.

import type { Post } from "../src/page/core.ts";
import { start } from "../src/page/screens/start.tsx";
import { everySort, fakeCore, many, post } from "./fake.ts";

/** The messages of the page without script: it gives the beginning of each ID. */
function fromBoard(): Post[] {
  const articles = [...document.querySelectorAll("article")];
  const newer = [post(0, { text: "newer" }), post(1, { text: "newer still" })];
  return [...newer, ...articles.map((a, i) => post(i, { id: a.id.slice(2).padEnd(52, "a"), text: a.querySelector("p")?.textContent ?? "" }))];
}

const asked = new URLSearchParams(location.search);
const number = asked.get("posts");
const core = fakeCore(number !== null ? many(Number(number)) : asked.has("board") ? fromBoard() : everySort());
Object.assign(window, { core });
void start(core).then(() => (document.documentElement.dataset["started"] = "yes"));
