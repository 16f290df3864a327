// The operator's page: what the node does, for whoever runs it. It is served by the node on loopback and talks to nobody else; the token
// that it speaks with comes in the fragment of its address.

import { render } from "preact";
import { follow } from "./follow.ts";
import { forgetToken, takeToken } from "./node.ts";
import { Screen } from "./screen.tsx";
import { chooseLanguage, loadWords } from "./words.ts";

const node = follow(draw);

function draw(): void {
  const seen = node.now();
  if (seen.line === "no token") forgetToken();
  render(<Screen seen={seen} follow={node} speak={(code) => void chooseLanguage(code).then(draw)} />, document.getElementById("page")!);
}

// The same address opened again in this tab, with a newer token, only changes the fragment.
addEventListener("hashchange", () => location.reload());

takeToken();
void loadWords().then(() => {
  draw();
  return node.ask();
});
