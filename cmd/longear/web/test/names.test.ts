// Browsers keep a file of the page for good by its name: whatever changes in one changes its name, and that of each that names it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

type Named = ReadonlyMap<string, { readonly name: string; readonly text: string }>;
const build = pathToFileURL("names.mjs").href; // what the build runs, as it stands there
const { byContent } = (await import(build)) as { byContent: (texts: ReadonlyMap<string, string>) => Named };

const files = { "main-AAAAAAAA.js": 'import("./part-BBBBBBBB.js");import("./words-CCCCCCCC.js")', "part-BBBBBBBB.js": 'import{a}from"./main-AAAAAAAA.js";a(1)', "words-CCCCCCCC.js": "export default 1" };
const named = (some: Partial<typeof files> = {}): string[] => {
  const all = byContent(new Map(Object.entries({ ...files, ...some })));
  return Object.keys(files).map((name) => all.get(name)?.name ?? "");
};

test("names follow what is in the files, and they name each other by them", () => {
  const all = byContent(new Map(Object.entries(files)));
  const [main, part, words] = named();
  for (const name of [main, part, words]) assert.match(name ?? "", /^[a-z]+-[0-9A-F]{8}\.js$/);
  assert.equal(all.get("main-AAAAAAAA.js")?.text, `import("./${part}");import("./${words}")`);
  assert.equal(all.get("part-BBBBBBBB.js")?.text, `import{a}from"./${main}";a(1)`);
  assert.deepEqual(named(), [main, part, words]);
});

test("a change is in the names of all that name what changed, and in no other", () => {
  const [main, part, words] = named();
  const other = named({ "part-BBBBBBBB.js": 'import{a}from"./main-AAAAAAAA.js";a(2)' });
  assert.ok(other[0] !== main && other[1] !== part && other[2] === words, String(other));
  const said = named({ "words-CCCCCCCC.js": "export default 2" });
  assert.ok(said[0] !== main && said[1] !== part && said[2] !== words, String(said));
});

test("the name that a file had before says nothing", () => {
  const texts = Object.entries(files).map(([name, text]): [string, string] => [name.replace("BBBBBBBB", "DDDDDDDD"), text.replace(/BBBBBBBB/g, "DDDDDDDD")]);
  const names = [...byContent(new Map(texts)).values()].map((f) => f.name);
  assert.deepEqual(names, named());
});
