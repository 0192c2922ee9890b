/* The chooser of tags at the question box: which documents are asked. */

import { byId, make } from "./dom.js";
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

/** What is chosen for the next question; hidden while no document has a tag. */
export class Within {
  constructor() {
    this.box = byId("within");
    this.summary = byId("within-chosen");
    this.list = byId("within-tags");
    this.known = null;
    this.chosen = new Set();
    byId("within-all").addEventListener("click", () => {
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
    this.box.hidden = known.length === 0;
    this.summary.replaceChildren("Ask ", ...(tags.length ? within(tags) : ["all documents"]));
    this.summary.classList.toggle("some", tags.length > 0);
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
