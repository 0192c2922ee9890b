/* The source beside the chat; on a narrow screen over it. */

import { byId, make, say } from "./dom.js";
import { PlaceBar } from "./placebar.js";
import { SourceView } from "./source.js";

const NARROW = matchMedia("(max-width: 52rem)");

/** Opens and closes the panel and moves the focus with it; `leave` runs when the person closes it. */
export class Panel {
  constructor(leave) {
    this.root = byId("source");
    this.bar = new PlaceBar();
    const close = make("button", { class: "close", type: "button", click: leave }, make("span", { class: "wide" }, "Close"), make("span", { class: "narrow" }, "‹ Back"));
    this.view = new SourceView(this.root, { heading: "h2", close, bar: this.bar });
    this.opener = null;
    this.root.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        leave();
      }
    });
    NARROW.addEventListener("change", () => this.#cover());
  }

  get open() {
    return !this.root.hidden;
  }

  /**
   * Show a source, or nothing.
   * @param {import("./links.js").Source|null} source
   * @param {import("./turn.js").TurnView|null} turn whose answer it is
   * @param {{focus?: "title"|"text"}} [options]
   */
  async show(source, turn, { focus } = {}) {
    if (!source) {
      this.#close();
      return;
    }
    this.opener = this.open ? this.opener : document.activeElement;
    this.root.hidden = false;
    document.body.classList.add("with-source");
    this.#cover();
    this.bar.target = turn;
    (this.opener?.closest?.("figure, li") ?? this.opener)?.scrollIntoView({ block: "nearest" }); // the chat is narrower now
    await this.view.open(source);
    if (focus) {
      (focus === "text" ? this.view.text : this.view.title).focus({ preventScroll: true });
      say(`Source opened: ${this.view.title.textContent}. ${this.view.where.textContent}`);
    }
  }

  #close() {
    if (!this.open) {
      return;
    }
    const inside = this.root.contains(document.activeElement) || document.activeElement === document.body;
    this.root.hidden = true;
    document.body.classList.remove("with-source");
    this.#cover();
    if (inside) {
      (this.opener?.isConnected ? this.opener : byId("question")).focus({ preventScroll: true });
    }
    this.opener = null;
  }

  /** On a narrow screen nothing behind the panel can be reached. */
  #cover() {
    for (const element of document.querySelectorAll(".skip, .top, #side, #main")) {
      element.inert = this.open && NARROW.matches;
    }
  }
}
