// An entry and what it imports at once, as one file. esbuild leaves what an entry shares with parts that are fetched later in files of their
// own; each would be a request more before anything is seen, and packed alone.

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { build } from "esbuild";
import { byContent } from "./names.mjs";

/** A file and what it imports. */
export function atOnce(outputs, name, seen = new Set()) {
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const i of outputs[name].imports) if (i.kind === "import-statement") atOnce(outputs, i.path, seen);
  return seen;
}

/** The alias of an export of a part that is merged. */
const alias = (part, name) => `$${part}${name}`;

/**
 * Merges the parts of an entry, where they were built. What is fetched later takes from the one file what it took from the parts. Returns the
 * files there are now, with their imports, and which of them is the entry's.
 */
export async function merge(outputs, main, options) {
  const parts = [...atOnce(outputs, main)];
  const later = Object.keys(outputs).filter((name) => name.endsWith(".js") && !parts.includes(name));
  const texts = new Map();
  for (const name of later) {
    const text = readFileSync(name, "utf8");
    texts.set(name, await again(name, text, fromOne(parts, text), options));
  }
  const rest = [...texts.values()].join("\n");
  const exported = parts.map((name, part) => {
    const inRest = new Set(rest.match(/\$\d[\w$]+/g));
    const taken = outputs[name].exports.filter((e) => inRest.has(alias(part, e))).map((e) => `${e} as ${alias(part, e)}`);
    return `export { ${name === main ? [...outputs[name].exports, ...taken] : taken} } from "./${basename(name)}";`;
  });
  texts.set(main, await again(main, exported.join("\n"), only(parts), options));
  for (const name of parts) rmSync(name);
  return named(outputs, main, plain(main, texts));
}

/** Has what is taken from the one file go by its own short name there: the aliases kept the parts' names apart until they were in one file. */
function plain(main, texts) {
  const own = new Map([...texts.get(main).matchAll(/([\w$]+) as (\$\d[\w$]+)/g)].map(([, name, as]) => [as, name]));
  const out = new Map();
  for (const [name, text] of texts) {
    if (name === main) out.set(name, text.replace(/([\w$]+) as \$\d[\w$]+/g, "$1"));
    else out.set(name, text.replace(/(\$\d[\w$]+)(?= as )/g, (as) => own.get(as) ?? as));
  }
  return out;
}

/** Bundles a text once more, as if it were a file that was built. */
async function again(name, contents, plugin, { minify, target, supported, charset, legalComments }) {
  const stdin = { contents, resolveDir: dirname(name), sourcefile: `again/${basename(name)}` };
  const made = await build({ stdin, bundle: true, write: false, format: "esm", minify, target, supported, charset, legalComments, logLevel: "error", plugins: [plugin] });
  return made.outputFiles[0].text;
}

/** Takes in the parts, and nothing else. */
function only(parts) {
  const isPart = (path) => parts.some((name) => basename(name) === basename(path));
  return {
    name: "only",
    setup: ({ onResolve }) => onResolve({ filter: /.*/ }, ({ path, kind }) => (kind !== "dynamic-import" && isPart(path) ? undefined : { path, external: true })),
  };
}

/** The names that a built text imports from a file. */
function namesFrom(text, name) {
  const statements = [...text.matchAll(/\bimport\s*\{([^}]*)\}\s*from\s*"\.\/([^"]+)"/g)].filter(([, , from]) => from === basename(name));
  return new Set(statements.flatMap(([, names]) => names.split(",").map((one) => one.trim().split(" as ")[0])));
}

/** Has a text take from the one file what it took from its parts; no more, for what is named there is kept. */
function fromOne(parts, text) {
  const [main] = parts;
  return {
    name: "from one",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /.*/ }, ({ path, kind, namespace }) => {
        const part = parts.findIndex((name) => basename(name) === basename(path));
        return kind === "dynamic-import" || part < 0 || namespace === "part" ? { path, external: true } : { path: String(part), namespace: "part", sideEffects: false };
      });
      onLoad({ filter: /.*/, namespace: "part" }, ({ path: part }) => {
        const names = [...namesFrom(text, parts[part])].map((e) => `${alias(part, e)} as ${e}`);
        return { contents: `export { ${names} } from "./${basename(main)}";` };
      });
    },
  };
}

/** Writes files. */
function named(outputs, main, texts) {
  const final = new Map([...texts].map(([name, text]) => [basename(name), text.replace(/\bimport\(("\.\/[\w-]+\.js")\)/g, 'import($1+(self.again||""))')])); // src/page/again.ts
  const now = byContent(final);
  const path = (name) => join(dirname(name), now.get(basename(name)).name);
  const files = {};
  for (const name of Object.keys(outputs)) if (!name.endsWith(".js")) files[name] = { ...outputs[name], imports: [] };
  for (const [name, text] of texts) {
    const others = [...texts.keys()].filter((other) => other !== name && text.includes(`"./${basename(other)}"`));
    const imports = others.map((other) => ({ path: path(other), kind: text.includes(`import("./${basename(other)}")`) ? "dynamic-import" : "import-statement" }));
    files[path(name)] = { ...outputs[name], imports };
    rmSync(name, { force: true });
  }
  for (const name of texts.keys()) writeFileSync(path(name), now.get(basename(name)).text);
  return { outputs: files, main: path(main) };
}
