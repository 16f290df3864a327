// What a node makes of bytes that claim to be a message, in the words of SPEC.md section 5. A reject depends on the bytes
// alone, so that every node comes to the same one; an ignore is nobody's fault.

/** Why bytes are refused on their own account. */
export type Refusal =
  | "reject: size"
  | "reject: malformed"
  | "reject: limit"
  | "reject: signature"
  | "ignore: version";

/** Every verdict there is: what a hub may answer about a message. */
export type Verdict =
  | "accept"
  | Refusal
  | "ignore: known"
  | "ignore: dead"
  | "ignore: expired"
  | "ignore: muted"
  | "ignore: budget"
  | "ignore: full"
  | "ignore: store";

/** Whether a reading ended in a refusal and not in a value. */
export function isRefusal(r: Refusal | object): r is Refusal {
  return typeof r === "string";
}
