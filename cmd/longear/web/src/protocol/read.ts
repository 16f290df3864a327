// Bytes from outside to a message that can be believed: decoded, within the limits, signed by its author.

import { type Signed, verifyAll } from "./batch.ts";
import { verify } from "./ed25519.ts";
import { signedBytes } from "./id.ts";
import { type Message, contentOf, decode } from "./message.ts";
import { type Refusal, isRefusal } from "./verdict.ts";

/** Reads a message by all steps of SPEC.md section 3. What comes back as a message is accepted. */
export function read(wire: Uint8Array): Message | Refusal {
  const m = decode(wire);
  if (isRefusal(m)) return m;
  return verify(m.author, signedBytes(contentOf(wire)), m.signature) ? m : "reject: signature";
}

/** Reads many messages, with the same results as one by one and in less time. */
export function readAll(wires: readonly Uint8Array[]): (Message | Refusal)[] {
  const decoded = wires.map(decode);
  const signed: Signed[] = [];
  wires.forEach((wire, i) => {
    const m = decoded[i];
    if (m && !isRefusal(m)) signed.push({ author: m.author, bytes: signedBytes(contentOf(wire)), signature: m.signature });
  });
  const valid = verifyAll(signed).values();
  return decoded.map((m) => (isRefusal(m) || valid.next().value ? m : "reject: signature"));
}
