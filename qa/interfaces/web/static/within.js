/* The chooser at the question box: which documents are asked, by their tags or a single one. */

import { byId, fill, make } from "./dom.js";
import { request } from "./server.js";
import { counted } from "./words.js";

/**
 * Tags in words.
 * @param {Array<string>} tags
 * @returns {Array<Node|string>} "in one, two"
 */
export function within(tags) {
  return ["in ", ...tags.flatMap((tag, number) => [number ? ", " : "", make("bdi", {}, tag)])];
}

const titles = new Map(); // of the documents that were chosen here, by id

/**
 * Documents in words.
 * @param {Array<string>} documents ids
 * @param {Array<{document_id: string, title: string}>} cited places that name documents
 * @returns {Array<Node|string>} "in “Title”"
 */
export function inDocuments(documents, cited) {
  const title = (id) => cited.find((place) => place.document_id === id)?.title ?? titles.get(id);
  return within(documents.map((id) => (title(id) ? `“${title(id)}”` : "one document")));
}

/** What is chosen for the next question; hidden while no document has a tag and none is chosen. */
export class Within {
  constructor() {
    this.box = byId("within");
    this.summary = byId("within-chosen");
    this.list = byId("within-tags");
    this.known = null;
    this.chosen = new Set();
    this.only = [];
    byId("within-all").addEventListener("click", () => {
      this.only = [];
      this.tags = [];
      this.#close();
    });
    this.box.addEventListener("keydown", (event) => this.#key(event));
    document.addEventListener("click", ({ target }) => {
      this.box.open = this.box.open && this.box.contains(target);
    });
  }

  /** The chosen tags, in order; those that are gone by now are left out. */
  get tags() {
    return [...this.chosen].filter((tag) => !this.known || this.known.has(tag)).sort();
  }

  set tags(tags) {
    this.chosen = new Set(tags);
    this.#show();
  }

  /** The ids of the documents that are asked alone, none for all. */
  get documents() {
    return this.only;
  }

  set documents(documents) {
    this.only = documents;
    this.#show();
  }

  /**
   * Ask one document alone from now on.
   * @param {{id: string, title: string}} document
   */
  choose({ id, title }) {
    titles.set(id, title);
    this.documents = [id];
    byId("question").focus();
  }

  /** Ask the server which tags there are; keeps what is shown while it does not answer. */
  async refresh() {
    try {
      const { tags } = await request("GET", "/tags");
      this.known = new Map(tags.map(({ tag, documents }) => [tag, documents]));
      this.#show();
    } catch {
      // the banner says so
    }
  }

  #show() {
    const known = [...(this.known ?? [])];
    const { tags } = this;
    const { only } = this;
    this.box.hidden = known.length === 0 && only.length === 0;
    const chosen = [...(only.length ? inDocuments(only, []) : []), tags.length && only.length ? " " : "", ...(tags.length ? within(tags) : [])];
    fill(this.summary, "Ask ", ...(chosen.join("") ? chosen : ["all documents"]));
    this.summary.classList.toggle("some", tags.length > 0 || only.length > 0);
    byId("within-legend").textContent = known.length ? "Ask only documents with any of the tags" : "One document alone is asked";
    const focused = this.list.contains(document.activeElement) ? document.activeElement.value : null;
    this.list.replaceChildren(...known.map(([tag, documents]) => this.#item(tag, documents, tags.includes(tag))));
    [...this.list.querySelectorAll("input")].find(({ value }) => value === focused)?.focus();
  }

  #item(tag, documents, checked) {
    const box = make("input", { type: "checkbox", value: tag, checked, change: () => this.#choose(tag, box.checked) });
    return make("li", {}, make("label", {}, box, make("bdi", {}, tag), make("span", { class: "small" }, counted(documents, "document"))));
  }

  #choose(tag, checked) {
    this.chosen[checked ? "add" : "delete"](tag);
    this.#show();
  }

  /** Escape and Enter go back to the question; Enter in a form would send it. */
  #key(event) {
    if (event.key === "Escape" || (event.key === "Enter" && event.target.localName === "input")) {
      event.preventDefault();
      event.stopPropagation();
      this.#close();
    }
  }

  #close() {
    this.box.open = false;
    byId("question").focus();
  }
}
