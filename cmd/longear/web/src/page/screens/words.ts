// The words of one language: texts by their keys, plural forms, numbers, ages and sizes. The catalogues are lang/*.json, which the
// hub's page without script reads too; the build makes one part of each, of the keys that the page uses, and only the chosen one is
// fetched.

import { fetched } from "../again.ts";
import { isolated } from "./clean.ts";

type Catalogue = typeof import("../../../lang/en.json");
/** A key whose text is one. */
export type Key = Exclude<keyof Catalogue, `${string}.${string}`>;
/** A key with a text for each plural form of a language. */
export type Counted = keyof Catalogue extends infer K ? (K extends `${infer Base}.other` ? Base : never) : never;

/** The texts of a language as its file has them. */
export type Texts = Readonly<Record<string, string>>;

/** The hub's words for what it does not take: they come with its answers. Here they stand for the build, which keeps what is named. */
export const hubWords = ["known", "dead", "expired", "muted", "later", "full", "failed", "refused"] as const;

/** What is put into a text for its {placeholders}. */
export type Fill = Readonly<Record<string, string | number>>;

/** The languages and what they call themselves, so that a reader finds their own without reading another. */
export const languages = { ar: "العربية", en: "English", fa: "فارسی", kk: "Қазақша", ru: "Русский", zh: "中文" } as const;
/** The tag of a language. */
export type Language = keyof typeof languages;

type Load = () => Promise<{ readonly default: Texts; readonly later?: Load }>;

/** Of each language the texts of the first drawing; the build has them tell where the others are. To the compiler they are what is in the file. */
const first: Record<Language, () => Promise<unknown>> = {
  ar: () => import("../../../lang/ar.json"),
  en: () => import("../../../lang/en.json"),
  fa: () => import("../../../lang/fa.json"),
  kk: () => import("../../../lang/kk.json"),
  ru: () => import("../../../lang/ru.json"),
  zh: () => import("../../../lang/zh.json"),
};

/** Words in one language. */
export interface Words {
  readonly code: Language;
  readonly dir: "ltr" | "rtl";
  say(key: Key, fill?: Fill): string;
  /** The form that goes with a number, which is filled in as {n}. */
  count(key: Counted, n: number, fill?: Fill): string;
  /** What somebody else gave as a key: the hub's word, or a failure's. One that is not known is not shown. */
  word(key: string): string;
  number(n: number): string;
  /** How long ago, in ms. */
  ago(ms: number): string;
  /** How long, in ms. */
  span(ms: number): string;
  size(bytes: number): string;
  /** Fetches the texts that the first drawing does without; the words with them. */
  fill(): Promise<Words>;
  /** Whether they are there. */
  readonly whole: boolean;
}

/** The language for a tag such as zh-Hans, if there is one. */
export function languageOf(tag: string): Language | undefined {
  const primary = tag.toLowerCase().split("-")[0] ?? "";
  return Object.keys(languages).find((code): code is Language => code === primary);
}

/** Fetches what the first drawing needs of a language. It fails if the hub is out of reach. */
export async function fetchWords(code: Language): Promise<Words> {
  const texts = (await fetched(first[code])) as Awaited<ReturnType<Load>>;
  return wordsOf(code, texts.default, texts.later);
}

/** The words that a catalogue gives, and where the rest of it is. */
export function wordsOf(code: Language, texts: Texts, later?: Load): Words {
  // Chromium says that it knows Kazakh, and then counts and tells time as if it were no language at all; Russian numbers are
  // written the same way.
  const numbers = new Intl.NumberFormat(code === "kk" ? "ru" : code, { maximumFractionDigits: 1 });
  const plural = new Intl.PluralRules(code);
  const relative = relativeTimes(code);
  const fill = (text: string, values: Fill): string =>
    text.replace(/\{(\w+)\}/g, (whole, name: string) => {
      const value = values[name];
      if (value === undefined) return whole;
      return typeof value === "number" ? numbers.format(value) : isolated(value);
    });
  const say = (key: string, values: Fill = {}): string => fill(texts[key] ?? key, values);
  const span = (ms: number): string => {
    const [n, unit] = largest(ms);
    return say(unit, { n });
  };
  const words: Words = {
    code,
    dir: texts["dir"] === "rtl" ? "rtl" : "ltr",
    say,
    count: (key, n, values) => {
      const form = `${key}.${plural.select(n)}`;
      return say(form in texts ? form : `${key}.other`, { n, ...values });
    },
    word: (key) => (Object.prototype.hasOwnProperty.call(texts, key) ? say(key) : say("wrong")),
    number: (n) => numbers.format(n),
    ago: (ms) => {
      const [n, unit] = largest(ms);
      if (unit === "seconds" && n < 10) return say("now");
      return relative === undefined ? say("ago", { time: span(ms) }) : relative.format(-n, unit);
    },
    span,
    whole: later === undefined,
    fill: async () => (later ? wordsOf(code, { ...texts, ...(await fetched(later)).default }) : words),
    size: (bytes) => (bytes < 1_000_000 ? `${numbers.format(Math.max(1, Math.round(bytes / 1000)))} kB` : `${numbers.format(bytes / 1_000_000)} MB`),
  };
  return words;
}

/** The browser's words for relative times, unless it has none for this language and would say "-5 min". */
function relativeTimes(code: Language): Intl.RelativeTimeFormat | undefined {
  const format = new Intl.RelativeTimeFormat(code, { style: "short" });
  return format.format(-5, "minute").startsWith("-") ? undefined : format;
}

/** A time in its largest whole unit. */
function largest(ms: number): [number, "seconds" | "minutes" | "hours" | "days"] {
  const s = Math.max(0, ms) / 1000;
  if (s < 60) return [Math.floor(s), "seconds"];
  if (s < 3600) return [Math.floor(s / 60), "minutes"];
  return s < 86_400 ? [Math.floor(s / 3600), "hours"] : [Math.floor(s / 86_400), "days"];
}
