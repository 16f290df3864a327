// Manifests, SPEC.md section 3: what a photo or file consists of. Everything in one is its author's claim.

import { type ID, fromUTF8, utf8 } from "./bytes.ts";
import { maxBody } from "./limits.ts";
import { type Cursor, readUvarint, take } from "./uvarint.ts";

/** The body of a manifest. */
export interface Manifest {
  /** How many bytes the chunks' bodies have together. */
  readonly size: number;
  /** IDs of the chunks whose bodies, in this order, are the data. One may stand here twice. */
  readonly chunks: readonly Uint8Array[];
  /** A media type without parameters; "" is unknown. Never to be put into markup or believed. */
  readonly type: string;
  /** The file's name without a folder; "" is none. */
  readonly name: string;
  /** In pixels; 0 is unknown. */
  readonly width: number;
  readonly height: number;
  /** A tiny JPEG, PNG or WebP; empty is none. */
  readonly preview: Uint8Array;
  readonly caption: string;
}

/** What is beyond these is malformed, but for `manifest`, which binds writers alone. */
export const fileLimits = {
  size: 4_194_304,
  chunks: 256,
  type: 64,
  name: 128,
  side: 65_535,
  preview: 2048,
  caption: 4096,
  manifest: 12_000,
} as const;

/** Reads the body of a manifest, opened if it was sealed. Undefined if it is malformed. */
export function decodeManifest(body: Uint8Array): Manifest | undefined {
  const c: Cursor = { bytes: body, at: 0 };
  const size = readUvarint(c);
  const n = readUvarint(c);
  if (size === undefined || n === undefined || n > fileLimits.chunks) return undefined;
  const ids = take(c, 32 * n);
  const type = readText(c, fileLimits.type);
  const name = readText(c, fileLimits.name);
  const width = readUvarint(c);
  const height = readUvarint(c);
  const preview = readPart(c, fileLimits.preview);
  const caption = fromUTF8(body.subarray(c.at));
  if (!ids || type === undefined || name === undefined || caption === undefined) return undefined;
  if (width === undefined || height === undefined || !preview) return undefined;
  const chunks: ID[] = Array.from({ length: n }, (_, i) => ids.slice(32 * i, 32 * i + 32) as Uint8Array as ID);
  const m = { size, chunks, type, name, width, height, preview, caption };
  return isManifest(m) ? m : undefined;
}

/** A length and so many bytes. */
function readPart(c: Cursor, most: number): Uint8Array | undefined {
  const length = readUvarint(c);
  return length === undefined || length > most ? undefined : take(c, length);
}

function readText(c: Cursor, most: number): string | undefined {
  const bytes = readPart(c, most);
  return bytes && fromUTF8(bytes);
}

/** What writers and readers hold a manifest to. Half a surrogate pair is no text: UTF-8 has no bytes for it. */
export function isManifest(m: Manifest): boolean {
  const n = m.chunks.length;
  const within = (value: number, least: number, most: number): boolean =>
    Number.isInteger(value) && value >= least && value <= most;
  return (
    within(m.size, 1, fileLimits.size) &&
    within(n, 1, fileLimits.chunks) &&
    within(m.size, n, n * maxBody) && // every chunk has a byte or more, and at most a body
    within(m.width, 0, fileLimits.side) &&
    within(m.height, 0, fileLimits.side) &&
    m.type.length <= fileLimits.type &&
    /^[!-~]*$/.test(m.type) &&
    isText(m.name, fileLimits.name) &&
    !/[/\u0000-\u001f\u007f-\u009f]/.test(m.name) &&
    m.preview.length <= fileLimits.preview &&
    isText(m.caption, fileLimits.caption)
  );
}

function isText(text: string, most: number): boolean {
  const bytes = utf8(text);
  return bytes.length <= most && fromUTF8(bytes) === text;
}
