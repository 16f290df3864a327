// One honest line about the hub and this phone, and what goes wrong in words, with what happens next.

import type { VNode } from "preact";
import { useRef } from "preact/hooks";
import { isOld } from "../again.ts";
import type { Hub, Snapshot } from "../core.ts";
import { cleanLine } from "./clean.ts";
import { Warnings } from "./later.tsx";
import { useAround, useTick } from "./shared.tsx";
import type { Words } from "./words.ts";

/** How the line to the hub is, in words; heard is how long ago the hub said so, in ms. */
export function stateWords(now: Snapshot, words: Words, heard: number): string {
  if (now.line === "away") return now.waiting > 0 ? words.count("away", now.waiting) : words.say("away_none");
  if (now.hub === undefined || now.line === "connecting") return words.say("connecting");
  const { name, guests, neighbours, lastSync } = now.hub;
  return [
    words.say("page_hub", { hub: cleanLine(name) }),
    words.count("phones", guests),
    words.count("near", neighbours),
    lastSync < 0 ? words.say("synced_never") : words.say("synced", { ago: words.ago(lastSync * 1000 + heard) }),
  ].join(" · ");
}

/** The line, and what a person should know besides beneath it. */
export function State({ now }: { readonly now: Snapshot }): VNode {
  useTick(5000);
  const { words } = useAround();
  const said = useRef<{ hub: Hub | undefined; at: number }>({ hub: undefined, at: 0 });
  if (said.current.hub !== now.hub) said.current = { hub: now.hub, at: Date.now() };
  const out = now.line === "away" || now.line === "connecting";
  return (
    <div class="state">
      <p class={out ? "m out" : "m"}>
        <span class="mark" aria-hidden="true" />
        {stateWords(now, words, Date.now() - said.current.at)}
      </p>
      {(now.old || isOld()) && !out && (
        <p class="warn">
          {words.say("old_page")}
          {now.keeping === "phone" && (
            <button type="button" class="plain" onClick={() => location.reload()}>
              {words.say("reload")}
            </button>
          )}
        </p>
      )}
      <Warnings now={now} />
    </div>
  );
}
