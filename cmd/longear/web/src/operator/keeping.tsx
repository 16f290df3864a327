// What was not taken and why; what takes the room in the store.

import { Section } from "./parts.tsx";
import type { Room, Status } from "./report.ts";
import { bytes, count, plain, say, sayOr } from "./words.ts";

/** The reason of a verdict, such as "reject: signature", in words. */
export const reason = (verdict: string): string => sayOr(`why_${verdict.replace(/\W+/g, "_")}`, plain(verdict));

/** What was not taken, by reason. */
export function Refused({ status }: { readonly status: Status }) {
  const all = Object.entries(status.verdicts).sort(([a, n], [b, m]) => Number(b.startsWith("reject")) - Number(a.startsWith("reject")) || m - n);
  return (
    <Section id="refused" title={say("refused")}>
      {all.length === 0 ? (
        <p>{say("nothing_refused")}</p>
      ) : (
        <dl class="counts">
          {all.map(([verdict, n]) => (
            <div key={verdict} class={verdict.startsWith("reject") ? "bad" : ""}>
              <dt>{reason(verdict)}</dt>
              <dd>{count(n)}</dd>
            </div>
          ))}
        </dl>
      )}
      <p class="m">{say("refused_text", { n: status.banned })}</p>
    </Section>
  );
}

/** What takes the room, by class. */
export function Store({ room }: { readonly room: Room }) {
  const rows = [
    ...room.classes.map((c) => ({ name: `class_${c.class}`, bytes: c.bytes, messages: c.messages })),
    { name: "class_dead", bytes: room.dead_bytes, messages: undefined },
    { name: "class_free", bytes: Math.max(0, room.quota_bytes - room.stored_bytes), messages: undefined },
  ];
  const share = (n: number) => `${Math.min(100, (100 * n) / Math.max(1, room.quota_bytes)).toFixed(2)}%`;
  return (
    <Section id="store" title={say("store")}>
      <p>{say("room_n", { used: bytes(room.stored_bytes), quota: bytes(room.quota_bytes) })}</p>
      <svg width="100%" height="18" class="bar" role="img" aria-label={say("room_n", { used: share(room.stored_bytes), quota: bytes(room.quota_bytes) })}>
        <Bars parts={rows.slice(0, -1).map((r) => r.bytes / Math.max(1, room.quota_bytes))} />
      </svg>
      <dl class="counts">
        {rows.map((r, i) => (
          <div key={r.name}>
            <dt>
              <i class={i < rows.length - 1 ? `key way${i}` : "key"} /> {sayOr(r.name, r.name)}
            </dt>
            <dd>
              {bytes(r.bytes)}
              {r.messages === undefined ? "" : ` · ${say("messages_n", { n: r.messages })}`}
            </dd>
          </div>
        ))}
      </dl>
      <p class="m">
        {say("gone_text", { expired: room.expired, evicted: room.evicted, removed: room.removed, damaged: room.damaged })}
      </p>
    </Section>
  );
}

/** Parts of one bar, side by side, each a fraction of its width. What there is of something is seen, however little it is. */
function Bars({ parts }: { readonly parts: readonly number[] }) {
  let x = 0;
  return (
    <>
      {parts.map((part, i) => {
        const at = x;
        x += part > 0 ? Math.max(part, 0.004) : 0;
        return part > 0 ? <rect key={i} class={`way${i}`} x={`${at * 100}%`} y="0" width={`${Math.max(part, 0.004) * 100}%`} height="18" /> : null;
      })}
    </>
  );
}
