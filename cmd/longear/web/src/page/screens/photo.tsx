// A photo or a file: its preview at once, the whole when somebody asks for it. What is no picture, or what no browser can draw, is
// only ever saved.

import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Photo as Facts, Post } from "../core.ts";
import { cleanLine } from "./clean.ts";
import { nameOf, useAround } from "./shared.tsx";

/** The types that browsers draw and that cannot hold a program. */
const pictures = new Set(["image/jpeg", "image/png", "image/webp"]);

/** An address for bytes that this page holds, as long as the component is there. */
function useAddress(blob: Blob | undefined): string | undefined {
  const [address, set] = useState<string | undefined>(undefined);
  useEffect(() => {
    if (blob === undefined) return undefined;
    const url = URL.createObjectURL(blob);
    set(url);
    return () => {
      URL.revokeObjectURL(url);
      set(undefined);
    };
  }, [blob]);
  return address;
}

/** The photo of a message. */
export function Photo({ post, photo }: { readonly post: Post; readonly photo: Facts }): VNode {
  const { core, words, failed } = useAround();
  const [preview] = useState(() => previewOf(photo.preview));
  const [whole, setWhole] = useState<Blob | undefined>(undefined);
  const [busy, setBusy] = useState(false);
  const [broken, setBroken] = useState(false);
  const small = useAddress(preview);
  const large = useAddress(whole !== undefined && pictures.has(whole.type) && !broken ? whole : undefined);
  // A type that the browser would run or open must never be at an address of this page.
  const file = useAddress(useSaved(whole));
  const load = (): void => {
    setBusy(true);
    core
      .photo(post.id)
      .then(setWhole, failed)
      .then(() => setBusy(false));
  };
  const source = large ?? small;
  const isPicture = pictures.has(photo.type);
  return (
    <div class="photo">
      {source !== undefined && (
        <img
          src={source}
          alt={words.say("picture", { name: nameOf(post) })}
          class={large === undefined ? "preview" : ""}
          {...(photo.width > 0 && photo.height > 0 ? { width: photo.width, height: photo.height } : {})}
          onError={() => large !== undefined && setBroken(true)}
        />
      )}
      {!isPicture && (
        <p class="m">
          <bdi dir="auto">{cleanLine(photo.name)}</bdi> · <bdi>{cleanLine(photo.type)}</bdi>
        </p>
      )}
      {whole === undefined && !busy && (
        <button type="button" class="choice" onClick={load}>
          {words.say("load", { size: words.size(photo.size) })}
        </button>
      )}
      {busy && (
        <p class="m" role="status">
          <progress max={Math.max(1, photo.parts)} value={photo.have} aria-label={words.say("photo")} />{" "}
          {words.say("parts", { have: photo.have, parts: photo.parts })}
        </p>
      )}
      {whole !== undefined && large === undefined && <p class="m">{words.say("not_shown")}</p>}
      {file !== undefined && (
        <a class="choice button" href={file} download={cleanLine(photo.name).replace(/[\\/:]/g, "_") || "file"}>
          {words.say("save_file")}
        </a>
      )}
    </div>
  );
}

/** The same bytes as something that is saved and never opened, whatever type its author gave. */
function useSaved(whole: Blob | undefined): Blob | undefined {
  const [saved, set] = useState<Blob | undefined>(undefined);
  useEffect(() => set(whole === undefined ? undefined : pictures.has(whole.type) ? whole : whole.slice(0, whole.size, "application/octet-stream")), [whole]);
  return saved;
}

/** A preview by its first bytes; undefined if it is none of the pictures. */
export function previewOf(bytes: Uint8Array): Blob | undefined {
  const type = pictureType(bytes);
  return type === undefined ? undefined : new Blob([bytes as Uint8Array<ArrayBuffer>], { type });
}

/** What picture begins so. */
export function pictureType(bytes: Uint8Array): string | undefined {
  const begins = (at: number, ...want: number[]): boolean => want.every((b, i) => bytes[at + i] === b);
  if (begins(0, 0xff, 0xd8, 0xff)) return "image/jpeg";
  if (begins(0, 0x89, 0x50, 0x4e, 0x47)) return "image/png";
  if (begins(0, 0x52, 0x49, 0x46, 0x46) && begins(8, 0x57, 0x45, 0x42, 0x50)) return "image/webp";
  return undefined;
}
