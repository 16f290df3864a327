// The methods of the libraries' classes that the page never calls. No bundler leaves out a method, and a crowd would load them over one radio.
// Only the page is built without them; its tests in a browser are what tells that one of them is needed.

import { readFileSync } from "node:fs";

const idle = {
  "ed25519/index.js": ["fromAffine", "fromHex", "x", "y", "assertValidity", "toHex", "multiplyUnsafe", "isTorsionFree"],
  "hashes/_md.js": ["_cloneIntoMeta", "clone"],
  "hashes/sha2.js": ["_cloneInto", "_cloneInto"],
};

/** Leaves them out. What is not found, as in another version of a library, ends the build. */
export const lean = {
  name: "lean",
  setup({ onLoad }) {
    onLoad({ filter: /\/@noble\/(ed25519\/index|hashes\/(_md|sha2))\.js$/ }, ({ path }) => {
      let contents = readFileSync(path, "utf8");
      for (const name of idle[path.split("/@noble/")[1]]) {
        const without = contents.replace(new RegExp(`^    (static |get )?${name}\\(.*\\) \\{\\n[^]*?^    \\}\\n`, "m"), "");
        if (without === contents) throw new Error(`${path} has no method ${name}`);
        contents = without;
      }
      return { contents };
    });
  },
};
