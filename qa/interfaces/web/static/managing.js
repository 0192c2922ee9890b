/* What can be done with a document in the list: its tags are changed, an uploaded file is replaced by another. */

import { fill, make, say } from "./dom.js";
import { request } from "./server.js";

/** The box below a document. */
export class Managing {
  /**
   * @param {object} listed the document, as GET /documents gives it
   * @param {(file: File) => void} replace sends another file in its place
   * @param {() => void} done runs when there is nothing more to do here
   */
  constructor(listed, replace, done) {
    this.id = listed.id;
    this.done = done;
    const own = listed.tags.filter((tag) => !listed.given_tags.includes(tag));
    this.input = make("input", { class: "tags", id: `tags-${listed.id}`, value: listed.given_tags.join(", "), autocomplete: "off", placeholder: "none" });
    this.problem = make("p", { class: "problem", role: "alert" });
    this.element = make(
      "form",
      { class: "managing", "aria-label": `Tags and file of “${listed.uri}”`, submit: (event) => this.#save(event) },
      make("label", { for: this.input.id }, "Tags, separated by commas"),
      this.input,
      own.length > 0 && make("p", { class: "small" }, "and from its own text ", own.map((tag, number) => [number ? ", " : "", make("bdi", {}, tag)])),
      make(
        "div",
        { class: "buttons" },
        listed.uploaded && make("button", { class: "replace", type: "button", click: () => choose(listed.uri, replace) }, "Replace…"),
        make("button", { class: "save", type: "submit" }, "Save tags"),
      ),
      this.problem,
    );
  }

  async #save(event) {
    event.preventDefault();
    const tags = this.input.value.split(",").map((tag) => tag.trim()).filter(Boolean);
    this.problem.textContent = "";
    try {
      await request("PUT", `/documents/${encodeURIComponent(this.id)}/tags`, { tags });
    } catch (error) {
      fill(this.problem, error.message);
      return;
    }
    say("The tags are saved.");
    this.done();
  }
}

/** Let somebody choose a file of the same format. */
function choose(uri, chosen) {
  const suffix = uri.includes(".") ? uri.slice(uri.lastIndexOf(".")) : null;
  const input = make("input", { type: "file", accept: suffix, change: () => input.files.length && chosen(input.files[0]) });
  input.click();
}
