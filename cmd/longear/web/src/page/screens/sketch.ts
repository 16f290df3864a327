// What somebody is writing. It outlives a reload, where the browser lets it.

/** An unfinished message. A photo is not kept: no browser lets a page have a chosen file again. */
export interface Sketch {
  readonly kind: "post" | "petition" | "poll";
  readonly text: string;
  readonly alert: boolean;
  readonly to: string; // a channel's name; "" the one that is shown
  readonly parent: string; // the ID of what it answers; ""
  readonly options: readonly string[];
  readonly most: number;
}

/** Nothing written yet. */
export const blank: Sketch = { kind: "post", text: "", alert: false, to: "", parent: "", options: ["", ""], most: 1 };

/** The most options of a poll. */
export const mostOptions = 16;

const place = "longear.sketch";

/** What was being written when the page was left. Whatever stands in the storage, it comes out well-formed. */
export function readSketch(): Sketch {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(place) ?? "null");
    return typeof kept === "object" && kept !== null ? wellFormed(kept as Record<string, unknown>) : blank;
  } catch {
    return blank;
  }
}

function wellFormed(kept: Record<string, unknown>): Sketch {
  const text = (value: unknown): string => (typeof value === "string" ? value : "");
  const options = Array.isArray(kept["options"]) ? kept["options"].slice(0, mostOptions).map(text) : [];
  while (options.length < 2) options.push("");
  const most = Number(kept["most"]);
  return {
    kind: kept["kind"] === "petition" || kept["kind"] === "poll" ? kept["kind"] : "post",
    text: text(kept["text"]),
    alert: kept["alert"] === true,
    to: text(kept["to"]),
    parent: text(kept["parent"]),
    options,
    most: Number.isInteger(most) && most >= 1 && most <= options.length ? most : 1,
  };
}

/** Keeps what is being written. */
export function keepSketch(sketch: Sketch): void {
  try {
    if (sketch === blank) sessionStorage.removeItem(place);
    else sessionStorage.setItem(place, JSON.stringify(sketch));
  } catch {
    // A private tab or a full phone: then a reload loses it.
  }
}

/** What was being written, with what was typed into the page without script after that: the newer first, as the plain message that it is. */
export function withTyped(kept: Sketch, typed: string): Sketch {
  // A browser that fills in what was typed before a reload brings nothing new.
  if (typed.trim() === "" || `${kept.text}\n\n`.startsWith(`${typed}\n\n`)) return kept;
  return { ...kept, kind: "post", alert: false, parent: "", text: kept.text === "" ? typed : `${typed}\n\n${kept.text}` };
}
