/* The list of documents, loaded when it is opened; tags can be changed, and those that were uploaded be replaced and deleted. */

import { confirmed } from "./confirm.js";
import { byId, fill, make, say } from "./dom.js";
import { readLink } from "./links.js";
import { Managing } from "./managing.js";
import { Problem, request } from "./server.js";
import { counted, language } from "./words.js";

const MOST = 200; // documents that are listed at once; the filter finds the rest
const CHANGED = "file changed, shown as last read";
const NOT_FOUND = 404;

/** The list at the side. */
export class DocumentList {
  /** @param {{replace: function, changed: function, only: function}} hear what the page must know: a file in the place of a document, that something has changed, and a document to ask alone */
  constructor(hear) {
    this.hear = hear;
    this.managing = null;
    this.details = byId("documents");
    this.filter = byId("filter");
    this.list = byId("documents-list");
    this.documents = [];
    this.maxBytes = Infinity;
    this.filter.addEventListener("input", () => this.#show());
    this.details.addEventListener("toggle", () => this.refresh());
  }

  /** Ask the server for the list, if it is open. */
  async refresh() {
    if (!this.details.open) {
      return;
    }
    this.details.setAttribute("aria-busy", "true");
    try {
      const { documents, max_file_bytes: maxBytes } = await request("GET", "/documents");
      Object.assign(this, { documents, maxBytes });
      this.#show();
    } catch (error) {
      fill(byId("documents-count"), error.message);
    } finally {
      this.details.removeAttribute("aria-busy");
    }
  }

  #show() {
    const wanted = this.filter.value.trim().toLocaleLowerCase();
    const found = this.documents.filter((each) => [each.title, each.uri, ...each.tags].join("\n").toLocaleLowerCase().includes(wanted));
    const rest = found.length > MOST ? `, the first ${MOST} of them shown` : "";
    byId("documents-count").textContent = `${counted(found.length, "document")}${rest}`;
    const focused = this.list.contains(document.activeElement) ? document.activeElement : null;
    const id = focused?.closest("li").dataset.id ?? "";
    this.list.replaceChildren(...found.slice(0, MOST).map((each) => this.#item(each)));
    this.list.querySelector(`li[data-id="${CSS.escape(id)}"] .${focused?.classList[0] ?? "place"}`)?.focus();
  }

  #item(each) {
    const state = each.state === "current" ? "current" : CHANGED;
    const managed = this.managing?.id === each.id;
    const known = [each.date?.replace(/^(\d{4})-(\d\d)\/.*/, (_, year, month) => `${year}-Q${(Number(month) + 2) / 3}`), counted(each.chunks, "passage"), language(each.language), each.caution ? `check the original: ${each.caution}` : null, state, ...each.tags.map((tag) => `#${tag}`)];
    return make(
      "li",
      { "data-id": each.id },
      make(
        "a",
        { class: "place", href: readLink(each.id, each.sha256) },
        make("cite", { dir: "auto" }, each.title),
        make("span", { class: "where" }, make("bdi", {}, each.uri), known.filter(Boolean).map((part) => ` · ${part}`)),
      ),
      make("button", { class: "only", type: "button", "aria-label": `Ask only “${each.title}”`, title: "Ask only this document", click: () => this.hear.only(each) }, "Ask"),
      !each.part_of && make("button", { class: "manage", type: "button", "aria-expanded": String(managed), "aria-label": `Tags and file of “${each.uri}”`, click: () => this.#manage(each) }, "⋯"),
      each.uploaded && make("button", { class: "delete", type: "button", "aria-label": `Delete “${each.uri}”`, click: () => this.#delete(each) }, "×"),
      managed && this.managing.element,
    );
  }

  /** Open or close the box below a document. */
  #manage(each) {
    const replace = (file) => this.hear.replace(each, file);
    const done = () => {
      this.managing = null;
      this.list.querySelector(`li[data-id="${CSS.escape(each.id)}"] .manage`)?.focus();
      this.refresh();
      this.hear.changed();
    };
    this.managing = this.managing?.id === each.id ? null : new Managing(each, replace, done);
    this.#show();
    this.managing?.element.scrollIntoView({ block: "nearest" });
  }

  async #delete({ id, uri }) {
    if (!(await confirmed(`Delete “${uri}”? The file that was uploaded is deleted, too, and answers lose what they quote of it.`))) {
      return;
    }
    try {
      await request("DELETE", `/documents/${encodeURIComponent(id)}`);
    } catch (error) {
      if (!(error instanceof Problem && error.status === NOT_FOUND)) {
        fill(byId("documents-count"), error.message);
        return;
      }
    }
    this.filter.focus();
    say("The document is deleted.");
    await this.refresh();
    this.hear.changed();
  }
}
