// The page as a hub serves it, in built/page: files named by what is in them, so that a browser keeps them for good, and compressed once.
// page.json says what is loaded when.

import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { build } from "esbuild";
import { atOnce, merge } from "./merge.mjs";

const out = "built/page";

/** Builds the page from its entry, and prints what its parts weigh. */
export async function pack(options, entry) {
  mkdirSync(out, { recursive: true });
  for (const name of readdirSync(out)) if (name !== "README.txt") rmSync(`${out}/${name}`);
  const make = async (entryPoint, more) => {
    const { metafile } = await build({ ...options, ...more, entryPoints: [entryPoint], outdir: out, entryNames: "[name]-[hash]" });
    const main = Object.keys(metafile.outputs).find((name) => metafile.outputs[name].entryPoint === entryPoint);
    return merge(metafile.outputs, main, options);
  };
  // The inside first: the page has its name in it.
  const inside = await make("src/page/inside/worker.ts", { inject: ["src/protocol/older.ts"] });
  const page = await make(entry, { define: { insideFile: JSON.stringify(`./${basename(inside.main)}`) } });
  const outputs = { ...inside.outputs, ...page.outputs };
  const { gzipAsync } = await import("@gfx/zopfli"); // slower and smaller than gzip -9 by 3.5 %; not before: it would print itself with whatever goes wrong above
  const size = {};
  for (const name of Object.keys(outputs)) {
    const packed = await gzipAsync(readFileSync(name), { numiterations: 15 });
    writeFileSync(`${name}.gz`, packed);
    rmSync(name);
    size[name] = packed.length;
  }
  const sum = (names) => [...names].reduce((n, name) => n + size[name], 0);
  const scripts = atOnce(outputs, page.main);
  const worker = atOnce(outputs, inside.main);
  const styles = Object.keys(outputs).filter((name) => /\/style-\w+\.css$/.test(name));
  const catalogues = Object.keys(outputs).filter((name) => /(^|\/)lang\/\w+\.json$/.test(outputs[name].entryPoint ?? ""));
  catalogues.sort((a, b) => size[b] - size[a]);
  const files = (names) => [...names].map((name) => basename(name));
  const manifest = {
    main: basename(page.main),
    inside: basename(inside.main),
    first: { scripts: files(scripts), styles: files(styles), inside: files(worker), catalogue: files(catalogues.slice(0, 1)) },
  };
  writeFileSync(`${out}/page.json`, JSON.stringify(manifest, null, 1) + "\n");
  if (!existsSync(`${out}/README.txt`)) throw new Error(`${out}/README.txt is gone: restore it, the program is built around it`);
  const first = sum(scripts) + sum(styles) + sum(worker) + sum(catalogues.slice(0, 1));
  console.log(`bytes gzipped: scripts ${sum(scripts)}, style ${sum(styles)}, inside ${sum(worker)}, largest catalogue ${sum(catalogues.slice(0, 1))}: ${first} at first`);
  for (const [name, { entryPoint }] of Object.entries(outputs)) {
    if (!entryPoint || scripts.has(name) || worker.has(name) || catalogues.includes(name)) continue;
    const more = [...atOnce(outputs, name)].filter((n) => !scripts.has(n) && !worker.has(n));
    console.log(`  later, for ${entryPoint}: ${sum(more)}`);
  }
  console.log(`  all there is: ${sum(Object.keys(outputs))}`);
}
