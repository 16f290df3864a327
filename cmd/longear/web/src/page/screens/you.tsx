// The reader's own screen: name, key, what this phone carries, channels, and forgetting. Fetched when somebody opens it.

import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Person, Snapshot } from "../core.ts";
import { Glyph, Who, nameOf, useAround } from "./shared.tsx";

/** The longest name, in characters: it stands beside a key on a narrow phone. */
const longestName = 32;

/** The screen. forgotten is called when nothing is left to show. */
export function You({ now, forgotten }: { readonly now: Snapshot; readonly forgotten: () => void }): VNode {
  const { words } = useAround();
  return (
    <div class="you">
      <Name now={now} />
      <section>
        <h2>{words.say("your_key")}</h2>
        {now.author === "" ? (
          <p>{words.say("no_key")}</p>
        ) : (
          <div class="key">
            <Glyph author={now.author} large />
            <code dir="ltr">{(now.author.match(/.{1,4}/g) ?? []).join(" ")}</code>
          </div>
        )}
        <p>{words.say("burner")}</p>
        <p>{words.say("hub_reads")}</p>
        <p>{words.say("private_app")}</p>
      </section>
      <Carry carrying={now.carrying} />
      <AddChannel />
      {now.muted.length > 0 && <Muted people={now.muted} />}
      <Forget forgotten={forgotten} />
    </div>
  );
}

function Name({ now }: { readonly now: Snapshot }): VNode {
  const { core, words, tell, failed } = useAround();
  const [name, set] = useState(now.name);
  const save = (e: Event): void => {
    e.preventDefault();
    core.rename(name.trim()).then(() => tell(words.say("saved")), failed);
  };
  return (
    <form onSubmit={save}>
      <h2>
        <label for="name">{words.say("your_name")}</label>
      </h2>
      <div class="line">
        <input id="name" type="text" dir="auto" maxLength={longestName} autoComplete="off" value={name} aria-describedby="name-hint" onInput={(e) => set(e.currentTarget.value)} />
        <button class="first">{words.say("save")}</button>
      </div>
      <p id="name-hint" class="m">
        {words.say("name_hint")}
      </p>
    </form>
  );
}

function Carry({ carrying }: { readonly carrying: number }): VNode {
  const { core, words, tell, failed } = useAround();
  const save = (): void => {
    core.save().then((file) => download(file), failed);
  };
  const load = (e: Event & { currentTarget: HTMLInputElement }): void => {
    const input = e.currentTarget;
    const file = input.files?.[0];
    if (file === undefined) return;
    core
      .load(file)
      .then(({ taken, known, refused, damaged }) => tell(`${words.say("loaded", { taken, known, refused })}${damaged ? ` ${words.say("loaded_damaged")}` : ""}`), failed)
      .then(() => (input.value = "")); // so that the same file can be chosen again
  };
  return (
    <section>
      <h2>{words.say("carry")}</h2>
      <p>
        <strong>{words.count("carrying", carrying)}</strong> {words.say("carry_how")}
      </p>
      <div class="row">
        <button type="button" class="choice" onClick={save}>
          {words.say("carry_save")}
        </button>
        <label class="choice button">
          <input type="file" class="vh" accept=".ear" onChange={load} />
          {words.say("carry_load")}
        </label>
      </div>
      <p class="m">{words.say("carry_note")}</p>
    </section>
  );
}

/** Hands a file to the browser to keep. */
function download(file: Blob): void {
  const url = URL.createObjectURL(file);
  const a = document.createElement("a");
  a.href = url;
  a.download = `longear-${new Date().toISOString().slice(0, 16).replace(/\D/g, "")}.ear`;
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // the browser may still be asking where to
}

function AddChannel(): VNode {
  const { core, words, tell, failed } = useAround();
  const [name, set] = useState("");
  const add = (e: Event): void => {
    e.preventDefault();
    core.addChannel(name).then(() => {
      set("");
      tell(words.say("channel_added"));
    }, failed);
  };
  return (
    <form onSubmit={add}>
      <h2>
        <label for="channel">{words.say("add_channel")}</label>
      </h2>
      <div class="line">
        <input
          id="channel"
          type="text"
          dir="auto"
          maxLength={64}
          autoComplete="off"
          autoCapitalize="none"
          placeholder={words.say("channel_name")}
          value={name}
          aria-describedby="channel-hint"
          onInput={(e) => set(e.currentTarget.value)}
        />
        <button class="first">{words.say("add")}</button>
      </div>
      <p id="channel-hint" class="m">
        {words.say("channel_public")}
      </p>
    </form>
  );
}

/** Whom this phone does not show. */
function Muted({ people }: { readonly people: readonly Person[] }): VNode {
  const { core, words, failed } = useAround();
  const unmute = (author: string): void => {
    // The button goes with its author: who came by keyboard stays on this screen.
    core.mute(author, false).then(() => document.getElementById("main")?.focus({ preventScroll: true }), failed);
  };
  return (
    <section>
      <h2>{words.say("muted_authors")}</h2>
      <p>{words.say("mute_hint")}</p>
      <ul class="people">
        {people.map((person) => (
          <li key={person.author}>
            <Glyph author={person.author} />
            <Who of={person} />
            <button type="button" class="choice" onClick={() => unmute(person.author)}>
              {words.say("unmute")} <span class="vh">{nameOf(person)}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Forget({ forgotten }: { readonly forgotten: () => void }): VNode {
  const { core, words, failed } = useAround();
  const [sure, ask] = useState(false);
  const calm = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (sure) calm.current?.focus(); // the button that was pressed is gone, and what comes to hand should do no harm
  }, [sure]);
  return (
    <section>
      <h2>{words.say("forget")}</h2>
      <p>{words.say("forget_what")}</p>
      {sure ? (
        <div role="group" aria-labelledby="sure">
          <p id="sure">
            <strong>{words.say("forget_sure")}</strong>
          </p>
          <div class="row">
            <button type="button" class="danger" onClick={() => void core.forget().then(forgotten, failed)}>
              {words.say("forget_yes")}
            </button>
            <button type="button" class="choice" ref={calm} onClick={() => ask(false)}>
              {words.say("cancel")}
            </button>
          </div>
        </div>
      ) : (
        <button type="button" class="choice danger-edge" onClick={() => ask(true)}>
          {words.say("forget")}
        </button>
      )}
    </section>
  );
}
