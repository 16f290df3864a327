// The links of this node, drawn: itself in the middle, its neighbours around it, those found in one way side by side. A node knows its own
// links and no others, so that is all there is to draw, and a star needs no forces to lay it out: where a neighbour stands changes only
// when one comes or goes.

import { round, via } from "./neighbours.tsx";
import { Section, useWidth } from "./parts.tsx";
import type { Peer } from "./report.ts";
import { say, short } from "./words.ts";

interface Place {
  readonly peer: Peer;
  readonly x: number;
  readonly y: number;
}

const ring = 14; // most neighbours on one ring before a second is begun
const named = 28; // most neighbours that have room for their name

/** Places neighbours on ellipses around the middle, ordered by how they were found. */
export function places(peers: readonly Peer[], width: number, height: number): Place[] {
  const key = (p: Peer) => `${p.via} ${p.peer}`;
  const sorted = [...peers].sort((a, b) => (key(a) < key(b) ? -1 : 1));
  const rings = Math.max(1, Math.ceil(sorted.length / ring));
  return sorted.map((peer, i) => {
    const out = 1 - 0.55 * ((i % rings) / rings);
    // One or two stand diagonally: on a narrow screen their names would else run into the middle's.
    const angle = (2 * Math.PI * i) / sorted.length - Math.PI * (sorted.length < 3 ? 0.8 : 0.5);
    return {
      peer,
      x: width / 2 + Math.cos(angle) * out * (width / 2 - 56),
      y: height / 2 + Math.sin(angle) * out * (height / 2 - 34),
    };
  });
}

interface Props {
  readonly peers: readonly Peer[];
  readonly guests: number | undefined;
  readonly now: number;
  readonly chosen: string;
  readonly choose: (peer: string) => void;
}

/** The drawing of the links. */
export function Links({ peers, guests, now, chosen, choose }: Props) {
  const { ref, width } = useWidth();
  const height = peers.length < 5 ? 190 : Math.min(360, Math.max(240, width * 0.6));
  const all = width > 0 ? places(peers, width, height) : [];
  const middle = { x: width / 2, y: height / 2 };
  const one = peers.find((p) => p.peer === chosen);
  return (
    <Section id="links" title={say("links")}>
      <div ref={ref} class="drawing">
        {width > 0 ? (
          <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="group" aria-label={say("links")}>
            {all.map(({ peer, x, y }) => (
              <line key={peer.peer} x1={middle.x} y1={middle.y} x2={x} y2={y} class={peer.equal ? "link" : "link dashed"} />
            ))}
            <circle cx={middle.x} cy={middle.y} r="9" class="self" />
            <text x={middle.x} y={middle.y + 26} class="halo">
              {say("this_node")}
            </text>
            {guests === undefined ? null : (
              <text x={middle.x} y={middle.y + 42} class="halo small">
                {say("guests_n", { n: guests })}
              </text>
            )}
            {all.map((at) => (
              <Dot key={at.peer.peer} at={at} label={all.length <= named} chosen={at.peer === one} choose={choose} />
            ))}
          </svg>
        ) : null}
      </div>
      <p role="status" class="chosen-text">
        {one === undefined ? "" : say("node_label", { id: short(one.peer), via: via(one), state: round(one, now) })}
      </p>
      <p class="m">{say("links_text")}</p>
    </Section>
  );
}

interface DotProps {
  readonly at: Place;
  readonly label: boolean;
  readonly chosen: boolean;
  readonly choose: (peer: string) => void;
}

/** One neighbour: a button, by pointer and by keyboard, called by what stands beside it. */
function Dot({ at, label, chosen, choose }: DotProps) {
  const { peer, x, y } = at;
  const id = short(peer.peer);
  return (
    <g
      role="button"
      tabindex={0} // in SVG an attribute is spelt so or not at all
      class={chosen ? "dot chosen" : "dot"}
      aria-pressed={chosen}
      aria-label={label ? undefined : `${id} ${via(peer)}`}
      onClick={() => choose(peer.peer)}
      onKeyDown={(e) => {
        if (e.key !== "Enter" && e.key !== " ") return;
        e.preventDefault();
        choose(peer.peer);
      }}
    >
      <circle cx={x} cy={y} r="22" class="reach" />
      <circle cx={x} cy={y} r="7" class="peer" />
      {label ? (
        <>
          <text x={x} y={y - 13} class="halo id">
            {id}
          </text>
          <text x={x} y={y + 22} class="halo small">
            {via(peer)}
          </text>
        </>
      ) : null}
    </g>
  );
}
