// One message: who, where, when; what it says; what was said to it; what can be done.

import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { Post } from "../core.ts";
import { Answers, Reactions, takesReactions } from "./answers.tsx";
import { beginning, cleanText } from "./clean.ts";
import { Menu, Photo, Way } from "./later.tsx";
import { Age, Glyph, Who, channelName, kept, nameOf, useAround } from "./shared.tsx";

/** How much of a message is shown at first: one must not fill the screen of all others. */
const firstCharacters = 600;
const firstLines = 14;

/** The element that a message is in. */
export const elementOf = (id: string): string => `p-${id}`;

interface Shown {
  readonly post: Post;
  readonly parent: Post | undefined; // what it answers, if this phone has and shows it
  readonly twin: boolean; // another key uses the same name
  readonly everywhere: boolean; // messages of other channels stand beside it
}

/** A message in the feed. */
export const Message = kept(function Message({ post, parent, twin, everywhere }: Shown): VNode {
  const { words, reply } = useAround();
  const [reacting, react] = useState(false);
  const [more, open] = useState(false);
  return (
    <article id={elementOf(post.id)} tabIndex={-1} class={post.alert ? "a" : post.mine ? "own" : ""}>
      <header>
        <Glyph author={post.author} />
        <div>
          <Who of={post} mine={post.mine} />
          <span class="m">
            {everywhere && (
              <>
                <bdi>{channelName({ name: post.channel, tag: post.tag })}</bdi> ·{" "}
              </>
            )}
            <Age at={post.created} />
          </span>
        </div>
        <Label post={post} />
      </header>
      {twin && !post.mine && <p class="twin">{words.say("same_name")}</p>}
      {post.parents.length > 0 && <Quote parent={parent} />}
      {post.kind === "sealed" ? <p class="m">{words.say("sealed")}</p> : <Text text={post.text} />}
      {post.photo !== undefined && <Photo post={post} photo={post.photo} />}
      <Answers post={post} />
      {takesReactions(post) && <Reactions post={post} open={reacting} done={() => react(false)} />}
      {post.delivery !== undefined && <Way delivery={post.delivery} />}
      <div class="row acts">
        {post.kind !== "sealed" && (
          <button type="button" class="plain" onClick={() => reply(post)}>
            {words.say("reply")} <span class="vh">{nameOf(post)}</span>
          </button>
        )}
        {takesReactions(post) && (
          <button type="button" class="plain" aria-expanded={reacting} onClick={() => react(!reacting)}>
            {words.say("react")}
          </button>
        )}
        {!post.mine && (
          <button type="button" class="plain" aria-label={`${words.say("more")} ${nameOf(post)}`} aria-expanded={more} onClick={() => open(!more)}>
            ⋯
          </button>
        )}
      </div>
      {more && <Menu post={post} />}
    </article>
  );
});

/** What a message is, where it is more than a text. */
function Label({ post }: { readonly post: Post }): VNode | null {
  const { words } = useAround();
  if (post.alert) return <strong class="label">{words.say("alert")}</strong>;
  if (post.kind === "petition" || post.kind === "poll") return <span class="label">{words.say(post.kind)}</span>;
  return null;
}

function Text({ text }: { readonly text: string }): VNode | null {
  const { words } = useAround();
  const [all, showAll] = useState(false);
  const clean = cleanText(text);
  const first = beginning(clean, firstCharacters, firstLines);
  if (clean === "") return null;
  return (
    <>
      <p class="t" dir="auto">
        {all || first === clean ? clean : `${first}…`}
      </p>
      {!all && first !== clean && (
        <button type="button" class="plain" onClick={() => showAll(true)}>
          {words.say("show_all")}
        </button>
      )}
    </>
  );
}

function Quote({ parent }: { readonly parent: Post | undefined }): VNode {
  const { words, lead } = useAround();
  if (parent === undefined) return <p class="quote m">{words.say("answers_unknown")}</p>;
  return (
    <button type="button" class="quote" onClick={() => lead(parent.id)}>
      <span class="m">{words.say("answers", { name: nameOf(parent) })}</span>
      <span class="said" dir="auto">
        {parent.kind === "sealed" ? words.say("sealed") : beginning(cleanText(parent.text), 90, 2)}
      </span>
    </button>
  );
}
