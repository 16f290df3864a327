// What only who wrote or answered sees: how far an own message has come, and the own answer to a message. Fetched when there is one, before
// the feed is shown.

import type { VNode } from "preact";
import type { Answer, Delivery, Tally } from "../core.ts";
import type { Say } from "./answers.tsx";
import { cleanLine } from "./clean.ts";
import { useAround } from "./shared.tsx";
import type { Words } from "./words.ts";

/** How far an own message has come. */
export function Way({ delivery }: { readonly delivery: Delivery }): VNode {
  const { words } = useAround();
  return <p class="m">{deliveryWords(delivery, words)}</p>;
}

function deliveryWords(delivery: Delivery, words: Words): string {
  switch (delivery.at) {
    case "phone":
      return words.say("at_phone");
    case "hub":
      return words.say("kept");
    case "carried":
      return words.count("carried", delivery.by);
    case "refused":
      return words.say("refused_why", { why: words.word(delivery.word) });
  }
}

/** The reader's own answer in words, and the way to take it back. */
export function Own({ tally, say, options = [] }: { readonly tally: Tally; readonly say: Say; readonly options?: readonly string[] }): VNode | null {
  const { words } = useAround();
  const answer = tally.mine === undefined ? "" : inWords(tally.mine, words, options);
  if (answer === "") return null;
  return (
    <p class="own m">
      <span>{words.say("your_answer", { answer })}</span>
      <button type="button" class="plain" onClick={() => say({ kind: "withdraw" })}>
        {words.say("withdraw")}
      </button>
    </p>
  );
}

/** An answer as a person would say it; "" for one that is taken back. */
function inWords(answer: Answer, words: Words, options: readonly string[]): string {
  switch (answer.kind) {
    case "confirm":
    case "contradict":
      return words.say(answer.kind);
    case "sign":
      return words.say("you_signed");
    case "vote":
      return answer.options.map((i) => cleanLine(options[i] ?? "")).join(" · ");
    case "react":
      return cleanLine(answer.text);
    case "withdraw":
      return "";
  }
}
