// The parts of the page that the first drawing can do without: they are fetched when something needs them, and soon in any case,
// because the hub may be out of reach by then.

import { type FunctionComponent, type VNode, h } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Failure } from "../core.ts";
import { useAround } from "./shared.tsx";

type Rest = typeof import("./rest.ts");
let rest: Rest | undefined;

/** Fetches the rest of the page. */
export async function fetchRest(): Promise<void> {
  rest ??= await import("./rest.ts");
}

/** A component that is fetched. Until it is there nothing is shown in its place. */
function later<P extends object>(component: (of: Rest) => FunctionComponent<P>): FunctionComponent<P> {
  return function Later(props: P): VNode<P> | null {
    const [, drawn] = useState(false);
    const { failed } = useAround();
    useEffect(() => {
      if (rest === undefined) fetchRest().then(() => drawn(true), () => failed(new Failure("out_of_reach")));
    }, []);
    return rest === undefined ? null : h(component(rest), props);
  } as FunctionComponent<P>;
}

/** What is told aloud. */
export const News = later((r) => r.News);
/** Petitions and polls in the feed. */
export const Ballot = later((r) => r.Ballot);
/** Photos and files. */
export const Photo = later((r) => r.Photo);
/** What else can be sent than a text. */
export const More = later((r) => r.More);
/** The fields of a poll. */
export const PollFields = later((r) => r.PollFields);
/** The reader's own screen. */
export const You = later((r) => r.You);
