/* The passages that some words retrieve, ranked, without an answer. */

import { passageItem } from "./answer.js";
import { byId, make, say } from "./dom.js";
import { Problem, request } from "./server.js";
import { counted } from "./words.js";

const MOST = 20;

/** What is found, in the place of the conversation. */
export class Search {
  /** @param {import("./composer.js").Composer} composer */
  constructor(composer) {
    this.composer = composer;
    this.box = byId("results");
    this.asked = 0;
  }

  /**
   * Show the passages of a query, the best first.
   * @param {string} query
   */
  async find(query) {
    const number = ++this.asked;
    const { tags, documents } = this.composer.within;
    const parameters = new URLSearchParams([["query", query], ["top_k", String(MOST)], ...tags.map((tag) => ["tag", tag]), ...documents.map((id) => ["document", id])]);
    this.box.setAttribute("aria-busy", "true");
    try {
      const found = await request("GET", `/search?${parameters}`);
      if (number === this.asked) {
        this.#show(query, found);
      }
    } catch (error) {
      this.box.replaceChildren(make("p", { class: "notice", role: "alert" }, error instanceof Problem ? error.message : "The server does not answer."));
    } finally {
      this.box.removeAttribute("aria-busy");
    }
  }

  #show(query, { passages, interpreted_as: understood }) {
    this.box.replaceChildren(
      make("h2", { class: "question", dir: "auto" }, query),
      ...[
        understood && make("p", { class: "understood" }, "understood as “", make("bdi", {}, understood), "”"),
        make("p", { class: "searched" }, passages.length ? `${counted(passages.length, "passage")}, the best first` : "No passage was found."),
        passages.length > 0 && make("ol", { class: "nearest ranked" }, passages.map((passage) => passageItem(passage, []))),
      ].filter(Boolean),
    );
    byId("scroll").scrollTop = 0;
    say(passages.length ? `${counted(passages.length, "passage")} found.` : "No passage was found.");
  }
}
