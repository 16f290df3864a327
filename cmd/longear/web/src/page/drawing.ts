// Photos as they are sent: drawn anew on a canvas, so that nothing is left but the picture (no place, no camera, no time), and small enough
// for a crowd's radio.

import { Failure } from "./core.ts";
import type { Drawn } from "./inside/compose.ts";
import { pictureType } from "./inside/picture.ts";

/** The longer side, in pixels, and the most bytes. */
const side = 1280;
const mostBytes = 256 << 10;
/** Of the tiny picture that comes with the message. */
const previewSide = 64;
const previewBytes = 2048;
/** The qualities that are tried. */
const qualities = [0.82, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1];

/** Draws a picture that somebody chose. */
export async function draw(file: Blob): Promise<Drawn> {
  const head = new Uint8Array(await file.slice(0, 16).arrayBuffer());
  // What is not one of these might still be drawn by some browser (an SVG runs as a document); it is not a photo.
  if (!pictureType(head)) throw new Failure("bad_photo");
  const url = URL.createObjectURL(file);
  try {
    const image = await load(url);
    const full = await shrink(image, side, mostBytes);
    const tiny = await shrink(image, previewSide, previewBytes);
    if (!full) throw new Failure("bad_photo");
    return { ...full, type: "image/jpeg", preview: tiny?.bytes ?? new Uint8Array(0) };
  } finally {
    URL.revokeObjectURL(url);
  }
}

async function load(url: string): Promise<HTMLImageElement> {
  const image = new Image();
  image.src = url;
  await image.decode().catch(() => {
    throw new Failure("bad_photo");
  });
  return image;
}

/** A JPEG of at most so many pixels a side and so many bytes; smaller than asked for rather than ugly beyond that. */
async function shrink(image: HTMLImageElement, longest: number, most: number): Promise<Pick<Drawn, "bytes" | "width" | "height"> | undefined> {
  const { naturalWidth: w, naturalHeight: h } = image;
  if (w < 1 || h < 1) return undefined;
  for (let at = longest; at >= longest / 4; at /= 2) {
    const scale = Math.min(1, at / Math.max(w, h));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(w * scale));
    canvas.height = Math.max(1, Math.round(h * scale));
    const pen = canvas.getContext("2d");
    if (!pen) return undefined;
    pen.fillStyle = "#fff"; // JPEG has nothing to see through
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(image, 0, 0, canvas.width, canvas.height);
    for (const quality of qualities) {
      const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/jpeg", quality));
      if (blob && blob.size <= most) return { bytes: new Uint8Array(await blob.arrayBuffer()), width: canvas.width, height: canvas.height };
    }
  }
  return undefined;
}
