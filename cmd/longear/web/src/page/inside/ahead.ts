// The way to the rest of the inside: rest.ts.

import { once } from "../again.ts";
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
