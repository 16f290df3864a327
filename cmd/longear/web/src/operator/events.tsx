// The last things that happened, the latest first.

import { useState } from "preact/hooks";
import { reason } from "./keeping.tsx";
import { via } from "./neighbours.tsx";
import { Section } from "./parts.tsx";
import type { Happening } from "./report.ts";
import { clock, plain, say, sayOr } from "./words.ts";

const few = 12;

function tell(e: Happening): string {
  const word = `ev_${e.what.replace(/ /g, "_")}`;
  const detail = e.detail ?? "";
  const said = e.what === "peer came" ? via({ via: detail }) : e.what === "refused" ? reason(detail) : plain(detail);
  const text = sayOr(word, plain(e.what));
  const fill: Record<string, string> = { peer: e.peer ?? say("from_here"), detail: said, n: String(e.count) };
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => fill[name] ?? whole);
}

/** Whether a line says by itself how often something happened. */
const counted = (e: Happening): boolean => e.what === "evicted" || e.what === "guest came";

/** The list of events. */
export function Events({ events }: { readonly events: readonly Happening[] }) {
  const [all, setAll] = useState(false);
  const shown = [...events].reverse().slice(0, all ? events.length : few);
  return (
    <Section id="events" title={say("events")}>
      {events.length === 0 ? <p>{say("no_events")}</p> : null}
      <ol class="events">
        {shown.map((e) => (
          <li key={e.seq} class={e.what === "peer banned" || e.what === "store" ? "a" : ""}>
            <time dateTime={e.last}>{clock(e.last)}</time> <span dir="auto">{tell(e)}</span>
            {e.count > 1 && !counted(e) ? <small> · {say("times", { n: e.count })}</small> : null}
          </li>
        ))}
      </ol>
      {events.length > few ? (
        <button type="button" class="quiet" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? say("show_less") : say("show_all", { n: events.length })}
        </button>
      ) : null}
    </Section>
  );
}
