// The one screen: how the node is, and what can be done.

import { useState } from "preact/hooks";
import { Carry } from "./carry.tsx";
import { Carried } from "./channels.tsx";
import { Events } from "./events.tsx";
import type { Follow, Seen } from "./follow.ts";
import { Refused, Store } from "./keeping.tsx";
import { Links } from "./links.tsx";
import { Dial, Doctor, Stop } from "./machine.tsx";
import { Mutes } from "./mutes.tsx";
import { Neighbours } from "./neighbours.tsx";
import type { Live } from "./report.ts";
import { Rates } from "./rates.tsx";
import { Send, Why } from "./send.tsx";
import { bytes, language, languages, plain, say, span } from "./words.ts";

interface Props {
  readonly seen: Seen;
  readonly follow: Follow;
  readonly speak: (code: string) => void;
}

/** The screen. */
export function Screen({ seen, follow, speak }: Props) {
  return (
    <>
      <header>
        <h1>longear · {say("title")}</h1>
        <State seen={seen} />
        <label class="language">
          {say("language")}
          <select value={language()} onChange={(e) => speak(e.currentTarget.value)}>
            {languages.map(([code, name]) => (
              <option key={code} value={code} lang={code}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </header>
      <main>
        {seen.line === "no token" ? <Say text={say("no_token")} more={say("no_token_fix")} verb="longear page" /> : null}
        {seen.line === "stopped" ? <Say text={say("stopped")} more="" verb="longear relay" /> : null}
        {seen.live !== undefined && seen.line !== "no token" && seen.line !== "stopped" ? <Board seen={seen} live={seen.live} follow={follow} /> : null}
      </main>
    </>
  );
}

function Say(p: { readonly text: string; readonly more: string; readonly verb: string }) {
  return (
    <div class="n" role="alert">
      <p>
        {p.text} {p.more}
      </p>
      <p>
        <code dir="ltr">{p.verb}</code>
      </p>
    </div>
  );
}

/** The line that says how the node is. It is not announced: it changes with every answer. */
function State({ seen: { live, line } }: { readonly seen: Seen }) {
  if (line === "away") return <p class="a" role="alert">{say("away")}</p>;
  if (live === undefined) return <p class="m">{line === "asking" ? say("loading") : ""}</p>;
  const { status: s, guests } = live;
  const parts = [
    say("up", { age: span(s.up_seconds) }),
    say("neighbours_n", { n: s.peers }),
    ...(guests === undefined ? [] : [say("guests_n", { n: guests })]),
    say("messages_n", { n: s.messages }),
    say("room_n", { used: bytes(s.stored_bytes), quota: bytes(s.quota_bytes) }),
    plain(s.version),
  ];
  return (
    <>
      <p class="m" id="state">
        {parts.map((part) => (
          <span key={part}>{part}</span>
        ))}
      </p>
      {(s.trouble ?? []).map((t) => (
        <p key={t} class="a" role="alert">
          <strong>{say("trouble")}</strong>{" "}
          <span lang="en" dir="ltr">
            {plain(t)}
          </span>
        </p>
      ))}
    </>
  );
}

function Board({ seen, live, follow }: { readonly seen: Seen; readonly live: Live; readonly follow: Follow }) {
  const [chosen, setChosen] = useState("");
  const [id, setID] = useState("");
  const changed = () => follow.refresh();
  const ask = (of: string) => {
    setID(of);
    document.querySelector<HTMLInputElement>("#why input")?.focus();
  };
  const { status, peers, guests } = live;
  const now = seen.at;
  return (
    <div class="board">
      <Neighbours peers={peers} rungs={status.discovery ?? []} now={now} chosen={chosen} />
      <Links peers={peers} guests={guests} now={now} chosen={chosen} choose={setChosen} />
      <Rates minutes={status.per_minute ?? {}} />
      <Events events={seen.events} />
      {seen.room === undefined ? null : <Store room={seen.room} />}
      <Refused status={status} />
      <Carried channels={seen.channels} now={now} changed={changed} />
      <Send channels={seen.channels} changed={changed} ask={ask} />
      <Why id={id} setID={setID} muted={seen.muted} changed={changed} />
      <Mutes muted={seen.muted} changed={changed} />
      <Carry channels={seen.channels} changed={changed} />
      <Dial changed={changed} />
      <Doctor />
      <Stop stop={follow.stop} />
    </div>
  );
}
