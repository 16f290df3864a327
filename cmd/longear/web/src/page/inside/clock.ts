// The running time of this phone's page, SPEC.md section 10: what ages are counted in. A phone's wall clock jumps by hours and
// years, and a message must neither die nor live on because of that.

/** The two clocks that a browser has. Both in ms. */
export interface Hands {
  /** The time of day, since 1970. */
  readonly wall: () => number;
  /** Time that only goes forward; it may stand still while the phone sleeps. */
  readonly mono: () => number;
}

/** What is kept of a clock. */
export interface Saved {
  readonly running: number;
  readonly wall: number;
}

/** Running time, going on from one visit to the next. */
export interface Clock {
  readonly now: () => number;
  readonly saved: () => Saved;
}

/** A larger difference between visits is a clock that was set. */
const longestGap = 30 * 86_400_000;
/** By so much the wall clock goes ahead of the other when the phone has slept. */
const slept = 60_000;

/** A clock that goes on where the saved one was left. */
export function newClock(hands: Hands, saved?: Saved): Clock {
  let wall = hands.wall();
  let mono = hands.mono();
  let running = saved ? saved.running + gap(wall - saved.wall) : 0;
  const now = (): number => {
    const w = hands.wall() - wall;
    const m = Math.max(0, hands.mono() - mono);
    wall += w;
    mono += m;
    running += w - m > slept ? Math.max(m, gap(w)) : m;
    return running;
  };
  return { now, saved: () => ({ running: now(), wall }) };
}

function gap(ms: number): number {
  return ms >= 0 && ms <= longestGap ? ms : 0;
}
