/* The list of conversations. */

import { confirmed } from "./confirm.js";
import { byId, make, say } from "./dom.js";
import { chatLink } from "./links.js";
import { Problem, request } from "./server.js";
import { counted } from "./words.js";

const NOT_FOUND = 404;

/** The list at the side; `deleted` gets the id of one that was deleted here. */
export class ConversationList {
  constructor(deleted) {
    this.list = byId("conversations");
    this.deleted = deleted;
    this.current = null;
  }

  /** Ask the server for the list; keeps what is shown while it does not answer. */
  async refresh() {
    try {
      this.#show((await request("GET", "/conversations")).conversations);
    } catch {
      // the banner says so
    }
  }

  /** Mark the one that is open. */
  mark(id) {
    this.current = id;
    for (const link of this.list.querySelectorAll("a")) {
      this.#markLink(link);
    }
  }

  #show(conversations) {
    const asked = conversations.filter((each) => each.turns > 0);
    const shown = JSON.stringify(asked);
    if (shown === this.shown) {
      return;
    }
    this.shown = shown;
    const focused = this.list.contains(document.activeElement) ? document.activeElement : null;
    const id = focused?.closest("li[data-id]")?.dataset.id ?? "";
    const items = asked.map((each) => this.#item(each));
    this.list.replaceChildren(...(items.length ? items : [make("li", { class: "small" }, "None yet.")]));
    this.list.querySelector(`li[data-id="${CSS.escape(id)}"] ${focused?.localName ?? "a"}`)?.focus();
  }

  #item(conversation) {
    const link = make("a", { href: chatLink(conversation.id), "data-conversation": conversation.id, title: conversation.title }, make("span", { dir: "auto" }, conversation.title));
    this.#markLink(link);
    return make(
      "li",
      { "data-id": conversation.id },
      link,
      make("button", { class: "delete", type: "button", "aria-label": `Delete “${conversation.title}”`, click: () => this.#delete(conversation) }, "×"),
    );
  }

  #markLink(link) {
    if (link.dataset.conversation === this.current) {
      link.setAttribute("aria-current", "page");
    } else {
      link.removeAttribute("aria-current");
    }
  }

  async #delete({ id, title, turns }) {
    if (!(await confirmed(`Delete “${title}” with ${counted(turns, "question")}, the answers and the feedback on them?`))) {
      return;
    }
    try {
      await request("DELETE", `/conversations/${encodeURIComponent(id)}`);
    } catch (error) {
      if (!(error instanceof Problem && error.status === NOT_FOUND)) {
        say(error.message);
        return;
      }
    }
    byId("new").focus();
    say("The conversation is deleted.");
    this.deleted(id);
    await this.refresh();
  }
}
