// New messages in each minute of the last hour, by the way they came, as stacked bars.

import { Section, useWidth } from "./parts.tsx";
import { count, say, sayOr } from "./words.ts";

type Minutes = Readonly<Record<string, readonly number[]>>;

const order = ["gossip", "sync", "carry file", "this node"];
const height = 120;
const sum = (line: readonly number[]) => line.reduce((a, b) => a + b, 0);

/** The chart of the last hour. */
export function Rates({ minutes }: { readonly minutes: Minutes }) {
  const { ref, width } = useWidth();
  const ways = order.filter((w) => minutes[w] !== undefined);
  const length = minutes[ways[0] ?? ""]?.length ?? 0;
  const totals = Array.from({ length }, (_, m) => sum(ways.map((w) => minutes[w]![m]!)));
  const most = Math.max(1, ...totals);
  const text = say("rates_text", { all: sum(totals), most: Math.max(0, ...totals), now: totals[length - 1] ?? 0 });
  const step = width / Math.max(1, length);
  const bars = totals.flatMap((_, m) => {
    let y = height;
    return ways.map((w, i) => {
      const h = (minutes[w]![m]! / most) * (height - 14);
      y -= h;
      return h > 0 ? <rect key={`${m} ${w}`} class={`way${i}`} x={m * step} y={y} width={Math.max(1, step - 1)} height={h} /> : null;
    });
  });
  return (
    <Section id="rates" title={say("rates")}>
      <div ref={ref} class="drawing">
        <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={text}>
          <line x1="0" y1="13.5" x2={width} y2="13.5" class="grid" />
          <text x="0" y="10" class="scale">
            {count(most)}
          </text>
          <line x1="0" y1={height - 0.5} x2={width} y2={height - 0.5} class="axis" />
          {bars}
        </svg>
      </div>
      <p class="m ends" dir="ltr">
        <span>{say("hour_ago")}</span> <span>{say("now")}</span>
      </p>
      <ul class="legend">
        {ways.map((w, i) => (
          <li key={w}>
            <i class={`key way${i}`} /> {sayOr(`way_${w.replace(/\W/g, "_")}`, w)}: {count(sum(minutes[w]!))}
          </li>
        ))}
      </ul>
      <p>{text}</p>
    </Section>
  );
}
