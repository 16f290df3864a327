// The page that phones open at a hub.

import { newCore } from "./newcore.ts";
import { start } from "./screens/start.tsx";

/** The inside. */
export const core = newCore();

// What draws photos is fetched before somebody wants to send one out of the hub's reach.
void start(core).then(() => setTimeout(() => void import("./drawing.ts").catch(() => undefined), 5000));
