// What is a picture: decided by the bytes, never by what somebody calls them.

/** The media type of bytes that are a JPEG, PNG or WebP, or undefined. */
export function pictureType(bytes: Uint8Array): string | undefined {
  const at = (from: number, text: string): boolean => [...text].every((c, i) => bytes[from + i] === c.charCodeAt(0));
  if (at(0, "\xff\xd8\xff")) return "image/jpeg";
  if (at(0, "\x89PNG\r\n\x1a\n")) return "image/png";
  if (at(0, "RIFF") && at(8, "WEBP")) return "image/webp";
  return undefined;
}
