// Writing a message, and asking what became of one.

import { useState } from "preact/hooks";
import { MuteOne, Unmute } from "./mutes.tsx";
import { get, post } from "./node.ts";
import { Deed, Section, useDoing } from "./parts.tsx";
import type { Channel, Life, Message, Muted } from "./report.ts";
import { plain, say, span } from "./words.ts";

const hour = 3600;
const lifetimes = [2 * hour, 24 * hour, 7 * 24 * hour, 14 * 24 * hour];

interface SendProps {
  readonly channels: readonly Channel[];
  readonly changed: () => Promise<void>;
  readonly ask: (id: string) => void; // shows what became of a message
}

/** The form to write with. */
export function Send({ channels, changed, ask }: SendProps) {
  const doing = useDoing();
  const [to, setTo] = useState("#all");
  const [text, setText] = useState("");
  const [alert, setAlert] = useState(false);
  const [lifetime, setLifetime] = useState(lifetimes[2]!);
  const [posted, setPosted] = useState<Message>();
  const submit = async () => {
    setPosted(undefined);
    const place = to.trim();
    // A card is what "longear key show" prints: with an @ before it on the command line, or as it is.
    const card = place.startsWith("@") ? place.slice(1) : place.startsWith("longear:") ? place : undefined;
    const where = card === undefined ? { channel: place } : { to: card };
    setPosted(await post<Message>("/v1/messages", { ...where, text, alert, lifetime_seconds: lifetime }));
    setText("");
    setAlert(false);
    await changed();
  };
  const result =
    posted === undefined ? null : (
      <p class="n">
        {say("posted")}{" "}
        <button type="button" class="quiet" onClick={() => ask(posted.id)}>
          <code dir="ltr">{posted.id.slice(0, 8)}</code>
        </button>
      </p>
    );
  return (
    <Section id="send" title={say("write")}>
      <Deed doing={doing} button={say("send")} submit={submit} result={result}>
        <To value={to} channels={channels} set={setTo} />
        <label>
          {say("text")}
          <textarea rows={3} value={text} required dir="auto" onInput={(e) => setText(e.currentTarget.value)} />
        </label>
        <label>
          {say("lifetime")}
          <select value={lifetime} onChange={(e) => setLifetime(Number(e.currentTarget.value))}>
            {lifetimes.map((s) => (
              <option key={s} value={s}>
                {span(s)}
              </option>
            ))}
          </select>
        </label>
        <label class="check">
          <input type="checkbox" checked={alert} onChange={(e) => setAlert(e.currentTarget.checked)} /> {say("alert")}
        </label>
      </Deed>
    </Section>
  );
}

interface ToProps {
  readonly value: string;
  readonly channels: readonly Channel[];
  readonly set: (to: string) => void;
}

/** Where a message goes: one of the channels, or what is typed. */
function To({ value, channels, set }: ToProps) {
  return (
    <>
      <label>
        {say("to")}
        <input value={value} list="known" required dir="auto" autoComplete="off" onInput={(e) => set(e.currentTarget.value)} />
      </label>
      <datalist id="known">
        {channels
          .filter((c) => c.name !== "" && c.kind !== "direct")
          .map((c) => (
            <option key={c.tag} value={c.name} />
          ))}
      </datalist>
    </>
  );
}

interface WhyProps {
  readonly id: string;
  readonly setID: (id: string) => void;
  readonly muted: readonly Muted[];
  readonly changed: () => Promise<void>;
}

/** The form to ask with what became of a message. */
export function Why({ id, setID, muted, changed }: WhyProps) {
  const doing = useDoing();
  const [told, setTold] = useState<Life>();
  const submit = async () => {
    setTold(undefined);
    setTold(await get<Life>(`/v1/messages/${encodeURIComponent(id.trim().toLowerCase())}`));
  };
  return (
    <Section id="why" title={say("why")}>
      <Deed doing={doing} button={say("why_go")} submit={submit} result={told === undefined ? null : <Story told={told} muted={muted} changed={changed} />}>
        <label>
          {say("id")}
          <input value={id} required minLength={4} dir="ltr" autoComplete="off" spellcheck={false} onInput={(e) => setID(e.currentTarget.value)} />
        </label>
      </Deed>
    </Section>
  );
}

interface StoryProps {
  readonly told: Life;
  readonly muted: readonly Muted[];
  readonly changed: () => Promise<void>;
}

function Story({ told: { message: m, life }, muted, changed }: StoryProps) {
  const Hear = muted.some((a) => a.author === m.author) ? Unmute : MuteOne;
  const text = !life.kept ? say("why_gone") : m.sealed ? say("why_unread") : plain(m.text);
  return (
    <article>
      <p dir="auto">{text}</p>
      <p class="m">
        <code dir="ltr">{m.id.slice(0, 8)}</code> · <bdi>{plain(m.channel)}</bdi> · {say(life.own ? "why_own" : "why_came")}
        {life.kept ? ` · ${say("why_travels", { age: span(m.age_seconds), left: span(m.expires_seconds) })}` : ""}
      </p>
      {m.author === "" || life.own ? null : (
        <p>
          {say("author")} <code dir="ltr">{m.author.slice(0, 8)}</code> <Hear author={m.author} changed={changed} />
        </p>
      )}
      <p lang="en" dir="ltr">
        {life.own ? `${plain(life.state)} · ` : ""}
        {plain(life.next)}
      </p>
    </article>
  );
}
