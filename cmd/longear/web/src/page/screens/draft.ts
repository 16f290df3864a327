// The message that a sketch makes.

import type { Draft } from "../core.ts";
import { bytesOf } from "./clean.ts";
import { type Sketch, blank } from "./sketch.ts";
import type { Key } from "./words.ts";

/** The longest text, in bytes: a photo's caption has no more, and what is longer is hardly read on a phone. */
export const mostBytes = 4096;
/** The longest option of a poll, in bytes. */
export const optionBytes = 200;

/** The options of a poll that say something. */
export function filled(options: readonly string[]): string[] {
  return options.map((option) => option.trim()).filter((option) => option !== "");
}

/** The message that a sketch makes, an answer to parent if that is not "", or the key of what is still wrong with it. */
export function draftOf(sketch: Sketch, channel: string, parent: string, file: Blob | undefined): Draft | Key {
  const text = sketch.text.trim();
  if (bytesOf(text) > mostBytes) return "too_long";
  if (file !== undefined) return { kind: "photo", channel, text, file };
  if (text === "") return "empty_text";
  if (sketch.kind === "petition") return { kind: "petition", channel, text };
  if (sketch.kind === "poll") {
    const options = filled(sketch.options);
    if (options.length < 2 || new Set(options).size < options.length) return "poll_hint";
    if (options.some((option) => bytesOf(option) > optionBytes)) return "too_long";
    return { kind: "poll", channel, text, options, most: Math.min(sketch.most, options.length) };
  }
  return { kind: "post", channel, text, alert: sketch.alert, ...(parent === "" ? {} : { parent }) };
}

/** What is left to write when a sketch was sent: of what was typed meanwhile nothing is lost. */
export function without(now: Sketch, sent: Sketch): Sketch {
  if (now.text === sent.text) return blank;
  const text = now.text.startsWith(sent.text) ? now.text.slice(sent.text.length).trimStart() : now.text;
  return { ...blank, to: now.to, text };
}
