// Messages that travel in a file: saving one, and taking one in.

import { useState } from "preact/hooks";
import { getFile, putFile, wrong } from "./node.ts";
import { Deed, Section, useDoing } from "./parts.tsx";
import type { Carried, Channel } from "./report.ts";
import { bytes, say } from "./words.ts";

interface Props {
  readonly channels: readonly Channel[];
  readonly changed: () => Promise<void>;
}

/** Both ways of a carry file. */
export function Carry({ channels, changed }: Props) {
  return (
    <Section id="carry" title={say("carry")}>
      <Out channels={channels.filter((c) => c.name !== "" && c.kind !== "direct")} />
      <In changed={changed} />
    </Section>
  );
}

function Out({ channels }: { readonly channels: readonly Channel[] }) {
  const doing = useDoing();
  const [channel, setChannel] = useState("");
  const [size, setSize] = useState<number>();
  const submit = async () => {
    setSize(undefined);
    const file = await getFile(`/v1/carry/out?channel=${encodeURIComponent(channel)}`);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = `longear-${new Date().toISOString().slice(0, 10)}.ear`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // when the browser has taken it
    setSize(file.size);
  };
  return (
    <Deed doing={doing} button={say("carry_out")} submit={submit} result={size === undefined ? null : say("saved", { size: bytes(size) })}>
      <label>
        {say("carry_what")}
        <select value={channel} onChange={(e) => setChannel(e.currentTarget.value)}>
          <option value="">{say("everything")}</option>
          {channels.map((c) => (
            <option key={c.tag} value={c.name}>
              {c.name}
            </option>
          ))}
        </select>
      </label>
    </Deed>
  );
}

function In({ changed }: { readonly changed: () => Promise<void> }) {
  const doing = useDoing();
  const [file, setFile] = useState<File>();
  const [got, setGot] = useState<Carried>();
  const submit = async () => {
    setGot(undefined);
    if (file === undefined) throw wrong(say("file"), "");
    setGot(await putFile<Carried>("/v1/carry/in", file));
    await changed();
  };
  return (
    <Deed doing={doing} button={say("take_in")} submit={submit} result={got === undefined ? null : say("taken", { ...got })}>
      <label>
        {say("carry_in")}
        <input type="file" accept=".ear" required onChange={(e) => setFile(e.currentTarget.files?.[0])} />
      </label>
    </Deed>
  );
}
