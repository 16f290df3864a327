// The language that a reader chose, kept where the browser lets it.

import { type Language, languageOf } from "./words.ts";

const place = "longear.language";

/** The language to begin with: the one that was chosen on this phone, else the one that the hub chose by the browser's own. */
export function firstLanguage(): Language {
  let chosen: string | null = null;
  try {
    chosen = localStorage.getItem(place);
  } catch {
    // A private tab: then it is as on the first visit.
  }
  const tags = [new URLSearchParams(location.search).get("lang") ?? "", chosen ?? "", document.documentElement.lang, ...navigator.languages];
  return tags.map(languageOf).find((code) => code !== undefined) ?? "en";
}

/** Keeps a choice; undefined forgets it. */
export function keepLanguage(code: Language | undefined): void {
  try {
    if (code === undefined) localStorage.removeItem(place);
    else localStorage.setItem(place, code);
  } catch {
    // As above.
  }
}
