// The way to the node: requests with the token, and failures as the API tells them.

/** A failure with what mends it, in the API's own words. */
export interface Wrong extends Error {
  readonly what: string;
  readonly fix: string;
  readonly status: number; // of HTTP; 0: there was no answer
}

/** Makes a failure to throw. */
export const wrong = (what: string, fix: string, status = 0): Wrong => Object.assign(new Error(what), { what, fix, status });

/** Whatever was thrown, as a failure to show. */
export function asWrong(e: unknown): Wrong {
  if (e instanceof Error && "fix" in e) return e as Wrong;
  if (e instanceof DOMException && e.name === "TimeoutError") return wrong("the node did not answer", "end it with Ctrl-C or kill, then: longear relay");
  return wrong(String(e), "");
}

/** How long what costs the node nothing is waited for, in ms. A node that hangs keeps the connection open for ever. */
export const soon = 10_000;
/** How long everything else that is asked is waited for. What is done has no limit: to give it up would cut it short, with what was done unknown. */
const late = 60_000;

const key = "longear-token";

/** Takes the token out of the address, where the history would keep it and a glance could read it, into what this tab alone sees. */
export function takeToken(): void {
  const given = location.hash.slice(1);
  if (given === "") return;
  sessionStorage.setItem(key, given);
  history.replaceState(null, "", location.pathname);
}

/** Forgets a token that is good for nothing. */
export function forgetToken(): void {
  sessionStorage.removeItem(key);
}

/** Gives up with the first of some signals: AbortSignal.any is too new. */
function first(...signals: (AbortSignal | null | undefined)[]): AbortSignal {
  const ends = new AbortController();
  for (const s of signals) {
    const end = () => ends.abort(s?.reason);
    if (s?.aborted) end();
    else s?.addEventListener("abort", end);
  }
  return ends.signal;
}

/** Sends one request to this page's own origin, and gives it up after so many ms, 0 never. The answer is good, or it throws a Wrong, or a TimeoutError. */
async function send(path: string, request: RequestInit, limit = 0, type?: string): Promise<Response> {
  const token = sessionStorage.getItem(key);
  if (token === null) throw wrong("this page has no token", "longear page", 401);
  const headers: Record<string, string> = { Authorization: `Bearer ${token}` };
  if (type !== undefined) headers["Content-Type"] = type;
  const timed = limit === 0 ? undefined : AbortSignal.timeout?.(limit); // an old browser waits
  let answer: Response;
  try {
    answer = await fetch(path, { ...request, headers, credentials: "omit", redirect: "error", signal: first(request.signal, timed) });
  } catch {
    throw timed?.aborted ? timed.reason : wrong("the node does not answer", "longear relay");
  }
  if (answer.ok) return answer;
  const said: unknown = await answer.json().catch(() => ({}));
  const { error, fix } = said as { error?: string; fix?: string };
  throw wrong(error ?? `HTTP ${answer.status}`, fix ?? "", answer.status);
}

/** Asks for one object. Who is not to wait for it to the end has a signal. */
export async function get<T>(path: string, signal: AbortSignal | null = null, limit = late): Promise<T> {
  return (await (await send(path, { signal }, limit)).json()) as T;
}

/** An answer of one object a line, likewise. A line that is an error ends it. */
export async function list<T>(path: string, signal: AbortSignal | null = null, limit = late): Promise<T[]> {
  const text = await (await send(path, { signal }, limit)).text();
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const v = JSON.parse(line) as T & { type?: string; error?: string; fix?: string };
      if (v.type === "error") throw wrong(v.error ?? "", v.fix ?? "");
      return v;
    });
}

/** Does something, and gives the answer. */
export async function post<T>(path: string, body: object, limit = 0): Promise<T> {
  return (await (await send(path, { method: "POST", body: JSON.stringify(body) }, limit, "application/json")).json()) as T;
}

/** Sets something, and gives the answer. */
export async function put<T>(path: string, body: object): Promise<T> {
  return (await (await send(path, { method: "PUT", body: JSON.stringify(body) }, 0, "application/json")).json()) as T;
}

/** Takes something away. */
export async function remove(path: string): Promise<void> {
  await send(path, { method: "DELETE" });
}

/** Hands a carry file in. */
export async function putFile<T>(path: string, file: Blob): Promise<T> {
  return (await (await send(path, { method: "POST", body: file }, 0, "application/vnd.longear.carry")).json()) as T;
}

/** Fetches a file whole, so that one that broke off on the way is a failure and not half a file. */
export async function getFile(path: string): Promise<Blob> {
  const answer = await send(path, {});
  try {
    return await answer.blob();
  } catch {
    throw wrong("the file was cut short", "look at the node's log, and try again");
  }
}
