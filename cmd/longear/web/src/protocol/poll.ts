// Polls, SPEC.md section 17: the body of a message that asks a question.

import { fromUTF8 } from "./bytes.ts";
import { type Cursor, readUvarint, take } from "./uvarint.ts";

/** A question and what can be answered. */
export interface Poll {
  readonly question: string;
  readonly options: readonly string[];
  /** How many of them one may choose. */
  readonly most: number;
}

/** The fewest options: with one there is no choice. */
export const minOptions = 2;
/** The most options. */
export const maxOptions = 16;
/** The longest option, in bytes of UTF-8. */
export const maxOption = 200;

/** Reads the body of a poll, or undefined if it is malformed. */
export function decodePoll(body: Uint8Array): Poll | undefined {
  const c: Cursor = { bytes: body, at: 2 };
  const [most = 0, n = 0] = body;
  if (n < minOptions || n > maxOptions || most < 1 || most > n) return undefined;
  const options: string[] = [];
  for (let i = 0; i < n; i++) {
    const option = readOption(c);
    if (option === undefined) return undefined;
    options.push(option);
  }
  const question = fromUTF8(body.subarray(c.at));
  return question ? { question, options, most } : undefined;
}

function readOption(c: Cursor): string | undefined {
  const length = readUvarint(c);
  if (!length || length > maxOption) return undefined;
  const text = take(c, length);
  return text && fromUTF8(text);
}
