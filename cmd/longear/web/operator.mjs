// The operator's page as a node serves it, in built/operator: files named by what is in them, but for index.html, and compressed once.

import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { atOnce } from "./merge.mjs";

const out = "built/operator";

/** The most that may be loaded before the page can be used, compressed: the guests' page has no more. */
const budget = 40_000;

/** Builds the page, and prints what its parts weigh. */
export async function packOperator(options) {
  mkdirSync(out, { recursive: true });
  if (!existsSync(`${out}/README.txt`)) throw new Error(`${out}/README.txt is gone: restore it, the program is built around it`);
  for (const name of readdirSync(out)) if (name !== "README.txt") rmSync(`${out}/${name}`);
  const entryPoints = ["src/operator/main.tsx", "src/operator/style.css"];
  const { metafile } = await build({ ...options, entryPoints, outdir: out, entryNames: "[name]-[hash]" });
  const [script, style] = entryPoints.map((entry) => Object.keys(metafile.outputs).find((name) => metafile.outputs[name].entryPoint === entry));
  const index = `${out}/index.html`;
  const html = readFileSync("src/operator/index.html", "utf8");
  writeFileSync(index, html.replace("STYLE", `/page/${basename(style)}`).replace("SCRIPT", `/page/${basename(script)}`));
  const size = {};
  for (const name of [...Object.keys(metafile.outputs), index]) {
    const packed = gzipSync(readFileSync(name), { level: 9 });
    writeFileSync(`${name}.gz`, packed);
    rmSync(name);
    size[name] = packed.length;
  }
  const sum = (names) => [...names].reduce((n, name) => n + size[name], 0);
  const scripts = atOnce(metafile.outputs, script);
  const catalogues = Object.keys(metafile.outputs).filter((name) => metafile.outputs[name].entryPoint?.startsWith("lang/operator/"));
  const largest = Math.max(...catalogues.map((name) => size[name]));
  const first = sum(scripts) + size[style] + size[index] + largest;
  console.log(`operator, bytes gzipped: scripts ${sum(scripts)}, style ${size[style]}, index ${size[index]}, largest catalogue ${largest}: ${first} at first`);
  if (first > budget) throw new Error(`the operator's page loads ${first} bytes at first, more than ${budget}`);
}
