// What goes wrong with the hub or with this phone, in words, with what happens next.

import type { VNode } from "preact";
import type { Snapshot } from "../core.ts";
import { useAround } from "./shared.tsx";
import type { Words } from "./words.ts";

/** Each is said as long as it is so. */
function warnings(now: Snapshot, words: Words): readonly string[] {
  const all: string[] = [];
  if (now.line === "busy") all.push(words.say("hub_busy"));
  if (now.line === "full") all.push(words.say("hub_full"));
  if (now.keeping === "tab") all.push(words.say("keeping_tab"));
  if (now.clockOff !== 0) all.push(words.say("clock", { time: words.span(Math.abs(now.clockOff)) }));
  if (now.lies > 0) all.push(words.count("lies", now.lies));
  return all;
}

/** The warnings. */
export function Warnings({ now }: { readonly now: Snapshot }): VNode {
  const { words } = useAround();
  return (
    <>
      {warnings(now, words).map((text) => (
        <p class="warn" key={text}>
          {text}
        </p>
      ))}
    </>
  );
}
