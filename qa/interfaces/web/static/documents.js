/* The list of documents, loaded when it is opened. */

import { byId, make } from "./dom.js";
import { readLink } from "./links.js";
import { request } from "./server.js";
import { counted, language } from "./words.js";

const MOST = 200; // documents that are listed at once; the filter finds the rest
const CHANGED = "file changed, shown as last read";

/** Fill the list whenever it is opened, and follow its filter. */
export function listDocuments() {
  const details = byId("documents");
  const filter = byId("filter");
  let documents = [];
  const show = () => {
    const wanted = filter.value.trim().toLocaleLowerCase();
    const found = documents.filter((each) => `${each.title}\n${each.uri}`.toLocaleLowerCase().includes(wanted));
    const rest = found.length > MOST ? `, the first ${MOST} of them shown` : "";
    byId("documents-count").textContent = `${counted(found.length, "document")}${rest}`;
    byId("documents-list").replaceChildren(...found.slice(0, MOST).map(item));
  };
  filter.addEventListener("input", show);
  details.addEventListener("toggle", async () => {
    if (!details.open) {
      return;
    }
    details.setAttribute("aria-busy", "true");
    try {
      ({ documents } = await request("GET", "/documents"));
      show();
    } catch (error) {
      byId("documents-count").textContent = error.message;
    } finally {
      details.removeAttribute("aria-busy");
    }
  });
}

function item(each) {
  const state = each.state === "current" ? "current" : CHANGED;
  return make(
    "li",
    {},
    make(
      "a",
      { class: "place", href: readLink(each.id, each.sha256) },
      make("cite", { dir: "auto" }, each.title),
      make("span", { class: "where" }, make("bdi", {}, each.uri), [each.date, counted(each.chunks, "passage"), language(each.language), state].filter(Boolean).map((part) => ` · ${part}`)),
    ),
  );
}
