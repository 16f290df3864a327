// The words of the page in the reader's language. Each language is a file of its own: the page loads one.

import type en from "../../lang/operator/en.json";

/** What the page can say: the keys of a catalogue. */
export type Word = keyof typeof en;
type Catalogue = Readonly<Record<Word, string>>;

const catalogues: Readonly<Record<string, () => Promise<{ default: Catalogue }>>> = {
  ar: () => import("../../lang/operator/ar.json"),
  en: () => import("../../lang/operator/en.json"),
  fa: () => import("../../lang/operator/fa.json"),
  kk: () => import("../../lang/operator/kk.json"),
  ru: () => import("../../lang/operator/ru.json"),
  zh: () => import("../../lang/operator/zh.json"),
};

/** The languages, each by its own name. */
export const languages: readonly (readonly [code: string, name: string])[] = [
  ["ar", "العربية"],
  ["en", "English"],
  ["fa", "فارسی"],
  ["kk", "Қазақша"],
  ["ru", "Русский"],
  ["zh", "中文"],
];

const has = (o: object, key: string): boolean => Object.prototype.hasOwnProperty.call(o, key);

const chosen = "longear-language";
let words: Catalogue;
let code = "en";

/** Loads the language that was chosen here before, or the first of the browser's that there is. */
export async function loadWords(): Promise<void> {
  const wanted = [localStorage.getItem(chosen) ?? "", ...navigator.languages.map((l) => l.slice(0, 2).toLowerCase())];
  code = wanted.find((c) => has(catalogues, c)) ?? "en";
  words = (await catalogues[code]!()).default;
  document.documentElement.lang = code;
  document.documentElement.dir = words.dir;
}

/** Takes another language, here and the next time. */
export async function chooseLanguage(c: string): Promise<void> {
  localStorage.setItem(chosen, c);
  await loadWords();
}

/** The code of the language that is shown. */
export const language = (): string => code;

/** The text for a word, with what stands in braces filled in. */
export function say(word: Word, fill: Readonly<Record<string, string | number>> = {}): string {
  return words[word].replace(/\{(\w+)\}/g, (whole, name: string) => {
    const v = fill[name];
    return v === undefined ? whole : typeof v === "number" ? count(v) : v;
  });
}

/** The text for a word that is put together at run time, or what stands in for it. */
export function sayOr(word: string, otherwise: string): string {
  return has(words, word) ? words[word as Word] : otherwise;
}

// Digits are those of the command line in every language, so that two people can compare numbers.
const format = (options: Intl.NumberFormatOptions) => new Intl.NumberFormat(`${code}-u-nu-latn`, options);

/** A number. */
export const count = (n: number): string => format({}).format(n);

const unit = (n: number, name: string, digits = 0): string =>
  format({ style: "unit", unit: name, unitDisplay: "short", maximumFractionDigits: digits }).format(n);

/** A number of bytes, in the unit that suits it. */
export function bytes(n: number): string {
  const names = ["kilobyte", "megabyte", "gigabyte"];
  let i = 0;
  for (n /= 1000; n >= 1000 && i < names.length - 1; i++) n /= 1000;
  return unit(n, names[i]!, n < 10 ? 1 : 0);
}

/** A span as people say it, in its largest unit. */
export function span(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return say("seconds", { n: s });
  if (s < 3600) return say("minutes", { n: Math.floor(s / 60) });
  if (s < 48 * 3600) return say("hours", { n: Math.floor(s / 3600) });
  return say("days", { n: Math.floor(s / 86400) });
}

/** How long ago a time was. */
export const ago = (iso: string, now: number): string => say("ago", { age: span((now - Date.parse(iso)) / 1000) });

/** The time of day of a time. */
export const clock = (iso: string): string =>
  new Intl.DateTimeFormat(`${code}-u-nu-latn`, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }).format(new Date(iso));

/** The day and the minute of a time. */
export const day = (iso: string): string =>
  new Intl.DateTimeFormat(`${code}-u-nu-latn`, { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" }).format(new Date(iso));

/** Somebody's text without what could reorder or hide the text around it. */
export const plain = (s: string): string => s.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u2028-\u202e\u2060-\u206f\ufeff]/g, "");

/** The end of a peer's identity: the beginning is the same for all. */
export const short = (peer: string): string => peer.slice(-8);
