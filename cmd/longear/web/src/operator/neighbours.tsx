// Who is connected, how each was found, and where the node looks for more.

import { Name, Section } from "./parts.tsx";
import type { Peer, Rung } from "./report.ts";
import { ago, bytes, count, plain, say, sayOr, short } from "./words.ts";

/** The rung of discovery that found a neighbour, in words. */
export const via = (p: { readonly via: string }): string => sayOr(`via_${p.via.replace(/\W/g, "_")}`, plain(p.via));

/** When the stores were compared last, and what came of it. */
export function round(p: Peer, now: number): string {
  if (p.last_sync === undefined) return say("not_yet");
  return say(p.equal ? "equal" : "unequal", { age: ago(p.last_sync, now) });
}

interface Props {
  readonly peers: readonly Peer[];
  readonly rungs: readonly Rung[];
  readonly now: number;
  readonly chosen: string;
}

/** The table of neighbours. */
export function Neighbours({ peers, rungs, now, chosen }: Props) {
  const heads = [say("neighbour"), say("found_by"), say("since"), say("last_round"), say("took_gave"), say("bytes_in_out"), say("address")];
  return (
    <Section id="neighbours" title={say("neighbours")}>
      {peers.length === 0 ? (
        <p>{say("nobody")}</p>
      ) : (
        // On a narrow screen the rows are blocks; the roles say that it is a table all the same.
        <table role="table">
          <thead role="rowgroup">
            <tr role="row">
              {heads.map((h) => (
                <th key={h} role="columnheader" scope="col">
                  {h}
                </th>
              ))}
            </tr>
          </thead>
          <tbody role="rowgroup">
            {peers.map((p) => (
              <tr key={p.peer} role="row" class={p.peer === chosen ? "chosen" : ""}>
                {[
                  <code>
                    <Name>{short(p.peer)}</Name>
                  </code>,
                  via(p),
                  ago(p.since, now),
                  round(p, now),
                  `${count(p.took)} / ${count(p.gave)}`,
                  `${bytes(p.received_bytes)} / ${bytes(p.sent_bytes)}`,
                  <small dir="ltr">{plain(p.addr)}</small>,
                ].map((cell, i) => (
                  <td key={heads[i]} role="cell" data-label={heads[i]}>
                    {cell}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Looking rungs={rungs} />
    </Section>
  );
}

/** Where the node looks for neighbours, and what became of it. */
function Looking({ rungs }: { readonly rungs: readonly Rung[] }) {
  return (
    <details>
      <summary>{say("looking")}</summary>
      <ul>
        {rungs.map((r) => (
          <li key={r.rung}>
            <bdi>{via({ via: r.rung })}</bdi>:{" "}
            <span lang="en" dir="ltr">
              {plain(r.state)}
            </span>
            {r.found > 0 ? ` · ${say("found_n", { n: r.found })}` : ""}
            {r.error === undefined ? null : (
              <small lang="en" dir="ltr">
                {" "}
                {plain(r.error)}
              </small>
            )}
          </li>
        ))}
      </ul>
    </details>
  );
}
