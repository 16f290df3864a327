// What an author answers to a message, SPEC.md section 17: the body of a response.

import { fromUTF8 } from "./bytes.ts";
import { maxOptions } from "./poll.ts";

/** What an author answers to a message. */
export type Answer =
  | { readonly kind: "withdraw" }
  | { readonly kind: "confirm" }
  | { readonly kind: "contradict" }
  | { readonly kind: "sign" }
  | { readonly kind: "vote"; readonly options: readonly number[] } // ascending, all different
  | { readonly kind: "react"; readonly text: string };

/** The longest text of a reaction, in bytes of UTF-8: one emoji of many parts, or a short word. */
export const maxReaction = 32;

/** By their first byte. */
export const answers = ["withdraw", "confirm", "contradict", "sign", "vote", "react"] as const;

/** Control characters and white space. Written out, as what \s means has changed and depends on the engine. */
const unfit = /[\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/** Reads the body of a response, or undefined if it is malformed. Whether the answer fits its target is another question. */
export function decodeAnswer(body: Uint8Array): Answer | undefined {
  const kind = answers[body[0] ?? answers.length];
  const rest = body.subarray(1);
  switch (kind) {
    case undefined:
      return undefined;
    case "vote":
      return isChoice(rest) ? { kind, options: Array.from(rest) } : undefined;
    case "react": {
      const text = rest.length > 0 && rest.length <= maxReaction ? fromUTF8(rest) : undefined;
      return text === undefined || unfit.test(text) ? undefined : { kind, text };
    }
    default:
      return rest.length === 0 ? { kind } : undefined;
  }
}

/** One option or more, ascending. */
function isChoice(options: Uint8Array): boolean {
  return options.length > 0 && options.every((x, i) => x < maxOptions && (i === 0 || x > (options[i - 1] ?? x)));
}
