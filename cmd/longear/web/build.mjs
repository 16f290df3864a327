// Builds into built/, which is not kept: nothing there but what the sources and the pinned packages make.
//
//   node build.mjs          the page
//   node build.mjs fake     the page's screens over an inside that is made up, for test/browser
//   node build.mjs tests    the tests, which node itself runs

import { readFileSync, rmSync } from "node:fs";
import { build, transform } from "esbuild";
import { lean } from "./lean.mjs";
import { packOperator } from "./operator.mjs";
import { pack } from "./pack.mjs";
import { files, words } from "./words.mjs";

// Safari 15 and Chrome 87 read this and no more.
const target = "es2020";
/** And these, which are later than that. */
const supported = { "class-field": true, "class-static-field": true, "logical-assignment": true };

const common = { bundle: true, format: "esm", logLevel: "warning", jsx: "transform", jsxFactory: "h", jsxFragment: "Fragment" };

/** Before every other module. */
const jsx = "src/page/screens/jsx.ts";

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
    await pack({ ...page, plugins: [...page.plugins, lean] }, "src/page/main.ts");
    await packOperator({ ...page, plugins: [] }); // whoever runs a node has a browser of these years, and one catalogue
}
