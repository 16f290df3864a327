// Photos and files put together from their parts, and the parts that are missing fetched by name.

import { toBase32 } from "../../protocol/base32.ts";
import { decode } from "../../protocol/message.ts";
import { idOf } from "../../protocol/id.ts";
import { isRefusal } from "../../protocol/verdict.ts";
import { Failure } from "../core.ts";
import { type Hub, Busy } from "./hub.ts";
import { pictureType } from "./picture.ts";
import type { Stock } from "./stock.ts";

/** So many parts are asked for at a time: half a megabyte. */
const atOnce = 16;

/** The photo or file of a manifest. */
export async function assemble(stock: Stock, hub: Hub, id: string): Promise<Blob> {
  const photo = stock.view.photo(id);
  if (!photo) throw new Failure("failed");
  const missing = [...new Set(photo.chunks)].filter((c) => !stock.holdings.get(c));
  for (let i = 0; i < missing.length; i += atOnce) {
    const some = missing.slice(i, i + atOnce);
    const came = await hub.messages({ ids: some }).catch((e: unknown) => {
      throw new Failure(e instanceof Busy ? "later" : "out_of_reach");
    });
    // Only what was asked for: a hub cannot push other media here.
    await stock.check.all(came.filter((a) => a.wire.length > 66 && some.includes(toBase32(idOf(a.wire)))));
    stock.view.touch(id);
  }
  const wires = await stock.wires([...new Set(photo.chunks)]);
  const bodies = photo.chunks.map((c) => bodyOf(c, wires.get(c)));
  const bytes = bodies.reduce((n, b) => n + (b?.length ?? 0), 0);
  if (bodies.some((b) => !b)) throw new Failure("parts_missing");
  if (bytes !== photo.size) throw new Failure("not_shown");
  const first = bodies[0] ?? new Uint8Array(0);
  return new Blob(bodies as BlobPart[], { type: pictureType(first) ?? "application/octet-stream" });
}

/** The body of a part, if it is what its name says: a disk may have spoilt it. */
function bodyOf(id: string, wire: Uint8Array | undefined): Uint8Array | undefined {
  const m = wire && decode(wire);
  if (!m || isRefusal(m) || toBase32(idOf(wire)) !== id) return undefined;
  return m.body;
}
