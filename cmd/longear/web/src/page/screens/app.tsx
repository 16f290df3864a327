// The page around its screens: the head with the state and the languages, the tabs, the feed or the reader's own screen, and the
// bar to write with.

import type { VNode } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { until } from "../again.ts";
import type { Core, Post, Room, Snapshot } from "../core.ts";
import { Feed, type Goal } from "./feed.tsx";
import { keepLanguage } from "./choice.ts";
import { Compose, News, You, sorts } from "./later.tsx";
import { type Around, Glyph, Surround, useAround, useSnapshot, wordOf } from "./shared.tsx";
import { type Sketch, blank, keepSketch, readSketch, withTyped } from "./sketch.ts";
import { State } from "./state.tsx";
import { Tabs, alertsTab, postsOf, withShown } from "./tabs.tsx";
import { type Language, type Words, fetchWords, languages } from "./words.ts";

/** What the page without script leaves to this one. */
export interface Legacy {
  readonly tab: string; // the tag of the channel that was shown; ""
  readonly text: string; // what was typed and not sent
}

/** How long the page fills without holding anything back, if nobody touches it. */
const settling = 4000;

type Screen = "feed" | "you";

/** The screen that the address names: going back leads to the feed. Each begins at its top. */
function useScreen(): Screen {
  const read = (): Screen => (location.hash === "#you" ? "you" : "feed");
  const [screen, set] = useState(read);
  const shown = useRef(screen);
  useEffect(() => {
    const changed = (): void => set(read());
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  useEffect(() => {
    if (shown.current !== screen) scrollTo(0, 0); // not at first: the old page may have been scrolled
    shown.current = screen;
  }, [screen]);
  return screen;
}

/** Makes a language the page's, and keeps the choice. */
function spoken(words: Words): Words {
  keepLanguage(words.code);
  document.documentElement.lang = words.code;
  document.documentElement.dir = words.dir;
  return words;
}

/** Fetches what the first drawing did without, until it is there. */
function useWhole(words: Words, set: (to: Words) => void): void {
  useEffect(() => {
    let ended = false;
    void until(sorts.fetch);
    if (!words.whole) void until(words.fill).then((to) => ended || set(to));
    return () => void (ended = true);
  }, [words]);
}

/** What is being written, kept at each change. */
function useSketch(first: string): [Sketch, (to: Sketch) => void] {
  const [sketch, set] = useState(() => withTyped(readSketch(), first));
  const change = (to: Sketch): void => {
    keepSketch(to);
    set(to);
  };
  useEffect(() => void (first !== "" && keepSketch(sketch)), []);
  return [sketch, change];
}

/** Whether nobody has touched the page yet, and it is young. */
function useFilling(): () => boolean {
  const touched = useRef(false);
  const begun = useRef(Date.now());
  useEffect(() => {
    const touch = (): void => void (touched.current = true);
    const events = ["pointerdown", "keydown", "wheel", "touchmove"] as const;
    for (const e of events) addEventListener(e, touch, { passive: true, once: true });
    return () => events.forEach((e) => removeEventListener(e, touch));
  }, []);
  return useRef(() => !touched.current && scrollY < 8 && Date.now() - begun.current < settling).current;
}

/** The page. */
export function App({ core, first, legacy }: { readonly core: Core; readonly first: Words; readonly legacy: Legacy }): VNode {
  const now = useSnapshot(core);
  const screen = useScreen();
  const [words, setWords] = useState(first);
  const [tab, setTab] = useState(legacy.tab);
  const [sketch, change] = useSketch(legacy.text);
  const [notice, tell] = useState("");
  const [goal, setGoal] = useState<Goal | undefined>(undefined);
  const [gone, setGone] = useState(false);
  const filling = useFilling();
  useWhole(words, setWords);
  const latest = useRef({ now, tab, sketch, room: undefined as Room | undefined });
  const rooms = withShown(now.rooms, tab, latest.current.room);
  const room = rooms.find((r) => r.tag === tab);
  latest.current = { now, tab, sketch, room };
  const around = useMemo<Around>(() => {
    const lead = (id: string): void => {
      const { now: { posts }, tab: shown } = latest.current;
      if (!postsOf(posts, shown).some((p) => p.id === id)) setTab("");
      setGoal((before) => ({ id, n: (before?.n ?? 0) + 1 }));
    };
    const reply = (to: Post): void => {
      change({ ...latest.current.sketch, kind: "post", parent: to.id });
      document.getElementById("text")?.focus();
    };
    return { core, words, tell, failed: (why) => tell(wordOf(why, words)), reply, lead };
  }, [words]);

  useEffect(() => core.looking({ channel: room?.name ?? "" }), [room?.name]);
  const speak = (code: Language): void => void fetchWords(code).then((to) => to.fill()).then((to) => setWords(spoken(to)), () => tell(words.say("out_of_reach")));
  const forgotten = (): void => {
    keepSketch(blank);
    keepLanguage(undefined);
    setGone(true);
  };
  if (gone) return <main class="gone"><p role="alert">{words.say("forgotten")}</p></main>;
  return (
    <Surround value={around}>
      <Head now={now} screen={screen} words={words} speak={speak} />
      {screen === "feed" && <Tabs now={{ ...now, rooms }} tab={tab} choose={(to) => { setTab(to); scrollTo(0, 0); }} />}
      <main id="main" tabIndex={-1}>
        {screen === "feed" ? <Board now={now} tab={tab} follow={filling} goal={goal} /> : <You now={now} forgotten={forgotten} />}
      </main>
      <section class="dock" aria-label={words.say("message")}>
        {notice !== "" && <Notice text={notice} close={() => tell("")} />}
        {screen === "feed" && (
          <Compose
            sketch={sketch}
            change={(to) => { if (notice !== "") tell(""); change(to); }}
            parent={sketch.parent === "" ? undefined : now.posts.find((p) => p.id === sketch.parent)}
            here={room}
            rooms={rooms}
            sent={(reply) => { if (!reply) scrollTo(0, 0); }}
          />
        )}
      </section>
      <News now={now} />
    </Surround>
  );
}

function Board({ now, tab, follow, goal }: { readonly now: Snapshot; readonly tab: string; readonly follow: () => boolean; readonly goal: Goal | undefined }): VNode {
  const posts = useMemo(() => postsOf(now.posts, tab), [now.posts, tab]);
  return <Feed key={tab} posts={posts} all={now.posts} everywhere={tab === "" || tab === alertsTab} ready={now.ready && (now.looked || now.line === "away")} follow={follow} goal={goal} />;
}

/** The head of every screen. */
function Head({ now, screen, words, speak }: { readonly now: Snapshot; readonly screen: Screen; readonly words: Words; readonly speak: (code: Language) => void }): VNode {
  return (
    <header class="head">
      <div class="bar">
        <h1>
          longear
        </h1>
        <a class="button me" href={screen === "you" ? "#" : "#you"}>
          {screen === "feed" && now.author !== "" && <Glyph author={now.author} />}
          {words.say(screen === "you" ? "back" : "you")}
        </a>
        <select aria-label={words.say("language")} value={words.code} onChange={(e) => speak(e.currentTarget.value as Language)}>
          {Object.entries(languages).map(([code, name]) => (
            <option key={code} value={code} lang={code}>{name}</option>
          ))}
        </select>
      </div>
      <State now={now} />
    </header>
  );
}

function Notice({ text, close }: { readonly text: string; readonly close: () => void }): VNode {
  const { words } = useAround();
  return (
    <div class="notice">
      <p role="alert">{text}</p>
      <button type="button" class="plain" onClick={close}>{words.say("close")}</button>
    </div>
  );
}
