// What else can be sent than a text, and the fields of a poll besides its question. Few people want that, so it is fetched later.

import type { VNode } from "preact";
import { useAround } from "./shared.tsx";
import { filled } from "./draft.ts";
import { type Sketch, mostOptions } from "./sketch.ts";

/** Options, and how many of them may be chosen. */
export function PollFields({ sketch, change }: { readonly sketch: Sketch; readonly change: (to: Sketch) => void }): VNode {
  const { words } = useAround();
  const { options, most } = sketch;
  const set = (i: number, text: string): void => change({ ...sketch, options: options.map((o, at) => (at === i ? text : o)) });
  const choices = Math.max(1, filled(options).length);
  return (
    <div class="fields">
      <p class="m">{words.say("poll_hint")}</p>
      {options.map((option, i) => (
        <input
          key={i}
          type="text"
          dir="auto"
          maxLength={100}
          value={option}
          aria-label={words.say("option", { n: i + 1 })}
          placeholder={words.say("option", { n: i + 1 })}
          onInput={(e) => set(i, e.currentTarget.value)}
        />
      ))}
      <div class="row">
        {options.length < mostOptions && (
          <button type="button" class="choice" onClick={() => change({ ...sketch, options: [...options, ""] })}>
            {words.say("add_option")}
          </button>
        )}
        <label class="switch">
          {words.say("most")}
          <select value={Math.min(most, choices)} onChange={(e) => change({ ...sketch, most: Number(e.currentTarget.value) })}>
            {Array.from({ length: choices }, (_, i) => (
              <option key={i} value={i + 1}>
                {words.number(i + 1)}
              </option>
            ))}
          </select>
        </label>
      </div>
    </div>
  );
}

/** What else can be sent. */
export function More({ file, kind }: { readonly file: (chosen: File | undefined) => void; readonly kind: (kind: Sketch["kind"]) => void }): VNode {
  const { words } = useAround();
  return (
    <div class="row">
      <label class="choice button">
        <input type="file" class="vh" accept="image/*" onChange={(e) => file(e.currentTarget.files?.[0])} />
        {words.say("photo")}
      </label>
      {(["petition", "poll"] as const).map((k) => (
        <button type="button" class="choice" key={k} onClick={() => kind(k)}>
          {words.say(k)}
        </button>
      ))}
    </div>
  );
}
