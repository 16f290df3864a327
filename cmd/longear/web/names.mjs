// Names of files by what is in them: browsers keep a file for good by its name, so that equal names have to mean equal bytes.

import { createHash } from "node:crypto";

const ending = /-\w{8}\.js$/;

/**
 * Gives files, whose texts are final but for the names in them, new names. What names no other file is named by its own text, then what
 * names only those; files that name each other are named by the texts of all of them. Returns the new name and text of each.
 */
export function byContent(texts) {
  const now = new Map();
  const renamed = (text, names) => [...names].reduce((t, [from, to]) => t.replaceAll(from, to), text);
  let left = [...texts.keys()].sort();
  while (left.length > 0) {
    const free = left.find((name) => !left.some((other) => other !== name && texts.get(name).includes(other)));
    const group = free === undefined ? left : [free];
    const places = new Map(group.map((name, i) => [name, `\0${i}\0`])); // the old names say nothing
    const all = group.map((name) => renamed(renamed(texts.get(name), now), places)).join("\0");
    const mark = (i) => createHash("sha256").update(`${i}\0${all}`).digest("hex").slice(0, 8).toUpperCase();
    group.forEach((name, i) => now.set(name, name.replace(ending, `-${mark(i)}.js`)));
    left = left.filter((name) => !group.includes(name));
  }
  return new Map([...texts].map(([name, text]) => [name, { name: now.get(name), text: renamed(text, now) }]));
}
