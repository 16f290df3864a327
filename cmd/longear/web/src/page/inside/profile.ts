// Profiles, SPEC.md section 3: the name that an author gives itself. Anybody may take any name.

import { fromUTF8 } from "../../protocol/bytes.ts";

/** The longest name, in bytes of UTF-8. */
const mostName = 64;

/** The name in the body of a profile: one line without control characters, "" to have none. Undefined if it is malformed. */
export function readName(body: Uint8Array): string | undefined {
  const name = body.length <= mostName ? fromUTF8(body) : undefined;
  return name === undefined || /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(name) ? undefined : name;
}
