// What is done to the node itself: dialling, examining, stopping.

import { useState } from "preact/hooks";
import { list, post } from "./node.ts";
import { Ask, Deed, Failure, Section, useDoing } from "./parts.tsx";
import type { Finding } from "./report.ts";
import { plain, say } from "./words.ts";

/** The form to dial an address with. */
export function Dial({ changed }: { readonly changed: () => Promise<void> }) {
  const doing = useDoing();
  const [addr, setAddr] = useState("");
  const [tried, setTried] = useState("");
  const submit = async () => {
    setTried("");
    await post("/v1/connect", { addr: addr.trim() });
    setTried(addr.trim());
    setAddr("");
    await changed();
  };
  return (
    <Section id="dial" title={say("dial")}>
      <Deed doing={doing} button={say("dial_go")} submit={submit} result={tried === "" ? null : say("dialling", { addr: tried })}>
        <label>
          {say("address")} <small>({say("dial_hint")})</small>
          <input value={addr} required dir="ltr" autoComplete="off" spellcheck={false} onInput={(e) => setAddr(e.currentTarget.value)} />
        </label>
      </Deed>
    </Section>
  );
}

/** The button that examines the machine, and what it finds. */
export function Doctor() {
  const doing = useDoing();
  const [found, setFound] = useState<readonly Finding[]>([]);
  const submit = async () => {
    setFound([]);
    setFound(await list<Finding>("/v1/doctor", null, 0));
  };
  return (
    <Section id="doctor" title={say("doctor")}>
      <p class="m">{say("doctor_text")}</p>
      <Deed
        doing={doing}
        button={say("examine")}
        submit={submit}
        result={
          <ul class="findings">
            {found.map((f, i) => (
              <li key={i} class={f.state === "ok" ? "" : "a"}>
                <strong>{say(`state_${f.state}`)}</strong>{" "}
                <span lang="en" dir="ltr">
                  {f.check}: {plain(f.text)}
                </span>
                {f.fix === undefined || f.state === "ok" ? null : (
                  <p class="m">
                    {say("fix")}{" "}
                    <span lang="en" dir="ltr">
                      {plain(f.fix)}
                    </span>
                  </p>
                )}
              </li>
            ))}
          </ul>
        }
      />
    </Section>
  );
}

/** The button that stops the node, after asking. */
export function Stop({ stop }: { readonly stop: () => Promise<void> }) {
  const doing = useDoing();
  const [asking, setAsking] = useState(false);
  return (
    <Section id="stop" title={say("stop")}>
      <button type="button" class="danger" disabled={doing.busy} onClick={() => setAsking(true)}>
        {say("stop")}
      </button>
      {asking ? <Ask text={say("stop_ask")} yes={say("stop")} then={() => void doing.run(stop)} close={() => setAsking(false)} /> : null}
      {doing.wrong === undefined ? null : <Failure wrong={doing.wrong} />}
    </Section>
  );
}
