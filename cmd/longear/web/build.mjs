// Builds into built/, which is not kept: nothing there but what the sources and the pinned packages make.
//
//   node build.mjs          the page's scripts
//   node build.mjs tests    the tests, which node itself runs

import { readFileSync, readdirSync, rmSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

// Safari 15 and Chrome 87 read this and no more.
const target = "es2020";

const common = { bundle: true, format: "esm", logLevel: "warning" };

/** All files beneath a folder whose names end so. */
function files(folder, end) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith(end))
    .map((name) => `${folder}/${name}`);
}

if (process.argv[2] === "tests") {
  rmSync("built/tests", { recursive: true, force: true });
  await build({
    ...common,
    target: "node20",
    entryPoints: [...files("src", ".test.ts"), "src/protocol/measure.ts"],
    entryNames: "[name]",
    outdir: "built/tests",
    outExtension: { ".js": ".mjs" },
    platform: "node",
    sourcemap: "inline",
  });
} else {
  rmSync("built/page", { recursive: true, force: true });
  const { metafile } = await build({
    ...common,
    target,
    entryPoints: ["src/protocol/index.ts"],
    inject: ["src/protocol/older.ts"], // before every other module, in whatever order the parts are loaded
    outdir: "built/page",
    splitting: true, // what is imported by import() is fetched when it is needed
    chunkNames: "[name]-[hash]",
    minify: true,
    legalComments: "eof",
    metafile: true,
  });
  sizes(metafile.outputs);
}

/** Prints what is loaded at once, and what each part adds that is loaded when it is asked for, compressed as it is served. */
function sizes(outputs) {
  const gzipped = (names) => [...names].reduce((n, name) => n + gzipSync(readFileSync(name), { level: 9 }).length, 0);
  const atOnce = (name, seen = new Set()) => {
    if (seen.has(name)) return seen;
    seen.add(name);
    for (const i of outputs[name].imports) if (i.kind === "import-statement") atOnce(i.path, seen);
    return seen;
  };
  const first = atOnce("built/page/index.js");
  console.log(`loaded at once: ${gzipped(first)} bytes gzipped`);
  for (const [name, { entryPoint }] of Object.entries(outputs)) {
    if (!entryPoint || first.has(name)) continue;
    const more = [...atOnce(name)].filter((n) => !first.has(n));
    console.log(`  and for ${entryPoint}: ${gzipped(more)}`);
  }
}
