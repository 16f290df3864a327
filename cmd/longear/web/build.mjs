// Builds into built/, which is not kept: nothing there but what the sources and the pinned packages make.
//
//   node build.mjs          the page
//   node build.mjs fake     the page's screens over an inside that is made up, for test/browser
//   node build.mjs tests    the tests, which node itself runs

import { readFileSync, readdirSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { build, transform } from "esbuild";
import { packOperator } from "./operator.mjs";
import { pack } from "./pack.mjs";

// Safari 15 and Chrome 87 read this and no more.
const target = "es2020";
/** And these, which are later than that. */
const supported = { "class-field": true, "class-static-field": true };

const common = { bundle: true, format: "esm", logLevel: "warning", jsx: "transform", jsxFactory: "h", jsxFragment: "Fragment" };

/** Before every other module. */
const jsx = "src/page/screens/jsx.ts";

/** All files beneath a folder whose names end so. */
function files(folder, end) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith(end))
    .map((name) => `${folder}/${name}`);
}

// What is fetched behind the first drawing (src/page/screens/later.tsx), and the inside, whose words are those of what went wrong with it.
const behind = /\/(ballot|compose|draft|drawing|more|news|photo|rest|sorts|you)\.tsx?$|\/inside\//;

// Keys that stand in quotes in what is drawn first as well, and that say nothing there: names of something else, what hubs say of messages,
// what is said of petitions and polls, and warnings that wait until all words are there.
const notFirst = [
  ..."state write name to load photo more most save forget channels".split(" "),
  ..."known dead expired muted later full failed refused refused_why".split(" "),
  ..."sign signed_by you_signed vote voted forgotten hub_full hub_busy keeping_tab clock lies".split(" "),
];

// The page's own texts: of each catalogue those keys that stand in quotes in the page's sources, and their plural forms, in two files: what
// the first drawing says, and the rest. All others are for what the hub writes itself.
const words = {
  name: "words",
  setup({ onLoad, onResolve }) {
    const sources = [...files("src/page", ".ts"), ...files("src/page", ".tsx")].filter((name) => !/[._]test\./.test(name));
    const quoted = (names) => new Set(names.map((name) => readFileSync(name, "utf8")).join().match(/(?<=")[a-z_0-9]+(?=")/g));
    const used = quoted(sources);
    const first = quoted(sources.filter((name) => !behind.test(name)));
    for (const key of notFirst) first.delete(key);
    onResolve({ filter: /\.json\?later$/ }, ({ path, resolveDir }) => ({ path: resolve(resolveDir, path.slice(0, -"?later".length)), suffix: "?later" }));
    onLoad({ filter: /\/lang\/\w+\.json$/ }, ({ path, suffix }) => {
      const all = Object.entries(JSON.parse(readFileSync(path, "utf8")));
      const wanted = (base) => used.has(base) && first.has(base) === (suffix === "");
      const some = Object.fromEntries(all.filter(([key]) => wanted(key.split(".")[0])));
      return { contents: `export default ${JSON.stringify(some)}`, loader: "js" }; // as JSON each key would be a name of its own
    });
  },
};

// A style sheet is a file of its own, and what imports it gets its address.
const styles = {
  name: "styles",
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(readFileSync(path, "utf8"), { loader: "css", minify: true, target });
      return { contents: code, loader: "file" };
    });
  },
};

/** What a browser loads. */
const page = {
  ...common,
  target,
  supported,
  inject: [jsx],
  splitting: true, // what is imported by import() is fetched when it is needed
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  minify: true,
  charset: "utf8", // half the bytes of an escaped text
  legalComments: "inline",
  metafile: true,
  plugins: [words, styles],
};

switch (process.argv[2]) {
  case "tests":
    rmSync("built/tests", { recursive: true, force: true });
    rmSync("built/protocol", { recursive: true, force: true });
    // The protocol as browsers read it, for the test with what an old one lacks: that comes before every other module.
    await build({ ...page, inject: ["src/protocol/older.ts"], entryPoints: ["src/protocol/index.ts"], outdir: "built/protocol", entryNames: "[name]" });
    await build({
      ...common,
      target: "node20",
      inject: [jsx],
      entryPoints: [...files("src", ".test.ts"), ...files("src", ".test.tsx"), ...files("test", ".test.ts"), "src/protocol/measure.ts", "src/page/inside/arrival.measure.ts"],
      entryNames: "[name]",
      outdir: "built/tests",
      outExtension: { ".js": ".mjs" },
      platform: "node",
      sourcemap: "inline",
      plugins: [words, styles],
    });
    break;
  case "fake":
    rmSync("built/fake", { recursive: true, force: true });
    await build({ ...page, entryPoints: ["test/fakepage.ts"], outdir: "built/fake" });
    break;
  default:
    await pack(page, "src/page/main.ts");
    await packOperator({ ...page, plugins: [] }); // whoever runs a node has a browser of these years, and one catalogue
}
