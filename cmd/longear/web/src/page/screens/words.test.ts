// Every language says everything, in every form that its numbers need, and nothing is said that no catalogue holds.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { type Counted, type Key, type Language, type Texts, fetchWords, hubWords, languageOf, languages, wordsOf } from "./words.ts";

const codes = Object.keys(languages) as Language[];
const texts = Object.fromEntries(codes.map((code) => [code, JSON.parse(readFileSync(`lang/${code}.json`, "utf8")) as Texts])) as Record<Language, Texts>;
const baseOf = (key: string): string => key.split(".")[0]!;
const placeholders = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort();

/** Files with some end beneath a folder. */
function sources(folder: string, ...ends: string[]): [string, string][] {
  return (readdirSync(folder, { recursive: true }) as string[])
    .filter((name) => ends.some((end) => name.endsWith(end)) && !/[._]test\./.test(name))
    .map((name) => [name, readFileSync(`${folder}/${name}`, "utf8")]);
}

test("every language has every key", () => {
  const catalogues = readdirSync("lang").filter((name) => name.endsWith(".json")); // beside them lie those of the page for operators
  assert.deepEqual(catalogues.sort(), codes.map((code) => `${code}.json`).sort());
  const want = [...new Set(Object.keys(texts.en).map(baseOf))].sort();
  for (const code of codes) assert.deepEqual([...new Set(Object.keys(texts[code]).map(baseOf))].sort(), want, code);
});

test("every language has every plural form of its numbers, and no other", () => {
  const counted = Object.keys(texts.en).filter((key) => key.endsWith(".other")).map(baseOf);
  assert.ok(counted.length >= 7);
  for (const code of codes) {
    const forms = new Intl.PluralRules(code).resolvedOptions().pluralCategories.slice().sort();
    for (const base of counted) {
      const got = Object.keys(texts[code]).filter((key) => key.startsWith(`${base}.`)).map((key) => key.split(".")[1]!).sort();
      assert.deepEqual(got, forms, `${code} ${base}`);
    }
    for (const key of Object.keys(texts[code])) assert.ok(!key.includes(".") || counted.includes(baseOf(key)), `${code} ${key}`);
  }
});

test("every text has the placeholders of the English one", () => {
  for (const code of codes) {
    for (const [key, text] of Object.entries(texts[code])) {
      assert.notEqual(text.trim(), "", `${code} ${key}`);
      const want = placeholders(texts.en[key] ?? texts.en[`${baseOf(key)}.other`] ?? "");
      // "one phone" and "two phones" may say the number as a word; so may English with one.
      if (/\.(zero|one|two)$/.test(key)) assert.ok(placeholders(text).every((p) => placeholders(texts.en[`${baseOf(key)}.other`] ?? "").includes(p)), `${code} ${key}`);
      else assert.deepEqual(placeholders(text), want, `${code} ${key}`);
    }
  }
});

test("no text is still English, and none is used by nobody", () => {
  for (const code of codes.filter((c) => c !== "en")) {
    for (const [key, text] of Object.entries(texts[code])) assert.ok(text.length < 12 || text !== texts.en[key], `${code} ${key}: ${text}`);
  }
  const all = [...sources("src/page", ".ts", ".tsx"), ...sources("../../../node/api/guest", ".go")].map(([, text]) => text).join("\n");
  for (const key of new Set(Object.keys(texts.en).map(baseOf))) assert.ok(all.includes(`"${key}"`), `nobody says ${key}`);
});

test("screens say nothing that no catalogue holds", () => {
  for (const [name, text] of sources("src/page", ".tsx")) {
    const code = text.replace(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*$/gm, "");
    // What stands between two tags, and what an attribute that people read is set to.
    const between = [...code.matchAll(/(?<!=)>\s*([^<>{}();=]*\p{L}[^<>{}();=]*?)\s*<\/?[\w>]/gu)].map((m) => m[1]!);
    const read = [...code.matchAll(/(?:aria-label|alt|title|placeholder|label)="([^"]*\p{L}[^"]*)"/gu)].map((m) => m[1]!);
    const own = ["longear"]; // the program's name
    const keys = Object.keys(texts.en).map(baseOf); // a property of ours may be a key
    assert.deepEqual([...between, ...read].filter((said) => !own.includes(said) && !keys.includes(said)), [], name);
  }
});

test("what is drawn first says only words that come with it", async () => {
  const build = pathToFileURL("words.mjs").href;
  const { firstSources } = (await import(build)) as { firstSources: () => string[] };
  const said = new Set<string>();
  for (const name of firstSources()) {
    const text = readFileSync(name, "utf8");
    for (const [, arg = ""] of text.matchAll(/\b(?:say|count)\(([^(){}]*)/g)) for (const [, key = ""] of arg.matchAll(/"(\w+)"/g)) said.add(key);
    for (const [, label = ""] of text.matchAll(/ label="(\w+)"/g)) said.add(label);
  }
  said.delete("forgotten"); // by a screen that is not drawn without all words
  assert.ok(said.size > 40, String([...said]));
  for (const code of codes.filter((c) => c !== "en")) {
    const words = await fetchWords(code);
    assert.equal(words.whole, false);
    for (const key of said) assert.ok(words.say(key as Key) !== key || words.count(key as Counted, 1) !== `${key}.other`, `${code} ${key}`);
    const whole = await words.fill();
    assert.ok(whole.whole && whole.say("refused_why") !== "refused_why", code);
  }
});

test("the hub's words are known", () => {
  for (const word of hubWords) assert.notEqual(texts.en[word], undefined, word);
});

test("numbers choose forms", () => {
  const say = (code: Language, n: number): string => wordsOf(code, texts[code]).count("phones", n).replace(/[\u2068\u2069]/g, "");
  assert.deepEqual([1, 2, 5, 11, 21, 22].map((n) => say("ru", n)), ["1 телефон", "2 телефона", "5 телефонов", "11 телефонов", "21 телефон", "22 телефона"]);
  assert.deepEqual([0, 1, 2].map((n) => say("ar", n)), ["لا هواتف", "هاتف واحد", "هاتفان"]);
  assert.deepEqual([1, 2].map((n) => say("en", n)), ["1 phone", "2 phones"]);
  assert.equal(say("kk", 1234), "1\u00a0234 телефон");
});

test("ages", () => {
  const en = wordsOf("en", texts.en);
  const said = [-5000, 0, 9_000, 20_000, 61_000, 3_600_000, 90_000_000].map(en.ago);
  assert.deepEqual(said, ["now", "now", "now", "20 sec. ago", "1 min. ago", "1 hr. ago", "1 day ago"]);
  for (const code of codes) {
    const words = wordsOf(code, texts[code]);
    for (const ms of [0, 20_000, 120_000, 7_200_000, 200_000_000]) assert.doesNotMatch(words.ago(ms), /^-|\{/, code);
  }
  assert.equal(en.span(7_300_000), "2 h");
});

test("what is filled in stays apart, and is not filled again", () => {
  const words = wordsOf("en", texts.en);
  assert.equal(words.say("answers", { name: "{name} \u0627" }), "In reply to \u2068{name} \u0627\u2069");
  assert.equal(words.word("__proto__"), words.say("wrong"));
  assert.equal(words.word("full"), "the hub is full");
});

test("a browser's languages", () => {
  assert.deepEqual(["ru-KZ", "KK", "zh-Hans-CN", "de", "", "constructor"].map(languageOf), ["ru", "kk", "zh", undefined, undefined, undefined]);
});
