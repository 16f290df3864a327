// The page that phones open at a hub.

import { until } from "./again.ts";
import { drawing, newCore } from "./newcore.ts";
import { start } from "./screens/start.tsx";

/** The inside. */
export const core = newCore();

// What draws photos is fetched before somebody wants to send one out of the hub's reach.
void start(core).then(() => setTimeout(() => void until(drawing), 5000));
