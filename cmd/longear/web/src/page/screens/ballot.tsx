// Petitions and polls in the feed. Fetched when there is one to show.

import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { Poll, Post, Tally } from "../core.ts";
import { Choice, Counted, Others, type Say } from "./answers.tsx";
import { cleanLine } from "./clean.ts";
import { Own } from "./own.tsx";
import { useAround } from "./shared.tsx";

/** What is signed or voted in. */
export function Ballot({ post, say }: { readonly post: Post; readonly say: Say }): VNode {
  return post.poll === undefined ? <Petition tally={post.tally} say={say} /> : <Votes poll={post.poll} post={post} say={say} />;
}

function Petition({ tally, say }: { readonly tally: Tally; readonly say: Say }): VNode {
  const { words } = useAround();
  const signed = tally.mine?.kind === "sign";
  return (
    <div class="answers">
      <p class="m">
        <Counted label="signed_by" n={tally.signs} /> <span>{words.say("keys_note")}</span>
      </p>
      <div class="row">
        <Choice pressed={signed} text={words.say("sign")} press={() => say({ kind: signed ? "withdraw" : "sign" })} />
      </div>
      <Own tally={tally} say={say} />
      <Others tally={tally} />
    </div>
  );
}

function Votes({ poll, post, say }: { readonly poll: Poll; readonly post: Post; readonly say: Say }): VNode {
  const { words } = useAround();
  const { tally } = post;
  const cast = tally.mine?.kind === "vote" ? tally.mine.options : [];
  const [picked, pick] = useState<readonly number[] | undefined>(undefined);
  const chosen = picked ?? cast;
  const one = poll.most === 1;
  const toggle = (i: number, on: boolean): void => pick(one ? [i] : on ? [...chosen, i].sort((a, b) => a - b) : chosen.filter((c) => c !== i));
  const changed = picked !== undefined && String(picked) !== String(cast);
  const vote = (): void => {
    pick(undefined);
    say(chosen.length === 0 ? { kind: "withdraw" } : { kind: "vote", options: chosen });
  };
  return (
    <fieldset class="answers poll">
      <legend class="m">{one ? words.say("choose_one") : words.count("choose", poll.most)}</legend>
      {poll.options.map((option, i) => (
        <label class={cast.includes(i) ? "option cast" : "option"} key={i}>
          <input
            type={one ? "radio" : "checkbox"}
            name={`poll-${post.id}`}
            checked={chosen.includes(i)}
            disabled={!one && chosen.length >= poll.most && !chosen.includes(i)}
            onChange={(e) => toggle(i, e.currentTarget.checked)}
          />
          <span class="what">
            <bdi dir="auto">{cleanLine(option)}</bdi>
            <span class="bar" aria-hidden="true">
              <span style={{ inlineSize: `${share(tally.votes[i] ?? 0, tally.voters)}%` }} />
            </span>
          </span>
          <span class="m">{words.count("keys", tally.votes[i] ?? 0)}</span>
        </label>
      ))}
      <p class="m">
        <Counted label="voted" n={tally.voters} /> <span>{words.say("keys_note")}</span>
      </p>
      {changed && (
        <div class="row">
          <button type="button" class="first" onClick={vote}>
            {words.say("vote")}
          </button>
        </div>
      )}
      <Own tally={tally} say={say} options={poll.options} />
    </fieldset>
  );
}

function share(votes: number, voters: number): number {
  return voters === 0 ? 0 : Math.min(100, Math.round((100 * votes) / voters));
}
