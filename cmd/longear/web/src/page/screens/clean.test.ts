// Texts of strangers, pictures of keys, and the decisions of the feed: what needs no browser.

import assert from "node:assert/strict";
import { test } from "node:test";
import { counted, made, post } from "../../../test/fake.ts";
import { newsOf } from "./news.tsx";
import { beginning, cleanLine, cleanName, cleanText, likeness } from "./clean.ts";
import { arrange, twins } from "./feed.tsx";
import { picture } from "./glyph.tsx";
import { pictureType } from "./photo.tsx";
import { draftOf, without } from "./draft.ts";
import { blank, withTyped } from "./sketch.ts";
import { destination } from "./compose.tsx";
import { postsOf } from "./tabs.tsx";
import { wordsOf } from "./words.ts";
import { readFileSync } from "node:fs";

test("a text cannot reorder, hide or flood", () => {
  assert.equal(cleanText("a\u202eb\u2066c\u0000d\u001b[31m\ufeff\u{e0041}"), "abcd[31m");
  assert.equal(cleanText("a\r\nb\rc\u2028d"), "a\nb\nc\nd");
  assert.equal(cleanText(`a${"\n".repeat(50)}b`), "a\n\nb");
  assert.equal(cleanText(`z${"\u0301".repeat(80)}!`), `z${"\u0301".repeat(4)}!`);
  assert.equal(cleanText("👨‍👩‍👧 می‌خواهم"), "👨‍👩‍👧 می‌خواهم"); // joiners are part of writing
  assert.equal(cleanLine("a\nb\t c"), "a b c");
});

test("a name is short and seen", () => {
  assert.equal(cleanName("\u200b\u2060\u3164"), "");
  assert.equal(cleanName("blue\u200b kettle"), "blue kettle");
  assert.equal(Array.from(cleanName("😀".repeat(99))).length, 33);
  for (const like of ["Blue Kettle", "blue\u200bkettle", "b\u0301lue-kettle", "ｂｌｕｅ ｋｅｔｔｌｅ"]) assert.equal(likeness(like), likeness("blue kettle"), like);
  assert.notEqual(likeness("blue kettles"), likeness("blue kettle"));
});

test("a beginning keeps characters whole", () => {
  assert.equal(beginning("😀😀😀", 2, 5), "😀😀");
  assert.equal(beginning("a\nb\nc", 99, 2), "a\nb");
  assert.equal(beginning("short", 5, 1), "short");
});

test("the same name with another key is noticed", () => {
  const posts = [post(1, { name: "Blue kettle", author: made(1) }), post(2, { name: "blue  kettle", author: made(2) }), post(3, { name: "", author: made(3) }), post(4, { name: "", author: made(4) }), post(5, { name: "alone", author: made(5) })];
  assert.deepEqual([...twins(posts)].sort(), [made(1), made(2)].sort());
});

test("a key has one picture, and a thousand keys hardly share one", () => {
  const seen = new Set<string>();
  for (let n = 0; n < 1000; n++) {
    const { squares, dots } = picture(made(n));
    assert.deepEqual(picture(made(n)), picture(made(n)));
    seen.add(squares + dots);
    // Mirrored: what is at x is at 4 - x.
    const cells = new Set([...(squares + dots).matchAll(/M([\d.]+) ([\d.]+)/g)].map((m) => `${Math.floor(Number(m[1]))} ${Math.floor(Number(m[2]))}`));
    for (const cell of cells) assert.ok(cells.has(`${4 - Number(cell[0])} ${cell[2]}`));
  }
  assert.ok(seen.size >= 999, `${seen.size} of 1000 without their colours`);
});

test("what is read stays where it is", () => {
  const old = [5, 4, 3].map((n) => post(n));
  const known = new Set(old.map((p) => p.id));
  const ids = (posts: readonly { id: string }[]): string[] => posts.map((p) => p.id);
  const now = [post(8), post(7, { mine: true }), old[0]!, post(6), old[1]!, old[2]!, post(1)];
  const { shown, held } = arrange(now, known, false);
  assert.deepEqual(ids(shown), ids([now[1]!, ...old, now[6]!]));
  assert.deepEqual(ids(held), ids([now[0]!, now[3]!]));
  assert.deepEqual(arrange(now, known, true).held, []);
  assert.deepEqual(arrange(now, new Set(), false).held, []);
  assert.deepEqual(ids(arrange([old[2]!], known, false).shown), ids([old[2]!])); // what died goes
});

test("news are told at once, and own words are none", () => {
  const words = wordsOf("en", JSON.parse(readFileSync("lang/en.json", "utf8")) as Record<string, string>);
  assert.equal(newsOf([post(1), post(2, { mine: true })], { ids: new Set(), muted: new Set() }, words), "1 new");
  assert.equal(newsOf([post(1, { alert: true }), post(2)], { ids: new Set(), muted: new Set() }, words), "2 new. There is a new alert.");
  assert.equal(newsOf([post(1)], { ids: new Set([post(1).id]), muted: new Set() }, words), "");
  assert.equal(newsOf([post(1, { author: "loud" }), post(2)], { ids: new Set(), muted: new Set(["loud"]) }, words), "1 new");
});

