/* The question box. */

import { byId } from "./dom.js";
import { Within } from "./within.js";

const SURE_ONLY = "quoted.sure";

/** The box and its button; `send` gets the question. */
export class Composer {
  constructor(send) {
    this.box = byId("question");
    this.button = byId("send");
    this.form = byId("ask");
    this.within = new Within();
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
      this.text = "";
      this.send(question);
    }
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
