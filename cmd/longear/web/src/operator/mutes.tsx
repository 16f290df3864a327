// Who is not heard: the list, and the forms to mute an author and to hear them again.

import { useState } from "preact/hooks";
import { put, remove } from "./node.ts";
import { Deed, Failure, Section, useDoing } from "./parts.tsx";
import type { Muted } from "./report.ts";
import { day, say, span } from "./words.ts";

const hour = 3600;
const spans = [0, hour, 24 * hour, 7 * 24 * hour]; // 0: without an end

interface Props {
  readonly muted: readonly Muted[];
  readonly changed: () => Promise<void>;
}

/** A key as people compare it: its beginning. */
const Key = ({ author }: { readonly author: string }) => (
  <code dir="ltr" title={author}>
    {author.slice(0, 8)}
  </code>
);

/** The list of muted authors, and a form for another. */
export function Mutes({ muted, changed }: Props) {
  return (
    <Section id="muted" title={say("muted")}>
      {muted.length === 0 ? <p>{say("nobody_muted")}</p> : null}
      <ul>
        {muted.map((m) => (
          <li key={m.author}>
            <Key author={m.author} /> · {say(m.drop === true ? "muted_dropped" : "muted_kept")}
            {m.until === undefined ? "" : ` · ${say("muted_until", { date: day(m.until) })}`} <Unmute author={m.author} changed={changed} />
          </li>
        ))}
      </ul>
      <p class="m">{say("muted_text")}</p>
      <MuteForm changed={changed} />
    </Section>
  );
}

function MuteForm({ changed }: { readonly changed: () => Promise<void> }) {
  const doing = useDoing();
  const [author, setAuthor] = useState("");
  const [seconds, setSeconds] = useState(0);
  const [drop, setDrop] = useState(false);
  const [done, setDone] = useState("");
  const submit = async () => {
    setDone("");
    const m = await put<Muted>(`/v1/mutes/${encodeURIComponent(author.trim())}`, { for_seconds: seconds, drop });
    setDone(say("muted_now", { name: m.author.slice(0, 8) }));
    setAuthor("");
    setDrop(false);
    await changed();
  };
  return (
    <Deed doing={doing} button={say("mute")} submit={submit} result={done}>
      <label>
        {say("author")}
        <input value={author} required minLength={4} dir="ltr" autoComplete="off" spellcheck={false} placeholder={say("author_hint")} onInput={(e) => setAuthor(e.currentTarget.value)} />
      </label>
      <label>
        {say("mute_for")}
        <select value={seconds} onChange={(e) => setSeconds(Number(e.currentTarget.value))}>
          {spans.map((s) => (
            <option key={s} value={s}>
              {s === 0 ? say("mute_ever") : span(s)}
            </option>
          ))}
        </select>
      </label>
      <label class="check">
        <input type="checkbox" checked={drop} onChange={(e) => setDrop(e.currentTarget.checked)} /> {say("mute_drop")}
      </label>
    </Deed>
  );
}

interface OneProps {
  readonly author: string;
  readonly changed: () => Promise<void>;
}

/** The button to mute one author, without an end. */
export const MuteOne = ({ author, changed }: OneProps) => (
  <Button word="mute" author={author} act={() => put<Muted>(`/v1/mutes/${author}`, {})} changed={changed} />
);

/** The button to hear one author again. */
export const Unmute = ({ author, changed }: OneProps) => (
  <Button word="unmute" author={author} act={() => remove(`/v1/mutes/${author}`)} changed={changed} />
);

function Button({ word, author, act, changed }: OneProps & { readonly word: "mute" | "unmute"; readonly act: () => Promise<unknown> }) {
  const doing = useDoing();
  const press = () =>
    doing.run(async () => {
      await act();
      await changed();
    });
  return (
    <>
      <button type="button" class="quiet" disabled={doing.busy} aria-label={`${say(word)} ${author.slice(0, 8)}`} onClick={() => void press()}>
        {say(word)}
      </button>
      {doing.wrong === undefined ? null : <Failure wrong={doing.wrong} />}
    </>
  );
}
