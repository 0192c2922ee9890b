/* One turn: the question, how it was understood, what it got, and feedback. */

import { effort, rendered } from "./answer.js";
import { make } from "./dom.js";
import { FeedbackBar } from "./feedback.js";
import { inDocuments, within } from "./within.js";

/** A turn on the page, which follows what the server says of it. */
export class TurnView {
  /**
   * @param {object} turn as GET /conversations/{id} gives it
   * @param {(turn: TurnView) => void} point runs when the person wants to show the right place
   * @param {() => void} changed runs when feedback was given
   */
  constructor(turn, point, changed) {
    this.id = turn.id;
    this.question = turn.question;
    this.tags = turn.answer.tags ?? [];
    this.documents = turn.answer.documents ?? []; // stored answers may be older
    this.understood = make("p", { class: "understood", hidden: true });
    this.body = make("div", { class: "answer" });
    this.effort = make("p", { class: "small" });
    this.feedback = new FeedbackBar(turn.id, Boolean(turn.answer.refusal), () => point(this), changed);
    this.element = make(
      "article",
      { class: "turn", "data-turn": turn.id, "aria-labelledby": `turn-${turn.id}` },
      make("h2", { class: "question", id: `turn-${turn.id}`, dir: "auto" }, turn.question),
      asked(this.tags, this.documents, places(turn.answer)),
      this.understood,
      this.body,
      turn.answer.reply ? null : make("div", { class: "footer" }, this.feedback.element, this.effort),
    );
    this.update(turn);
  }

  /**
   * Show what has changed.
   * @param {object} turn
   */
  update(turn) {
    const { conversation_id: _, turn_id: __, ...answer } = turn.answer;
    const shown = JSON.stringify([answer, turn.quoted]);
    this.feedback.show(turn.feedback, turn.place ?? "");
    if (shown === this.shown) {
      return;
    }
    this.shown = shown;
    this.understood.hidden = !answer.interpreted_as;
    this.understood.replaceChildren("understood as “", make("bdi", {}, answer.interpreted_as ?? ""), "”");
    this.effort.textContent = effort(answer);
    this.body.replaceChildren(...rendered(answer, turn.quoted));
  }

  /** The first place that the turn shows, as a link; null where there is none. */
  get place() {
    return this.body.querySelector("a.place");
  }
}

/**
 * A question that waits for its answer.
 * @param {string} question
 * @param {Array<string>} tags it is asked within
 * @param {Array<string>} documents ids of those that it is asked of
 * @returns {HTMLElement}
 */
export function waitingTurn(question, tags, documents) {
  return make(
    "article",
    { class: "turn waiting", "aria-busy": "true" },
    make("h2", { class: "question", dir: "auto" }, question),
    asked(tags, documents, []),
    make("p", { class: "progress" }, "Searching the documents", make("span", { class: "dots", "aria-hidden": "true" }, "…")),
  );
}

/**
 * What the sample document answers, which is stored nowhere.
 * @param {object} answer
 * @param {string} text of the sample
 * @returns {HTMLElement}
 */
export function sampleTurn(answer, text) {
  const body = make("div", { class: "answer" }, ...rendered(answer, []));
  for (const link of body.querySelectorAll("a.place")) {
    link.replaceWith(make("span", { class: "place" }, ...link.childNodes)); // there is no document to open
  }
  return make(
    "article",
    { class: "turn sample", "aria-label": answer.question },
    make("h2", { class: "question", dir: "auto" }, answer.question),
    body,
    make("details", { class: "more" }, make("summary", {}, "The sample document"), make("p", { class: "passage" }, text)),
  );
}

/** What a question was asked within: tags, documents or both. */
function asked(tags, documents, cited) {
  const words = [...(documents.length ? inDocuments(documents, cited) : []), documents.length && tags.length ? " " : "", ...(tags.length ? within(tags) : [])];
  return (documents.length > 0 || tags.length > 0) && make("p", { class: "asked-within" }, ...words);
}

/** The places that an answer names. */
function places({ citations, refusal, alternatives }) {
  return [...citations, ...(refusal?.nearest ?? []), ...alternatives.map((span) => span.citation)];
}