test("a sketch makes a message or says what is wrong", () => {
  const draft = (some: Partial<typeof blank>, file?: Blob): unknown => draftOf({ ...blank, ...some }, "all", some.parent ?? "", file);
  assert.equal(draft({ text: "  " }), "empty_text");
  assert.equal(draft({ text: "я".repeat(2049) }), "too_long");
  assert.deepEqual(draft({ text: " hello ", alert: true }), { kind: "post", channel: "all", text: "hello", alert: true });
  assert.deepEqual(draft({ text: "yes", parent: "abc" }), { kind: "post", channel: "all", text: "yes", alert: false, parent: "abc" });
  assert.equal(draft({ kind: "poll", text: "where?", options: ["a", " "] }), "poll_hint");
  assert.equal(draft({ kind: "poll", text: "where?", options: ["a", "a "] }), "poll_hint");
  assert.equal(draft({ kind: "poll", text: "where?", options: ["я".repeat(101), "b"] }), "too_long");
  assert.deepEqual(draft({ kind: "poll", text: "where?", options: ["a", "", "b"], most: 3 }), { kind: "poll", channel: "all", text: "where?", options: ["a", "b"], most: 2 });
  assert.deepEqual(draft({ kind: "petition", text: "open it" }), { kind: "petition", channel: "all", text: "open it" });
  const file = new Blob(["x"]);
  assert.deepEqual(draft({ text: "" }, file), { kind: "photo", channel: "all", text: "", file });
});

test("a message goes where its label says", () => {
  const room = (name: string, chosen = false): { name: string; tag: string; messages: number; chosen: boolean } => ({ name, tag: made(name.length, 26), messages: 0, chosen });
  const rooms = [room(""), room("water"), room("medic", true)];
  assert.equal(destination(blank, undefined, undefined, rooms), "medic");
  assert.equal(destination({ ...blank, to: "water" }, undefined, undefined, rooms), "water");
  assert.equal(destination({ ...blank, to: "gone" }, undefined, undefined, []), "all");
  assert.equal(destination({ ...blank, to: "medic" }, undefined, rooms[1], rooms), "water");
  assert.equal(destination(blank, undefined, rooms[0], rooms), undefined);
  assert.equal(destination(blank, post(1, { channel: "water" }), rooms[2], rooms), "water");
  assert.equal(destination(blank, { ...post(1), channel: "" }, undefined, rooms), undefined);
});

test("tabs", () => {
  const posts = [post(1, { alert: true }), post(2, { channel: "water" })];
  assert.equal(postsOf(posts, "").length, 2);
  assert.deepEqual(postsOf(posts, "!").map((p) => p.id), [posts[0]!.id]);
  assert.deepEqual(postsOf(posts, posts[1]!.tag).map((p) => p.id), [posts[1]!.id]);
});

test("pictures by their first bytes", () => {
  const type = (...bytes: number[]): string | undefined => pictureType(Uint8Array.from(bytes));
  assert.equal(type(0xff, 0xd8, 0xff, 0xe0), "image/jpeg");
  assert.equal(type(0x89, 0x50, 0x4e, 0x47), "image/png");
  assert.equal(type(0x52, 0x49, 0x46, 0x46, 0, 0, 0, 0, 0x57, 0x45, 0x42, 0x50), "image/webp");
  assert.equal(type(0x3c, 0x73, 0x76, 0x67), undefined);
  assert.equal(type(), undefined);
});

test("the made-up inside counts one answer of each", () => {
  const none = post(1).tally;
  const yes = counted(none, { kind: "confirm" });
  assert.equal(counted(yes, { kind: "contradict" }).confirms, 0);
  assert.equal(counted(yes, { kind: "withdraw" }).mine, undefined);
});

test("of what is typed while a message is on its way nothing is lost", () => {
  const sent = { ...blank, text: "first", to: "water", alert: true };
  assert.equal(without(sent, sent), blank);
  assert.deepEqual(without({ ...sent, text: "first and more" }, sent), { ...blank, to: "water", text: "and more" });
  assert.deepEqual(without({ ...sent, text: "another" }, sent), { ...blank, to: "water", text: "another" });
});

test("what was typed into the page without script and what was typed before are both kept", () => {
  const reply = { ...blank, text: "older", parent: "abc", alert: true };
  const both = withTyped(reply, "newer");
  assert.deepEqual(both, { ...blank, text: "newer\n\nolder" }); // neither a reply nor an alert: that was meant for the other
  assert.equal(withTyped(both, "newer"), both); // a browser fills the form in again
  assert.equal(withTyped(both, " "), both);
  assert.equal(withTyped({ ...blank, text: "nobody" }, "no").text, "no\n\nnobody");
  assert.deepEqual(withTyped({ ...blank, kind: "poll", options: ["a", "b"] }, "hello"), { ...blank, text: "hello", options: ["a", "b"] });
});
