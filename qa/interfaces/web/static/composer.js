/* The question box. */

import { byId } from "./dom.js";
import { Within } from "./within.js";

const SURE_ONLY = "quoted.sure";

/** The box and its button. */
export class Composer {
  /**
   * @param {(question: string) => void} send gets a question to answer
   * @param {(query: string) => void} search gets words whose passages are looked for
   * @param {(mode: string) => void} chosen hears of another mode, "ask" or "search"
   */
  constructor(send, search, chosen) {
    this.search = search;
    this.chosen = chosen;
    this.box = byId("question");
    this.button = byId("send");
    this.form = byId("ask");
    this.within = new Within();
    this.modes = { ask: byId("mode-ask"), search: byId("mode-search") };
    this.mode = "ask";
    for (const [mode, button] of Object.entries(this.modes)) {
      button.addEventListener("click", () => this.choose(mode));
    }
    this.sureOnly = byId("sure");
    this.sureOnly.checked = localStorage.getItem(SURE_ONLY) === "yes";
    this.sureOnly.addEventListener("change", () => localStorage.setItem(SURE_ONLY, this.sure ? "yes" : "no"));
    this.send = send;
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.submit();
      }
    });
    this.box.addEventListener("input", () => this.fit());
  }

  /** Whether answers that are merely likely are to be refused. */
  get sure() {
    return this.sureOnly.checked;
  }

  /** Send what is typed, unless it is nothing or another question waits. */
  submit() {
    const question = this.box.value.trim();
    if (question && !this.busy) {
      if (this.mode === "search") {
        this.search(question); // the words stay, to be changed
        return;
      }
      this.text = "";
      this.send(question);
    }
  }

  /**
   * Ask for answers, or for passages alone.
   * @param {string} mode "ask" or "search"
   */
  choose(mode) {
    this.mode = mode;
    for (const [name, button] of Object.entries(this.modes)) {
      button.setAttribute("aria-pressed", String(name === mode));
    }
    this.box.placeholder = mode === "search" ? "Search for passages" : "Ask a question";
    this.button.textContent = mode === "search" ? "Search" : "Ask";
    this.sureOnly.closest("label").hidden = mode === "search";
    this.chosen(mode);
    this.box.focus();
  }

  /** While a question waits, no other is sent. */
  set busy(value) {
    this.button.setAttribute("aria-disabled", String(value));
  }

  get busy() {
    return this.button.getAttribute("aria-disabled") === "true";
  }

  set text(value) {
    this.box.value = value;
    this.fit();
  }

  /** Give a question back that was not answered, unless another is typed by now. */
  restore(question) {
    if (!this.box.value.trim()) {
      this.text = question;
    }
  }

  focus() {
    this.box.focus();
  }

  fit() {
    this.box.style.height = "auto";
    this.box.style.height = `${this.box.scrollHeight}px`;
  }
}
