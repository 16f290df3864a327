// A small picture of a key: half of five by five squares, mirrored, each empty, full or a dot, so that it can be told apart
// without colour too. It helps the eye to notice another key. It proves nothing: who tries a few million keys finds one that looks
// the same, which is why the key's beginning always stands beside it.

import type { VNode } from "preact";

/** What is drawn of a key. */
export interface Picture {
  readonly squares: string; // paths of SVG
  readonly dots: string;
  readonly hue: number; // degrees
}

const side = 5;
const half = 3; // columns, the middle one among them

/** The picture of a key. The same key has the same picture everywhere and for ever. */
export function picture(author: string): Picture {
  const next = numbers(author);
  const hue = Math.floor(next() * 24) * 15;
  let squares = "";
  let dots = "";
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < half; x++) {
      const what = Math.floor(next() * 5);
      if (what < 2) continue;
      for (const at of x === side - 1 - x ? [x] : [x, side - 1 - x]) {
        if (what < 4) squares += `M${at} ${y}h1v1h-1z`;
        else dots += `M${at + 0.2} ${y + 0.5}a.3 .3 0 1 0 .6 0a.3 .3 0 1 0-.6 0z`;
      }
    }
  }
  return { squares, dots, hue };
}

/** Numbers from 0 to 1 that a text decides: FNV-1a to begin with, then xorshift. */
function numbers(text: string): () => number {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  state = state || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 0x1_0000_0000;
  };
}

/** How much of a key is shown beside a name. */
export const shownOfKey = 8;

/** A key as a picture. What it says to those who do not see it is the key's beginning beside it. */
export function Glyph({ author, large = false }: { readonly author: string; readonly large?: boolean }): VNode {
  const { squares, dots, hue } = picture(author);
  return (
    <svg class={large ? "g big" : "g"} viewBox="-.5 -.5 6 6" aria-hidden="true" style={{ "--h": String(hue) }}>
      <path d={squares + dots} />
    </svg>
  );
}
