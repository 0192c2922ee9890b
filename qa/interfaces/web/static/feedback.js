/* What a person says of an answer: right, wrong, or where the right place is. */

import { fill, make, say } from "./dom.js";
import { Problem, request } from "./server.js";

const GIVEN = {
  right: "You said that this is right.",
  wrong: "You said that this is wrong.",
  place: "You showed the right place.",
};

/** The buttons under one turn. */
export class FeedbackBar {
  /**
   * @param {number} turn
   * @param {boolean} refused
   * @param {() => void} point runs when the person wants to show the right place
   * @param {() => void} changed runs when feedback was given
   */
  constructor(turn, refused, point, changed) {
    this.turn = turn;
    this.changed = changed;
    const button = (name, verdict) =>
      make("button", { type: "button", "aria-pressed": "false", click: () => this.give(verdict) }, name);
    this.buttons = { right: button("Right", "right"), wrong: button("Wrong", "wrong") };
    this.pointing = make("button", { type: "button", click: point }, "Show the right place");
    this.text = make("span", { class: "given" });
    const question = refused ? "Is it right that there is no answer?" : "Is this right?";
    this.element = make(
      "div",
      { class: "feedback", role: "group", "aria-label": question },
      make("span", { class: "ask-feedback", "aria-hidden": "true" }, question),
      this.buttons.right,
      this.buttons.wrong,
      this.pointing,
      this.text,
    );
  }

  /**
   * Show what was given.
   * @param {string|null} verdict
   * @param {string} [place] the words that were shown to be the answer
   */
  show(verdict, place = "") {
    if (verdict === this.verdict && place === this.place) {
      return;
    }
    Object.assign(this, { verdict, place });
    for (const [name, button] of Object.entries(this.buttons)) {
      button.setAttribute("aria-pressed", String(name === verdict));
    }
    this.text.classList.remove("problem");
    this.text.replaceChildren(GIVEN[verdict] ?? "");
    if (place) {
      this.text.append(" “", make("bdi", {}, place), "”");
    }
  }

  /**
   * Send a verdict; a place is {document_id, sha256, start, end}.
   * @param {string} verdict
   * @param {object} [place]
   * @returns {Promise<boolean>} whether it was kept
   */
  async give(verdict, place) {
    try {
      const kept = await request("POST", "/feedback", { turn_id: this.turn, verdict, ...(place ? { place } : {}) });
      this.verdict = undefined; // so that it is shown, whatever was
      this.show(verdict, place ? kept.answers[0] : "");
      say(this.text.textContent);
      this.changed();
      return true;
    } catch (error) {
      this.text.classList.add("problem");
      fill(this.text, error instanceof Problem ? error.message : "That was not kept: the server does not answer.");
      say(this.text.textContent);
      return false;
    }
  }
}
