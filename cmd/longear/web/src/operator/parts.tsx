// Small parts that several sections use.

import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { asWrong, type Wrong } from "./node.ts";
import { plain, say } from "./words.ts";

/** One part of the screen, under a heading. */
export function Section(p: { readonly id: string; readonly title: string; readonly children: ComponentChildren }) {
  return (
    <section id={p.id} aria-labelledby={`${p.id}-title`}>
      <h2 id={`${p.id}-title`}>{p.title}</h2>
      {p.children}
    </section>
  );
}

/** Somebody's short text, so that its direction cannot reorder what is around it. */
export const Name = (p: { readonly children: string }) => <bdi>{plain(p.children)}</bdi>;

/** A failure and what mends it, as the node tells them: in English, like the command line. */
export function Failure({ wrong }: { readonly wrong: Wrong }) {
  return (
    <div class="a" role="alert">
      <strong>{say("failed")}</strong>{" "}
      <span lang="en" dir="ltr">
        {plain(wrong.what)}
      </span>
      {wrong.fix === "" ? null : (
        <p class="m">
          {say("fix")}{" "}
          <span lang="en" dir="ltr">
            {plain(wrong.fix)}
          </span>
        </p>
      )}
    </div>
  );
}

/** What became of something that was asked for. */
export interface Doing {
  readonly busy: boolean;
  readonly wrong: Wrong | undefined;
  /** Does one thing at a time, and keeps its failure to be shown. */
  run(what: () => Promise<void>): Promise<void>;
}

/** Keeps whether something is being done, and what failed. */
export function useDoing(): Doing {
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<Wrong>();
  return {
    busy,
    wrong,
    async run(what) {
      if (busy) return;
      setBusy(true);
      setWrong(undefined);
      try {
        await what();
      } catch (e) {
        setWrong(asWrong(e));
      }
      setBusy(false);
    },
  };
}

/** A form that does something: its fields, a button, and what became of it. */
export function Deed(p: {
  readonly doing: Doing;
  readonly button: string;
  readonly submit: () => Promise<void>;
  readonly children?: ComponentChildren;
  readonly result?: ComponentChildren;
}) {
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault();
        void p.doing.run(p.submit);
      }}
    >
      {p.children}
      <button disabled={p.doing.busy}>{p.doing.busy ? say("working") : p.button}</button>
      <div role="status">{p.result}</div>
      {p.doing.wrong === undefined ? null : <Failure wrong={p.doing.wrong} />}
    </form>
  );
}

/** Asks before something that cannot be taken back. It is closed by Escape and by cancelling, and returns the focus. */
export function Ask(p: { readonly text: string; readonly yes: string; readonly then: () => void; readonly close: () => void }) {
  const box = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => box.current?.showModal(), []); // at once, so that Escape finds it
  return (
    <dialog ref={box} aria-labelledby="ask-text" onClose={p.close}>
      <p id="ask-text">{p.text}</p>
      <div class="row">
        <button type="button" onClick={() => box.current?.close()}>
          {say("cancel")}
        </button>
        <button
          type="button"
          class="danger"
          onClick={() => {
            box.current?.close();
            p.then();
          }}
        >
          {p.yes}
        </button>
      </div>
    </dialog>
  );
}

/** The width of an element in pixels, kept up to date, so that what is drawn in it has text of the right size. */
export function useWidth() {
  const ref = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const seen = new ResizeObserver(([e]) => setWidth(Math.floor(e!.contentRect.width)));
    seen.observe(ref.current!);
    return () => seen.disconnect();
  }, []);
  return { ref, width };
}
