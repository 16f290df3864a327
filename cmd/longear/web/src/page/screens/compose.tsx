// The bar to write with, always at hand at the foot of the page. Its label says where a message goes before anything is typed.

import type { VNode } from "preact";
import { type Dispatch, type StateUpdater, useEffect, useRef, useState } from "preact/hooks";
import type { Post, Room } from "../core.ts";
import { bytesOf, cleanLine } from "./clean.ts";
import { draftOf, mostBytes, without } from "./draft.ts";
import { More, PollFields } from "./more.tsx";
import { nameOf, useAround } from "./shared.tsx";
import { type Sketch, blank, readSketch } from "./sketch.ts";

/** From how many bytes left the bar says so. */
const fewLeft = 400;

interface Shown {
  readonly sketch: Sketch;
  readonly change: (to: Sketch) => void;
  readonly parent: Post | undefined; // what is answered
  readonly here: Room | undefined; // the channel that is shown; undefined: several
  readonly rooms: readonly Room[];
  readonly sent: (reply: boolean) => void;
}

/** The channel that a sketch goes to; undefined if nobody here knows its name. */
export function destination(sketch: Sketch, parent: Post | undefined, here: Room | undefined, rooms: readonly Room[]): string | undefined {
  if (parent !== undefined) return parent.channel === "" ? undefined : parent.channel;
  if (here !== undefined) return here.name === "" ? undefined : here.name;
  const named = rooms.filter((r) => r.name !== "");
  return (named.find((r) => r.name === sketch.to) ?? named.find((r) => r.chosen) ?? named[0])?.name ?? "all";
}

/**
 * The channel that is shown, as far as what is written goes: what it answered may be muted, taken back or expired meanwhile. Then it is a
 * message of its own, in the same channel.
 */
export function stillAt(sketch: Sketch, answered: Post | undefined, here: Room | undefined): Room | undefined {
  if (sketch.parent === "" || answered?.id !== sketch.parent) return here;
  return { name: answered.channel, tag: answered.tag, messages: 0, chosen: false };
}

/** The bar. */
export function Compose(shown: Shown): VNode {
  const { sketch, change, parent, rooms } = shown;
  const { words } = useAround();
  const answered = useRef(parent);
  answered.current = parent ?? answered.current;
  const here = stillAt(sketch, answered.current, shown.here);
  const [file, setFile] = useState<File | undefined>(undefined);
  const to = destination(sketch, parent, here, rooms);
  const clear = (): void => {
    change({ ...sketch, kind: "post", alert: false, parent: "", options: blank.options, most: 1 });
    setFile(undefined);
  };
  if (to === undefined) {
    return (
      <div class="compose">
        <p class="m">{words.say("no_channel")}</p>
        {sketch.parent !== "" && <Cancel press={clear} />}
      </div>
    );
  }
  return <Bar {...shown} here={here} to={to} file={file} setFile={setFile} clear={clear} />;
}

interface Bar extends Shown {
  readonly to: string;
  readonly file: File | undefined;
  readonly setFile: Dispatch<StateUpdater<File | undefined>>;
  readonly clear: () => void;
}

function Bar({ sketch, change, parent, here, rooms, sent, to, file, setFile, clear }: Bar): VNode {
  const { core, words, tell, failed } = useAround();
  const [more, setMore] = useState(false);
  const [busy, setBusy] = useState(false);
  const latest = useRef<Sketch | undefined>(sketch);
  latest.current = sketch;
  useEffect(() => () => void (latest.current = undefined), []); // who looks elsewhere and comes back writes in another bar
  const put = (some: Partial<Sketch>): void => change({ ...sketch, ...some });
  const send = (e: Event): void => {
    e.preventDefault();
    if (busy) return;
    const draft = draftOf(sketch, to, parent?.id ?? "", file);
    if (typeof draft === "string") return tell(words.say(draft));
    setBusy(true);
    const done = (): void => {
      change(without(latest.current ?? readSketch(), sketch));
      setFile((now) => (now === file ? undefined : now));
      setMore(false);
      sent(parent !== undefined);
    };
    core.write(draft).then(done, failed).then(() => setBusy(false));
  };
  const plain = sketch.kind === "post" && file === undefined;
  const adding = plain && parent === undefined; // a reply is a text
  const note = sketch.kind === "petition" ? words.say("petition_hint") : file !== undefined ? words.say("photo_note") : "";
  const area = <Area sketch={sketch} put={put} send={send} />;
  const button = (
    <button class="first" disabled={busy}>
      {words.say("send")}
    </button>
  );
  return (
    <form class="compose" onSubmit={send} noValidate>
      {!adding && <Doing text={doing(words, sketch, parent, file)} note={note} cancel={clear} />}
      {sketch.kind !== "post" && area}
      {sketch.kind === "poll" && <PollFields sketch={sketch} change={change} />}
      <div class="row to">
        <Target to={to} rooms={rooms} free={parent === undefined && (here === undefined || sketch.parent !== "")} choose={(name) => put({ to: name, parent: "" })} />
        {plain && <AlertSwitch on={sketch.alert} turn={(alert) => put({ alert })} />}
        {adding && (
          <button type="button" class="plain" aria-expanded={more} onClick={() => setMore(!more)}>
            {words.say("more")}
          </button>
        )}
        {sketch.kind !== "post" && button}
      </div>
      {plain && sketch.alert && <p class="alerting">{words.say("alert_hint")}</p>}
      {more && adding && <More file={setFile} kind={(kind) => put({ kind, alert: false })} />}
      {sketch.kind === "post" && (
        <div class="line">
          {area}
          {button}
        </div>
      )}
      <Left bytes={mostBytes - bytesOf(sketch.text)} />
    </form>
  );
}

