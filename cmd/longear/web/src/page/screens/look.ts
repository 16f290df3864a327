// Style sheets, which are files of their own: no rule of the page's policy lets a script write one.

/** Fetches a sheet for a medium. */
export function fetchStyle(css: string, media: string): Promise<HTMLLinkElement> {
  return new Promise((done, failed) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.media = media;
    link.href = new URL(css, import.meta.url).href;
    link.onload = () => done(link);
    link.onerror = () => {
      link.remove();
      failed();
    };
    document.head.append(link);
  });
}
