// Texts of strangers, made harmless to show. They only ever become text nodes; here goes what could reorder, hide or flood what
// stands around them.

/** Control characters but line ends, and what overrides or isolates direction: the elements around a text do that. */
const harmful = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e0fff}]/gu;
/** What is drawn as nothing. In a text it joins letters and emoji; a name must not differ from another by it. */
const unseen = /[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u2065\u206a-\u206f\u3164\uffa0\ufe00-\ufe0f]/g;
/** A pile of marks on one letter, which would reach over its neighbours. */
const piled = /(\p{M}{4})\p{M}+/gu;

/** How many characters of a name are shown. */
const longestName = 32;

/** A message's text. */
export function cleanText(text: string): string {
  return text
    .replace(/\r\n?|[\u2028\u2029]/g, "\n")
    .replace(harmful, "")
    .replace(piled, "$1")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}

/** Something that stands on one line, such as a channel's name or an option. */
export function cleanLine(text: string): string {
  return cleanText(text).replace(/\s+/g, " ");
}

/** What an author calls itself, short, without what cannot be seen; "" if nothing is left. */
export function cleanName(name: string): string {
  const seen = Array.from(cleanLine(name).replace(unseen, "").trim());
  return seen.length > longestName ? seen.slice(0, longestName).join("") + "…" : seen.join("");
}

/** Two names with the same likeness look the same at a glance. */
export function likeness(name: string): string {
  return cleanName(name).normalize("NFKD").replace(/[\p{M}\s\p{P}]/gu, "").toLowerCase();
}

/** A text within a sentence, so that its direction stays its own. */
export function isolated(text: string): string {
  return `\u2068${text}\u2069`;
}

/** The bytes that a text takes. */
export function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** The beginning of a text: at most so many characters and lines. */
export function beginning(text: string, characters: number, lines: number): string {
  const some = text.split("\n", lines).join("\n");
  return Array.from(some.slice(0, characters * 2)).slice(0, characters).join("");
}
