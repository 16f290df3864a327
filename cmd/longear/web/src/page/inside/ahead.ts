// The way to the rest of the inside: rest.ts.

import { againAfter, once } from "../again.ts";
import { Failure } from "../core.ts";

type Rest = typeof import("./rest.ts");
const get = once(() => import("./rest.ts"));
/** The rest of the inside, once it is there. */
export let restIfThere: Rest | undefined;

/** The rest of the inside, fetched once. It fails with a Failure if the hub is out of reach, and is fetched again the next time. */
export function fetchRest(): Promise<Rest> {
  return get().then(
    (loaded) => (restIfThere = loaded),
    () => {
      throw new Failure("out_of_reach");
    },
  );
}

/** Fetches it for whoever will need it out of reach, where there is nowhere to fetch it from. The result gives that up. */
export function fetchAhead(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ended = false;
  const fetch = (): void =>
    void fetchRest().catch(() => {
      if (!ended) timer = setTimeout(fetch, againAfter);
    });
  fetch();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}