/** The text, in a field that grows with it. */
function Area({ sketch, put, send }: { readonly sketch: Sketch; readonly put: (some: Partial<Sketch>) => void; readonly send: (e: Event) => void }): VNode {
  const { words } = useAround();
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    const area = field.current;
    if (area === null) return;
    area.style.blockSize = "auto";
    area.style.blockSize = `${Math.min(area.scrollHeight + 2, innerHeight / 4)}px`;
  }, [sketch.text]);
  const label = words.say(sketch.kind === "petition" ? "petition_text" : sketch.kind === "poll" ? "question" : "message");
  return (
    <textarea
      id="text"
      ref={field}
      rows={1}
      dir="auto"
      aria-label={label}
      placeholder={label}
      value={sketch.text}
      onInput={(e) => put({ text: e.currentTarget.value })}
      onKeyDown={(e) => {
        if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) send(e);
      }}
    />
  );
}

function AlertSwitch({ on, turn }: { readonly on: boolean; readonly turn: (on: boolean) => void }): VNode {
  const { words } = useAround();
  return (
    <label class="switch">
      <input type="checkbox" checked={on} onChange={(e) => turn(e.currentTarget.checked)} />
      {words.say("alert")}
    </label>
  );
}

/** How much room is left, once that is little. */
function Left({ bytes }: { readonly bytes: number }): VNode | null {
  const { words } = useAround();
  if (bytes >= fewLeft) return null;
  return (
    <p class={bytes < 0 ? "warn" : "m"} role="status">
      {bytes < 0 && words.say("too_long")} {words.say("room_left", { n: bytes })}
    </p>
  );
}

function doing(words: ReturnType<typeof useAround>["words"], sketch: Sketch, parent: Post | undefined, file: File | undefined): string {
  if (parent !== undefined) return words.say("replying", { name: nameOf(parent) });
  if (file !== undefined) return `${words.say("photo")} · ${cleanLine(file.name)} · ${words.size(file.size)}`;
  return words.say(sketch.kind === "poll" ? "poll" : "petition");
}

/** What is being made, if it is more than a text, and the way back. */
function Doing({ text, note, cancel }: { readonly text: string; readonly note: string; readonly cancel: () => void }): VNode {
  return (
    <div class="doing">
      <p>
        <strong dir="auto">{text}</strong>
        {note !== "" && <span class="m">{note}</span>}
      </p>
      <Cancel press={cancel} />
    </div>
  );
}

function Cancel({ press }: { readonly press: () => void }): VNode {
  const { words } = useAround();
  return (
    <button type="button" class="plain" onClick={press}>
      {words.say("cancel")}
    </button>
  );
}

/** Where a message goes; to be chosen where several channels are shown. */
function Target({ to, rooms, free, choose }: { readonly to: string; readonly rooms: readonly Room[]; readonly free: boolean; readonly choose: (name: string) => void }): VNode {
  const { words } = useAround();
  const names = rooms.map((r) => r.name).filter((name) => name !== "");
  if (!names.includes(to)) names.unshift(to);
  if (!free || names.length < 2) {
    return (
      <span class="target">
        <span class="m">{words.say("to")}</span> <bdi>#{cleanLine(to)}</bdi>
      </span>
    );
  }
  return (
    <select class="target" aria-label={words.say("to_channel")} value={to} onChange={(e) => choose(e.currentTarget.value)}>
      {names.map((name) => (
        <option key={name} value={name}>
          #{cleanLine(name)}
        </option>
      ))}
    </select>
  );
}
