// What is written goes where the bar said, whatever becomes of what it answers and of the channel that is shown.

import assert from "node:assert/strict";
import { test } from "node:test";
import { post } from "../../../test/fake.ts";
import type { Room } from "../core.ts";
import { destination, stillAt } from "./compose.tsx";
import { draftOf } from "./draft.ts";
import { blank } from "./sketch.ts";
import { withShown } from "./tabs.tsx";

const rooms: readonly Room[] = ["all", "food"].map((name) => ({ name, tag: `tag of ${name}`, messages: 3, chosen: name === "food" }));
const water = post(1, { channel: "water", tag: "tag of water" });

test("an answer whose parent is gone is a message in the same channel", () => {
  const sketch = { ...blank, text: "half", parent: water.id };
  for (const here of [undefined, rooms[0]]) {
    assert.equal(destination(sketch, water, stillAt(sketch, water, here), rooms), "water");
    assert.equal(destination(sketch, undefined, stillAt(sketch, water, here), rooms), "water");
  }
  assert.equal(destination(sketch, undefined, stillAt(sketch, post(2), undefined), rooms), "food", "another was answered before");
  assert.equal(destination(blank, undefined, stillAt(blank, water, undefined), rooms), "food", "the answer was given up");
  assert.deepEqual(draftOf(sketch, "water", water.id, undefined), { kind: "post", channel: "water", text: "half", alert: false, parent: water.id });
  assert.deepEqual(draftOf(sketch, "water", "", undefined), { kind: "post", channel: "water", text: "half", alert: false });
});

test("a channel without messages stays while its tab is shown", () => {
  const last = { name: "water", tag: "tag of water", messages: 1, chosen: false };
  assert.deepEqual(withShown(rooms, last.tag, last).at(-1), { ...last, messages: 0 });
  assert.equal(destination(blank, undefined, withShown(rooms, last.tag, last).find((r) => r.tag === last.tag), rooms), "water");
  assert.equal(withShown(rooms, "", last), rooms);
  assert.equal(withShown(rooms, "tag of all", last), rooms);
  assert.equal(withShown([...rooms, last], last.tag, last).length, 3);
  assert.equal(withShown(rooms, "", undefined), rooms);
});
