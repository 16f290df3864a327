// What is carried, by channel; joining and leaving channels.

import { useState } from "preact/hooks";
import { post, remove } from "./node.ts";
import { Ask, Deed, Failure, Name, Section, useDoing } from "./parts.tsx";
import type { Channel } from "./report.ts";
import { ago, count, say, sayOr } from "./words.ts";

interface Props {
  readonly channels: readonly Channel[];
  readonly now: number;
  readonly changed: () => Promise<void>;
}

/** A channel's name or, where it is not known here, the beginning of its tag. */
const named = (c: Channel): string => (c.name === "" ? `${c.tag.slice(0, 8)}…` : c.name);

/** The table of channels, and a form for another. */
export function Carried({ channels, now, changed }: Props) {
  const [leaving, setLeaving] = useState<Channel>();
  const [left, setLeft] = useState("");
  const doing = useDoing();
  const heads = [say("channel"), say("kind"), say("messages"), say("newest"), ""];
  const leave = (c: Channel) =>
    doing.run(async () => {
      await remove(`/v1/channels/${encodeURIComponent(c.name)}`);
      setLeft(say("left", { name: c.name }));
      await changed();
    });
  return (
    <Section id="carried" title={say("carried")}>
      {channels.length === 0 ? (
        <p>{say("no_events")}</p>
      ) : (
        <table role="table">
          <thead role="rowgroup">
            <tr role="row">
              {heads.map((h) =>
                h === "" ? (
                  <td key={h} role="cell" />
                ) : (
                  <th key={h} role="columnheader" scope="col">
                    {h}
                  </th>
                ),
              )}
            </tr>
          </thead>
          <tbody role="rowgroup">
            {channels.map((c) => (
              <Row key={c.tag} channel={c} heads={heads} now={now} busy={doing.busy} leave={setLeaving} />
            ))}
          </tbody>
        </table>
      )}
      <p role="status">{left}</p>
      {doing.wrong === undefined ? null : <Failure wrong={doing.wrong} />}
      {leaving === undefined ? null : (
        <Ask text={say("leave_ask", { name: leaving.name })} yes={say("leave")} then={() => void leave(leaving)} close={() => setLeaving(undefined)} />
      )}
      <p class="m">{say("carried_text")}</p>
      <AddChannel changed={changed} />
    </Section>
  );
}

interface RowProps {
  readonly channel: Channel;
  readonly heads: readonly string[];
  readonly now: number;
  readonly busy: boolean;
  readonly leave: (c: Channel) => void;
}

/** One channel. */
function Row({ channel: c, heads, now, busy, leave }: RowProps) {
  return (
    <tr role="row">
      <td role="cell" data-label={heads[0]}>
        <Name>{named(c)}</Name>
      </td>
      <td role="cell" data-label={heads[1]}>
        {sayOr(`kind_${c.kind.replace(/\W/g, "_")}`, c.kind)}
      </td>
      <td role="cell" data-label={heads[2]}>
        {count(c.messages)}
      </td>
      <td role="cell" data-label={heads[3]}>
        {c.newest === "" ? "–" : ago(c.newest, now)}
      </td>
      <td role="cell">
        {c.joined ? (
          <button type="button" class="quiet" disabled={busy} aria-label={`${say("leave")} ${c.name}`} onClick={() => leave(c)}>
            {say("leave")}
          </button>
        ) : null}
      </td>
    </tr>
  );
}

type How = "public" | "new" | "key" | "passphrase";
const ways: readonly How[] = ["public", "new", "key", "passphrase"];

function AddChannel({ changed }: { readonly changed: () => Promise<void> }) {
  const doing = useDoing();
  const [name, setName] = useState("");
  const [how, setHow] = useState<How>("public");
  const [secret, setSecret] = useState("");
  const [made, setMade] = useState<Channel>();
  const bare = name.trim().replace(/^#/, "");
  const submit = async () => {
    setMade(undefined);
    const asked = how === "public" ? { name: `#${bare}` } : how === "new" ? { name: bare, new: true } : { name: bare, [how]: secret };
    setMade(await post<Channel>("/v1/channels", asked));
    setName("");
    setSecret("");
    await changed();
  };
  const result =
    made === undefined ? null : (
      <>
        <p>{say("added", { name: made.name })}</p>
        {made.key === undefined ? null : (
          <p class="n">
            {say("key_once")} <code dir="ltr">{made.key}</code>
          </p>
        )}
      </>
    );
  return (
    <details>
      <summary>{say("add_channel")}</summary>
      <Deed doing={doing} button={say("add")} submit={submit} result={result}>
        <label>
          {say("channel_name")}
          <input value={name} required maxLength={64} dir="auto" autoComplete="off" onInput={(e) => setName(e.currentTarget.value)} />
        </label>
        <label>
          {say("how")}
          <select value={how} onChange={(e) => setHow(e.currentTarget.value as How)}>
            {ways.map((w) => (
              <option key={w} value={w}>
                {say(`how_${w}`)}
              </option>
            ))}
          </select>
        </label>
        {how === "key" || how === "passphrase" ? (
          <label>
            {say("secret")}
            <input type="password" value={secret} required autoComplete="off" dir="ltr" onInput={(e) => setSecret(e.currentTarget.value)} />
          </label>
        ) : null}
      </Deed>
    </details>
  );
}
