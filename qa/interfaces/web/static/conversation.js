/* The open conversation: its turns, and asking the next question. */

import { spoken } from "./answer.js";
import { byId, fill, say } from "./dom.js";
import { Problem, request } from "./server.js";
import { sampleTurn, TurnView, waitingTurn } from "./turn.js";

const NOT_FOUND = 404;
const UNKNOWN_TAG = "Unknown tag";
const LOST = "This conversation has been deleted. Ask again, and another one begins.";

/** The turns in the middle of the page. */
export class Conversation {
  /**
   * @param {import("./composer.js").Composer} composer
   * @param {{began: function, lost: function, point: function, changed: function}} hear what the page must know
   */
  constructor(composer, hear) {
    this.composer = composer;
    this.hear = hear;
    this.id = null;
    this.title = "";
    this.views = new Map();
    this.turns = byId("turns");
    this.welcome = byId("welcome");
    this.noticeBox = byId("notice");
  }

  turn(id) {
    return this.views.get(id) ?? null;
  }

  get lastTurn() {
    return [...this.views.values()].at(-1) ?? null;
  }

  /** Open a conversation, or a new one (null); nothing happens if it is open already. */
  async open(id) {
    if (id === this.id && (id === null || this.views.size || this.waiting)) {
      this.#welcome();
      return;
    }
    this.#clear(id);
    await this.refresh();
    this.composer.within.tags = this.lastTurn?.tags ?? [];
    this.composer.within.documents = this.lastTurn?.documents ?? [];
    this.#scrollTo(this.lastTurn?.element);
  }

  /** Ask the server for the turns, as another tab may have changed them. */
  async refresh() {
    const { id } = this;
    if (!id || this.waiting?.isConnected) {
      return;
    }
    try {
      const { title, turns } = await request("GET", `/conversations/${encodeURIComponent(id)}`);
      if (id === this.id) {
        this.title = title;
        this.#show(turns);
      }
    } catch (error) {
      if (id === this.id) {
        this.#failed(error);
      }
    }
  }

  /** Ask the next question; one that fails goes back into the box. */
  async ask(question) {
    if (this.waiting) {
      this.composer.restore(question);
      return;
    }
    let conversation = this.id;
    const { tags, documents } = this.composer.within;
    this.#begin(question, tags, documents);
    try {
      conversation ??= await this.#start();
      const answer = await request("POST", "/ask", { question, conversation_id: conversation, tags: tags.length ? tags : null, documents: documents.length ? documents : null, sure: this.composer.sure });
      this.#end();
      if (this.id === conversation) {
        await this.refresh();
        this.#scrollTo(this.turn(answer.turn_id)?.element);
      }
      say(spoken(answer));
      this.hear.changed();
    } catch (error) {
      this.#end();
      this.composer.restore(question);
      if (this.id === conversation) {
        this.#failed(error);
      }
    }
  }

  /** Ask the sample document, while nothing is indexed; nothing is stored of it. */
  async askSample(question) {
    if (this.waiting) {
      return;
    }
    this.#begin(question);
    try {
      const answer = await request("POST", "/ask", { question, sample: true });
      const { text } = await request("GET", "/sample");
      this.#end();
      const shown = sampleTurn(answer, text);
      this.turns.append(shown);
      this.#welcome();
      this.#scrollTo(shown);
      say(spoken(answer));
    } catch (error) {
      this.#end();
      this.#failed(error);
    }
  }

  /** Documents are indexed by now: what the sample answered goes. */
  forgetSample() {
    this.turns.querySelectorAll(".turn.sample").forEach((turn) => turn.remove());
    this.#welcome();
  }

  /** Show the welcome where there is nothing else to show. */
  showWelcome() {
    this.#welcome();
  }

  async #start() {
    const { id } = await request("POST", "/conversations");
    this.id = id;
    this.hear.began(id);
    return id;
  }

  #begin(question, tags = [], documents = []) {
    this.#notice("");
    this.waiting = waitingTurn(question, tags, documents);
    this.composer.busy = true;
    this.turns.append(this.waiting);
    this.#welcome();
    this.#scrollTo(this.waiting);
    say("Searching the documents.");
  }

  #end() {
    this.waiting.remove();
    this.waiting = null;
    this.composer.busy = false;
    this.#welcome();
  }

  #show(turns) {
    const known = new Set(turns.map((turn) => turn.id));
    for (const [id, view] of this.views) {
      if (!known.has(id)) {
        view.element.remove();
        this.views.delete(id);
      }
    }
    for (const turn of turns) {
      const view = this.views.get(turn.id);
      if (view) {
        view.update(turn);
      } else {
        const made = new TurnView(turn, this.hear.point, this.hear.changed);
        this.views.set(turn.id, made);
        this.turns.append(made.element);
      }
    }
    this.#welcome();
  }

  #failed(error) {
    if (error instanceof Problem && error.title === UNKNOWN_TAG) {
      this.#notice(error.message);
      this.composer.within.refresh();
    } else if (error instanceof Problem && error.status === NOT_FOUND) {
      this.#clear(null);
      this.hear.lost();
      this.#notice(LOST);
    } else if (error instanceof Problem) {
      this.#notice(error.message);
    }
  }

  #clear(id) {
    this.id = id;
    this.title = "";
    this.views.clear();
    this.turns.replaceChildren();
    this.#notice("");
    this.#welcome();
  }

  #welcome() {
    const beside = this.turns.hidden; // passages are shown
    this.welcome.hidden = beside || this.id !== null || this.turns.childElementCount > 0;
  }

  #notice(text) {
    this.noticeBox.hidden = !text;
    fill(this.noticeBox, text);
  }

  #scrollTo(element) {
    element?.scrollIntoView({ block: "start" });
  }
}
