// The page's own texts: of each catalogue those keys that stand in quotes in the page's sources, and their plural forms, in two files: what
// the first drawing says, and the rest, whose place the first tells. All others are for what the hub writes itself.

import { readFileSync, readdirSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";

/** All files beneath a folder whose names end so. */
export function files(folder, end) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith(end))
    .map((name) => `${folder}/${name}`);
}

/** What is fetched behind the first drawing (src/page/screens/later.tsx), and the inside, whose words are those of what went wrong with it. */
const behind = /\/(ballot|compose|draft|drawing|menu|more|news|own|photo|rest|sorts|warnings|you)\.tsx?$|\/inside\//;

// Keys that stand in quotes in what is drawn first as well, and that say nothing there: names of something else, and what hubs say of messages;
// and what is said when everything was forgotten, which only somebody who has all words can do.
const notFirst = "state write name to load photo most save forget mute withdraw sign vote forgotten kept carried known dead expired muted later full failed refused".split(" ");

const sources = () => [...files("src/page", ".ts"), ...files("src/page", ".tsx")].filter((name) => !/[._]test\./.test(name));

/** The sources of what is drawn first. */
export const firstSources = () => sources().filter((name) => !behind.test(name));

/** Halves the catalogues. */
export const words = {
  name: "words",
  setup({ onLoad, onResolve }) {
    const quoted = (names) => new Set(names.map((name) => readFileSync(name, "utf8")).join().match(/(?<=")[a-z_0-9]+(?=")/g));
    const used = quoted(sources());
    const first = quoted(firstSources());
    for (const key of notFirst) first.delete(key);
    onResolve({ filter: /\.json\?later$/ }, ({ path, resolveDir }) => ({ path: resolve(resolveDir, path.slice(0, -"?later".length)), suffix: "?later" }));
    onLoad({ filter: /\/lang\/\w+\.json$/ }, ({ path, suffix }) => {
      const all = Object.entries(JSON.parse(readFileSync(path, "utf8")));
      const wanted = (base) => used.has(base) && first.has(base) === (suffix === "");
      const some = Object.fromEntries(all.filter(([key]) => wanted(key.split(".")[0])));
      const rest = suffix === "" ? `; export const later = () => import("./${basename(path)}?later")` : "";
      return { contents: `export default ${JSON.stringify(some)}${rest}`, loader: "js", resolveDir: dirname(path) }; // as JSON each key would be a name of its own
    });
  },
};
