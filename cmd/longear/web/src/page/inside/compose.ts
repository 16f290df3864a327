// Messages of this phone's person, signed. Bodies are SPEC.md's; what cannot be written is said in words of the catalogue.

import { fromBase32 } from "../../protocol/frombase32.ts";
import { type Tag, utf8 } from "../../protocol/bytes.ts";
import { encodeAnswer, encodeManifest, encodePoll } from "../../protocol/encode.ts";
import { maxBody, maxLifetime } from "../../protocol/limits.ts";
import { classes, kinds } from "../../protocol/message.ts";
import { idOf } from "../../protocol/id.ts";
import { type Draft as Unsigned, write } from "../../protocol/write.ts";
import { type Answer, Failure } from "../core.ts";
import { readName } from "./profile.ts";

/** A photo as it is to be sent: drawn anew, so that nothing is in it but the picture. */
export interface Drawn {
  readonly bytes: Uint8Array;
  readonly type: string;
  readonly width: number;
  readonly height: number;
  readonly preview: Uint8Array;
}

/** What is to be written, without the channel's name. */
export type Text =
  | { readonly kind: "post"; readonly text: string; readonly alert: boolean; readonly parent?: string }
  | { readonly kind: "petition"; readonly text: string }
  | { readonly kind: "poll"; readonly text: string; readonly options: readonly string[]; readonly most: number }
  | { readonly kind: "photo"; readonly text: string; readonly drawn: Drawn };

/** Who writes, where and when. */
export interface Pen {
  readonly seed: Uint8Array;
  readonly tag: Tag;
  readonly lifetime: number; // s; 0 the default
  readonly created: () => number; // later each time, so that of two answers the second counts
}

/** A message; of a photo first its parts, then what they are parts of. */
export function compose(pen: Pen, t: Text): Uint8Array[] {
  if (t.kind === "photo") return photo(pen, t);
  if (t.text.trim() === "") throw new Failure("empty_text");
  const body = t.kind === "poll" ? pollBody(t) : utf8(t.text);
  const parents = t.kind === "post" && t.parent ? [idFrom(t.parent)] : [];
  return [sign(pen, { kind: kinds[t.kind], class: t.kind === "post" && t.alert ? classes.alert : classes.text, parents, body })];
}

/** An answer to a message. */
export function composeAnswer(pen: Pen, target: string, answer: Answer): Uint8Array {
  return sign(pen, { kind: kinds.response, parents: [idFrom(target)], body: possible(() => encodeAnswer(answer)) });
}

/** What an author calls itself. */
export function composeProfile(pen: Pen, name: string): Uint8Array {
  const body = utf8(name);
  if (readName(body) !== name) throw new Failure("bad_name");
  return sign(pen, { kind: kinds.profile, body });
}

function pollBody(t: Text & { readonly kind: "poll" }): Uint8Array {
  return possible(() => encodePoll({ question: t.text, options: t.options, most: t.most }));
}

function photo(pen: Pen, t: Text & { readonly kind: "photo" }): Uint8Array[] {
  const { bytes, type, width, height, preview } = t.drawn;
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += maxBody) {
    parts.push(sign(pen, { kind: kinds.chunk, class: classes.media, body: bytes.slice(at, at + maxBody) }));
  }
  const chunks = parts.map(idOf);
  const body = possible(() => encodeManifest({ size: bytes.length, chunks, type, name: "", width, height, preview, caption: t.text }));
  return [...parts, sign(pen, { kind: kinds.manifest, body })];
}

function sign(pen: Pen, d: Omit<Unsigned, "channel">): Uint8Array {
  if ((d.body?.length ?? 0) > maxBody) throw new Failure("too_long");
  const lifetime = Math.min(Math.max(0, Math.floor(pen.lifetime)), maxLifetime);
  return write({ ...d, channel: pen.tag, lifetime, created: pen.created() }, pen.seed);
}

function idFrom(text: string): Uint8Array {
  const id = fromBase32(text, 32);
  if (!id) throw new Failure("failed");
  return id;
}

/** What the format does not allow is for the person to change. */
function possible(encode: () => Uint8Array): Uint8Array {
  try {
    return encode();
  } catch (e) {
    if (e instanceof RangeError) throw new Failure("bad_draft");
    throw e;
  }
}
