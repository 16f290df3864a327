// What can be done about the author of a message, beneath the message.

import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Post } from "../core.ts";
import { useAround } from "./shared.tsx";

/** The menu. */
export function Menu({ post }: { readonly post: Post }): VNode {
  const { core, words, tell, failed } = useAround();
  const place = useRef<HTMLDivElement>(null);
  const muted = useRef(false);
  // The message goes with the button that was pressed: who came by keyboard is led to the next one that stays.
  useEffect(() => {
    const list = [...document.querySelectorAll<HTMLElement>("article")];
    const at = list.findIndex((a) => a.contains(place.current));
    const next = [...list.slice(at + 1), ...list.slice(0, at).reverse(), ...document.querySelectorAll<HTMLElement>("#main")];
    return () => {
      if (muted.current) requestAnimationFrame(() => next.find((a) => a.isConnected)?.focus({ preventScroll: true }));
    };
  }, []);
  const mute = (): void => {
    muted.current = true;
    core.mute(post.author, true).then(() => tell(words.say("mute_done")), failed);
  };
  return (
    <div class="menu" role="group" aria-label={words.say("more")} ref={place}>
      <button type="button" class="choice" onClick={mute}>
        {words.say("mute")}
      </button>
      <p class="m">{words.say("mute_hint")}</p>
    </div>
  );
}
