// What authors say to a message, and what this reader says: alerts are confirmed and contradicted, petitions signed, polls voted in,
// all else gets reactions. One answer each counts, so each message offers one sort only. Keys are counted, not people.

import type { VNode } from "preact";
import type { Answer, Post, Tally } from "../core.ts";
import { cleanLine } from "./clean.ts";
import { Ballot, Own } from "./later.tsx";
import { useAround } from "./shared.tsx";

/** The reactions that are offered. Whatever else others chose is shown beside them. */
const offered = ["👍", "❤️", "🙏", "😢", "❗"];
/** How many different ones are shown: authors may make up any number. */
const mostReactions = 6;

/** Says something to a message. */
export type Say = (answer: Answer) => void;

/** What was said to a message, and the buttons to say it. */
export function Answers({ post }: { readonly post: Post }): VNode | null {
  const { core, failed } = useAround();
  const say: Say = (answer) => void core.respond(post.id, answer).catch(failed);
  if (post.alert && post.kind !== "poll" && post.kind !== "petition") return <Witness tally={post.tally} say={say} />;
  if (post.kind === "petition" || post.kind === "poll") return <Ballot post={post} say={say} />;
  return null;
}

/** Whether a message is answered by reactions. */
export function takesReactions(post: Post): boolean {
  return !post.alert && (post.kind === "post" || post.kind === "photo");
}

function Witness({ tally, say }: { readonly tally: Tally; readonly say: Say }): VNode {
  const { words } = useAround();
  const mine = tally.mine?.kind;
  return (
    <div class="answers">
      <p class="m">
        <Counted label="confirmed" n={tally.confirms} /> <Counted label="contradicted" n={tally.contradicts} /> <span>{words.say("keys_note")}</span>
      </p>
      <div class="row">
        <Choice pressed={mine === "confirm"} text={words.say("confirm")} press={() => say({ kind: mine === "confirm" ? "withdraw" : "confirm" })} />
        <Choice pressed={mine === "contradict"} text={words.say("contradict")} press={() => say({ kind: mine === "contradict" ? "withdraw" : "contradict" })} />
      </div>
      <Own tally={tally} say={say} />
      <Others tally={tally} />
    </div>
  );
}

/** A count, with what was counted. */
export function Counted({ label, n }: { readonly label: "confirmed" | "contradicted" | "signed_by" | "voted"; readonly n: number }): VNode {
  const { words } = useAround();
  return <span>{words.say(label, { keys: words.count("keys", n) })}</span>;
}

/** A button that stays pressed while its answer is the reader's. */
export function Choice({ pressed, text, press }: { readonly pressed: boolean; readonly text: string; readonly press: () => void }): VNode {
  return (
    <button type="button" class="choice" aria-pressed={pressed} onClick={press}>
      {text}
    </button>
  );
}

/** Reactions to what is answered in another way: shown, not offered. */
export function Others({ tally }: { readonly tally: Tally }): VNode | null {
  if (tally.reactions.length === 0) return null;
  return (
    <p class="m row">
      {tally.reactions.slice(0, mostReactions).map(({ text, count }) => (
        <span key={text}>
          <Reaction text={text} n={count} />
        </span>
      ))}
    </p>
  );
}

/** A reaction and its number; who listens hears what is counted. */
function Reaction({ text, n }: { readonly text: string; readonly n: number }): VNode {
  const { words } = useAround();
  return (
    <>
      <bdi>{cleanLine(text)}</bdi> <span aria-hidden="true">{words.number(n)}</span>
      <span class="vh">{words.count("keys", n)}</span>
    </>
  );
}

/** Reactions to a message, each a button that joins in or takes back; and those that are offered, if the reader asks for them. */
export function Reactions({ post, open, done }: { readonly post: Post; readonly open: boolean; readonly done: () => void }): VNode | null {
  const { core, words, failed } = useAround();
  const { reactions, mine } = post.tally;
  const own = mine?.kind === "react" ? mine.text : undefined;
  const press = (text: string): void => {
    core.respond(post.id, text === own ? { kind: "withdraw" } : { kind: "react", text }).catch(failed);
    done();
  };
  const shown = reactions.filter((r, i) => i < mostReactions || r.text === own);
  const more = open ? offered.filter((text) => !shown.some((r) => r.text === text)) : [];
  if (shown.length + more.length === 0) return null;
  return (
    <div class="row reactions" role="group" aria-label={words.say("react")}>
      {shown.map(({ text, count }) => (
        <button type="button" class="choice" key={text} aria-pressed={text === own} onClick={() => press(text)}>
          <Reaction text={text} n={count} />
        </button>
      ))}
      {more.map((text) => (
        <button type="button" class="choice" key={text} aria-pressed={false} onClick={() => press(text)}>
          {text}
        </button>
      ))}
      {open && <p class="m note">{words.say("keys_note")}</p>}
    </div>
  );
}
