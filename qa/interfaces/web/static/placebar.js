/* Under a source: "this is the right place" for the words that are selected. */

import { make } from "./dom.js";
import { shortened } from "./words.js";

/** Shows which question the selected words would answer, and sends them. */
export class PlaceBar {
  constructor() {
    this.hint = make("p", { class: "hint" });
    this.button = make("button", { type: "button", "aria-disabled": "true", click: () => this.#send() }, "This is the right place");
    this.element = make("div", { class: "place-bar", role: "group", "aria-label": "The right place", hidden: true }, this.hint, this.button);
    this.turn = null;
  }

  /**
   * Whose answer is shown.
   * @param {import("./turn.js").TurnView|null} turn
   */
  set target(turn) {
    this.turn = turn;
    this.show(this.version, this.place);
  }

  /**
   * What is open and what is selected in it.
   * @param {import("./versions.js").Version|null} version
   * @param {{start: number, end: number, text: string}|null} place
   */
  show(version, place) {
    this.version = version;
    this.place = place;
    this.element.hidden = !this.turn || !version;
    this.button.setAttribute("aria-disabled", String(!place));
    if (this.turn) {
      const question = make("q", { dir: "auto" }, shortened(this.turn.question, 120));
      this.hint.replaceChildren(
        ...(place ? ["Do the selected words answer ", question, "?"] : ["Select the words that answer ", question, ".", make("span", { class: "by-key" }, " Keys: ← → choose a word, with Shift they take more.")]),
      );
    }
  }

  async #send() {
    const { turn, version, place } = this;
    if (turn && version && place) {
      const { document_id, sha256 } = version;
      if (await turn.feedback.give("place", { document_id, sha256, start: place.start, end: place.end })) {
        this.hint.replaceChildren("Kept as the right place.");
      } else {
        this.hint.replaceChildren(turn.feedback.text.textContent);
      }
    }
  }
}
