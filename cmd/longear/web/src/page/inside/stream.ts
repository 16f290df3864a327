// Server-sent events, read from a body. The browser's own reader cannot say where to go on after a reload, does not tell a busy hub
// from one out of reach, and waits for ever when the phone has walked into another Wi-Fi.

/** One event. */
export interface Event {
  readonly id: string;
  readonly name: string;
  readonly data: string;
}

/** The longest event: a largest message in base64, with its JSON. */
const longest = 128 << 10;

/** Cuts text, piece by piece, into events. Comments only show that the line is alive. */
export function newEvents(): (piece: string) => Event[] {
  let held = "";
  return (piece) => {
    held += piece;
    const blocks = held.split("\n\n");
    held = blocks.pop() ?? "";
    if (held.length > longest) throw new Error("an event without end");
    return blocks.map(parse).filter((e) => e.name !== "");
  };
}

function parse(block: string): Event {
  const fields: Record<string, string> = {};
  for (const line of block.split("\n")) {
    const at = line.indexOf(":");
    if (at > 0) fields[line.slice(0, at)] = line.slice(at + 1).replace(/^ /, "");
  }
  return { id: fields.id ?? "", name: fields.event ?? "", data: fields.data ?? "" };
}

/** Reads events until the stream ends, or says nothing for so many ms. */
export async function readEvents(body: ReadableStream<Uint8Array>, silence: number, on: (e: Event) => void): Promise<void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const cut = newEvents();
  try {
    for (;;) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const quiet = new Promise<undefined>((done) => (timer = setTimeout(() => done(undefined), silence)));
      const got = await Promise.race([reader.read(), quiet]).finally(() => clearTimeout(timer));
      if (!got || got.done) return;
      cut(decoder.decode(got.value, { stream: true })).forEach(on);
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}
