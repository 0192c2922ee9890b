/* The reader: one source on a page of its own. */

import { watchServer } from "./banner.js";
import { byId, name } from "./dom.js";
import { onLink, sourceOf } from "./links.js";
import { probe } from "./server.js";
import { SourceView } from "./source.js";

const view = new SourceView(byId("source"), { heading: "h1" });

async function open(words) {
  const source = sourceOf(location);
  if (source) {
    await view.open({ ...source, words });
    name(`${view.title.textContent} — quoted`);
  }
}

onLink((url, link) => {
  if (url.origin !== location.origin || !sourceOf(url)) {
    return false;
  }
  const words = link.classList.contains("newer") ? view.view.quote : "";
  history.pushState(null, "", url);
  open(words);
  return true;
});
addEventListener("popstate", () => open());
watchServer(() => {
  if (!view.shown) {
    open();
  }
});
probe();
open();
