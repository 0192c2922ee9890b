/* Files that are dropped on the page or chosen with the button: sent one by one, each with a line that says what became of it. */

import { byId, fill, make, say } from "./dom.js";
import { dropped } from "./dropping.js";
import { readLink } from "./links.js";
import { sent } from "./sending.js";
import { request } from "./server.js";
import { counted } from "./words.js";

const SENDERS = 2; // files that are on their way at once
const POLL_MS = 400;
const RESULTS = { added: "added", updated: "replaced", unchanged: "unchanged", skipped: "skipped" };

/** The uploads above the list of documents. */
export class Uploads {
  /**
   * @param {import("./documents.js").DocumentList} documents
   * @param {() => void} opened makes the list visible
   */
  constructor(documents, opened) {
    this.documents = documents;
    this.opened = opened;
    this.lines = byId("uploads");
    this.queue = [];
    this.jobs = [];
    this.sending = 0;
    const input = byId("files");
    byId("choose").addEventListener("click", () => input.click());
    byId("clear").addEventListener("click", () => this.#clear());
    input.addEventListener("change", () => {
      this.add([...input.files]);
      input.value = "";
    });
    dropped((files) => this.add(files));
  }

  /** Send files, or say why not. */
  add(files) {
    return this.#take(files.map((file) => new Line(file)));
  }

  /** Send a file in the place of an uploaded document. */
  replace({ id, uri }, file) {
    return this.#take([new Line(file, { method: "PUT", path: `/documents/${encodeURIComponent(id)}`, name: uri })]);
  }

  async #take(added) {
    if (!added.length) {
      return;
    }
    this.opened();
    byId("clear").hidden = true;
    this.#summary("");
    this.lines.append(...added.map((line) => line.item));
    this.lines.hidden = false;
    say(`Sending ${counted(added.length, "file")}.`);
    await this.documents.refresh(); // says how large a file may be
    this.queue.push(...added);
    for (; this.sending < SENDERS && this.queue.length; this.sending += 1) {
      this.#send();
    }
    if (!this.polling) {
      this.polling = this.#poll();
    }
  }

  async #send() {
    for (let line = this.queue.shift(); line; line = this.queue.shift()) {
      try {
        if (line.file.size > this.documents.maxBytes) {
          throw new Error(`has ${line.file.size.toLocaleString("en")} bytes, the limit is ${this.documents.maxBytes.toLocaleString("en")}`);
        }
        const job = await sent(line.method, line.path, line.file, (share) => line.progress(share));
        line.waiting();
        this.jobs.push({ line, id: job.id });
      } catch (error) {
        line.done("skipped", error.message);
      }
    }
    this.sending -= 1;
  }

  /** Follow the jobs in the order in which they are worked off, until nothing is on its way. */
  async #poll() {
    while (this.sending || this.jobs.length) {
      const [first] = this.jobs;
      if (!first || !(await this.#isDone(first))) {
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    }
    this.polling = null;
    await this.documents.refresh();
    this.documents.hear.changed();
    this.#conclude();
  }

  async #isDone({ line, id }) {
    try {
      const { files } = await request("GET", `/jobs/${id}`);
      const unfinished = files.some(({ status }) => !RESULTS[status]);
      if (unfinished) {
        return false;
      }
      const [{ status, detail, document_id: document }] = files.length ? files : [{ status: "skipped", detail: "was deleted" }];
      line.done(status, detail, document);
    } catch (error) {
      line.done("skipped", error.message);
    }
    this.jobs.shift();
    return true;
  }

  #conclude() {
    const counts = Object.entries(RESULTS).map(([status, word]) => [this.lines.querySelectorAll(`.${status}`).length, word]);
    const summary = `Uploads: ${counts.filter(([count]) => count).map(([count, word]) => `${count} ${word}`).join(", ")}.`;
    say(summary);
    this.#summary(summary);
    this.lines.prepend(...this.lines.querySelectorAll(".skipped"));
    byId("clear").hidden = false;
  }

  #summary(text) {
    fill(byId("uploads-summary"), text);
    byId("uploads-summary").hidden = !text;
  }

  #clear() {
    this.lines.replaceChildren();
    this.lines.hidden = true;
    this.#summary("");
    byId("clear").hidden = true;
    byId("choose").focus();
  }
}

/** One file: its name, how far it is, and what became of it. */
class Line {
  constructor(file, { method = "POST", path = "/documents", name = file.name } = {}) {
    Object.assign(this, { file, method, path });
    this.label = name === file.name ? name : `${name}, from ${file.name}`;
    this.bar = make("progress", { max: 1, value: 0, "aria-label": `Sending ${this.label}` });
    this.text = make("span", { class: "result" }, "waiting to be sent");
    this.name = make("bdi", { class: "name" }, this.label);
    this.item = make("li", {}, this.name, this.bar, this.text);
  }

  progress(share) {
    this.bar.value = share;
    this.text.textContent = "being sent";
  }

  waiting() {
    this.bar.removeAttribute("value");
    this.text.textContent = "being read";
  }

  done(status, detail, document = null) {
    this.bar.remove();
    this.item.className = status;
    fill(this.text, make("strong", {}, RESULTS[status]), detail ? `: ${detail}` : "");
    if (document) {
      this.name.replaceChildren(make("a", { href: readLink(document, null) }, this.label));
    }
  }
}
