// Builds into built/, which is not kept: nothing there but what the sources and the pinned packages make.
//
//   node build.mjs          the page
//   node build.mjs fake     the page's screens over an inside that is made up, for test/browser
//   node build.mjs tests    the tests, which node itself runs

import { readFileSync, readdirSync, rmSync } from "node:fs";
import { build, transform } from "esbuild";
import { packOperator } from "./operator.mjs";
import { pack } from "./pack.mjs";

// Safari 15 and Chrome 87 read this and no more.
const target = "es2020";

const common = { bundle: true, format: "esm", logLevel: "warning", jsx: "automatic", jsxImportSource: "preact" };

/** All files beneath a folder whose names end so. */
function files(folder, end) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith(end))
    .map((name) => `${folder}/${name}`);
}

// The page's own texts: of each catalogue those keys that stand in quotes in the page's sources, and their plural forms. The rest are
// for what the hub writes itself.
const words = {
  name: "words",
  setup({ onLoad }) {
    const sources = [...files("src/page", ".ts"), ...files("src/page", ".tsx")].map((name) => readFileSync(name, "utf8")).join();
    const used = new Set(sources.match(/(?<=")[a-z_0-9]+(?=")/g));
    onLoad({ filter: /\/lang\/\w+\.json$/ }, ({ path }) => {
      const all = Object.entries(JSON.parse(readFileSync(path, "utf8")));
      const some = Object.fromEntries(all.filter(([key]) => used.has(key.split(".")[0])));
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
  inject: ["src/protocol/older.ts"], // before every other module, in whatever order the parts are loaded
  splitting: true, // what is imported by import() is fetched when it is needed
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  minify: true,
  charset: "utf8", // half the bytes of an escaped text
  legalComments: "eof",
  metafile: true,
  plugins: [words, styles],
};

switch (process.argv[2]) {
  case "tests":
    rmSync("built/tests", { recursive: true, force: true });
    rmSync("built/protocol", { recursive: true, force: true });
    // The protocol as browsers read it, for the test with what an old one lacks.
    await build({ ...page, entryPoints: ["src/protocol/index.ts"], outdir: "built/protocol", entryNames: "[name]" });
    await build({
      ...common,
      target: "node20",
      entryPoints: [...files("src", ".test.ts"), ...files("src", ".test.tsx"), ...files("test", ".test.ts"), "src/protocol/measure.ts", "src/page/inside/arrival.measure.ts"],
      entryNames: "[name]",
      outdir: "built/tests",
      outExtension: { ".js": ".mjs" },
      platform: "node",
      sourcemap: "inline",
      plugins: [styles],
    });
    break;
  case "fake":
    rmSync("built/fake", { recursive: true, force: true });
    await build({ ...page, entryPoints: ["test/fakepage.ts"], outdir: "built/fake" });
    break;
  default:
    await pack(page, "src/page/main.ts");
    await packOperator({ ...page, inject: [], plugins: [] }); // whoever runs a node has a browser of these years, and one catalogue
}
