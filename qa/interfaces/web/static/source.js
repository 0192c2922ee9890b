/* A source: its text with the quote marked, where that is, and what can be done with it. */

import { toUnits } from "./codepoints.js";
import { copied } from "./clipboard.js";
import { fill, make, say } from "./dom.js";
import { readLink } from "./links.js";
import { OriginalView } from "./original.js";
import { followSelection } from "./selecting.js";
import { withSigns } from "./signs.js";
import { TextView } from "./textview.js";
import { loaded, missing, onlyPlace } from "./versions.js";
import { lines, placeAt, range, shortened, where } from "./words.js";

const VERSION_LENGTH = 12;

/** A source in an element: the panel beside the chat, or a page of its own. */
export class SourceView {
  /**
   * @param {HTMLElement} root
   * @param {{heading: string, close?: HTMLElement, bar?: import("./placebar.js").PlaceBar}} parts
   */
  constructor(root, { heading, close = null, bar = null }) {
    this.root = root;
    this.bar = bar;
    this.title = make(heading, { class: "source-title", tabindex: "-1", dir: "auto" });
    this.where = make("p", { class: "where" });
    this.uri = make("p", { class: "uri", dir: "auto" });
    this.copy = make("button", { type: "button", click: () => this.copyQuote() }, "Copy quote with citation");
    this.link = make("a", { class: "button", target: "_blank", rel: "noopener" }, "Permanent link");
    this.tools = make("div", { class: "tools" }, this.copy, this.link);
    this.banner = make("div", { class: "version", role: "status", hidden: true });
    this.text = make("div", { class: "text", tabindex: "0", role: "region", "aria-label": "Text of the document" });
    this.view = new TextView(this.text);
    this.original = new OriginalView(root, this.text, () => this.view.reveal());
    this.tools.append(this.original.choice);
    const head = make("div", { class: "source-head" }, close, this.title, this.where, this.uri, this.tools);
    root.replaceChildren(...[head, this.banner, this.original.note, this.original.element, this.text, bar?.element].filter(Boolean));
    followSelection(this.view, (selected) => this.#select(selected));
  }

  /**
   * Load and show a source; what was asked for last wins.
   * @param {import("./links.js").Source} source
   */
  async open(source) {
    this.source = source;
    this.root.setAttribute("aria-busy", "true");
    try {
      const version = await loaded(source);
      if (this.source === source) {
        this.#show(version, source);
      }
    } catch (error) {
      const found = await missing(source, error);
      if (this.source === source) {
        this.#missing(found);
      }
    } finally {
      if (this.source === source) {
        this.root.removeAttribute("aria-busy");
      }
    }
  }

  /** What is selected, or else what is marked: code points and words. */
  get place() {
    const [start, end] = this.marked ?? [];
    return this.selected ?? (this.marked ? { start, end, text: this.view.quote } : null);
  }

  /** Copy the selected or the marked words, with where they stand. */
  async copyQuote() {
    const { title, uri, sha256 } = this.shown;
    const citation = `${title} (${uri}), ${this.#whereOf(this.place)}, sha256 ${sha256.slice(0, VERSION_LENGTH)}`;
    const done = await copied(`“${this.place.text}”\n— ${citation}\n${this.link.href}\n`);
    say(done ? "Copied." : "The browser does not let this page copy.");
    this.copy.textContent = done ? "Copied" : "Copying is not allowed here";
    setTimeout(() => this.copy.replaceChildren("Copy quote with citation"), 2000);
  }

  #show(version, source) {
    const given = source.start === null ? null : [source.start, source.end];
    const found = source.words ? onlyPlace(version.text, source.words) : given;
    this.shown = version;
    this.selected = null;
    this.view.show(version.text, ...(found ?? []));
    this.marked = this.view.quote ? found : null;
    fill(this.title, version.title);
    fill(this.uri, version.uri);
    this.tools.hidden = false;
    this.#version(version, source.words);
    this.#place();
    this.view.reveal();
    this.original.show(version, this.marked);
  }

  #missing({ message, link }) {
    this.shown = this.marked = this.selected = null;
    this.view.show("");
    this.original.show(null, null);
    this.title.textContent = "Source";
    this.where.textContent = this.uri.textContent = "";
    this.tools.hidden = true;
    this.banner.hidden = false;
    fill(this.banner, `${message} `, link ? make("a", { class: "newer", href: link }, "Open the current version") : "");
    this.bar?.show(null, null);
  }

  #version({ document_id: id, sha256, current_sha256: current }, words) {
    this.banner.hidden = current === sha256 && !words;
    if (current === null) {
      this.banner.replaceChildren("This document has been deleted. This is its text as it was quoted.");
    } else if (current !== sha256) {
      const link = make("a", { class: "newer", href: readLink(id, current) }, "Open the current version");
      this.banner.replaceChildren("This is an older version: the document has changed since. ", link);
    } else {
      this.banner.replaceChildren(this.marked ? "The quoted words still stand here." : "The quoted words do not stand here any more, or in several places.");
    }
  }

  #select(selected) {
    if (this.shown) {
      this.selected = selected;
      this.#place();
    }
  }

  #place() {
    const { document_id: id, sha256 } = this.shown;
    const place = this.place;
    this.where.textContent = place ? this.#whereOf(place) : "";
    this.link.href = readLink(id, sha256, place?.start, place?.end);
    this.copy.hidden = !place;
    this.copy.setAttribute("aria-label", place ? withSigns(`Copy quote with citation: ${shortened(place.text, 80)}`) : "");
    this.bar?.show(this.shown, this.selected);
  }

  #whereOf({ start, end }) {
    const { text, places } = this.shown;
    const named = places ? where(placeAt(places, start)) : lines(text, toUnits(text, start), toUnits(text, end));
    return [named, range(start, end)].filter(Boolean).join(", ");
  }
}
