// Style sheets, which are files of their own: no rule of the page's policy lets a script write one.

/** Fetches a sheet for a medium. A page without its look can still be read, so this does not fail. */
export function fetchStyle(css: string, media: string): Promise<HTMLLinkElement> {
  return new Promise((done) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.media = media;
    link.href = new URL(css, import.meta.url).href;
    link.onload = link.onerror = () => done(link);
    document.head.append(link);
  });
}
