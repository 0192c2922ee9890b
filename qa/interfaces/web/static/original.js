/* The pages of a PDF that a quote stands on, as they are printed, with the quote boxed; beside or above the text. */

import { at } from "./base.js";
import { fill, make } from "./dom.js";
import { request } from "./server.js";

/**
 * A page as the server tells it: size in points, boxes in fractions of it.
 * @typedef {{page: number, pages: number, width: number, height: number, boxes: Array<{left: number, top: number, width: number, height: number}>, missing: number, continues: boolean}} PageView
 */

const PIXELS = 1600;
const VERSION_LENGTH = 12;
const MARGIN = 12; // pixels beside a box
const MOST_PAGES = 4; // of one quote; a longer one is no quote
const NARROW = matchMedia("(max-width: 52rem)");
const wanted = { page: true, text: !NARROW.matches };

/** The original in an element, and buttons that choose what is shown: it, the text, or both. */
export class OriginalView {
  /**
   * @param {HTMLElement} root gets the class "with-original" while there is one
   * @param {HTMLElement} text
   * @param {() => void} changed runs when the text has come to stand elsewhere
   */
  constructor(root, text, changed) {
    this.root = root;
    this.text = text;
    this.changed = changed;
    this.element = make("div", { class: NARROW.matches ? "original large-page" : "original", tabindex: "0", role: "region", "aria-label": "Original page", hidden: true });
    this.note = make("p", { class: "original-note", hidden: true });
    this.buttons = { page: this.#button("Page", () => this.#toggle("page")), text: this.#button("Text", () => this.#toggle("text")) };
    this.larger = this.#button("Enlarge", () => this.#enlarge());
    this.choice = make("div", { class: "choice", role: "group", "aria-label": "What is shown", hidden: true }, ...Object.values(this.buttons), this.larger);
  }

  /**
   * Show the pages that a range of a document stands on; nothing where it has none.
   * @param {import("./versions.js").Version|null} version
   * @param {[number, number]|null} place in code points
   */
  async show(version, place) {
    const asked = {};
    this.asked = asked;
    this.#become([]);
    const numbers = version?.places && place ? pagesOf(version.places, ...place) : [];
    try {
      const views = await found(version, place, numbers);
      if (this.asked === asked) {
        this.#become(views.map((view) => this.#figure(version, view)));
      }
    } catch (error) {
      if (this.asked === asked) {
        this.#become([], `The original page cannot be shown: ${error.message}`);
      }
    }
  }

  #become(figures, note = "") {
    this.element.replaceChildren(...figures);
    fill(this.note, note);
    this.note.hidden = !note;
    this.#apply();
  }

  #figure(version, view) {
    const { page, pages, width, height, boxes, missing } = view;
    const name = version.uri.split("/").at(-1);
    const image = make("img", {
      src: `${at(pagePath(version, page))}.png?v=${version.sha256.slice(0, VERSION_LENGTH)}&width=${PIXELS}`,
      alt: `Page ${page} of ${name}${boxes.length ? ", the quote marked" : ""}`,
      error: () => this.#drop(figure, page),
    });
    const sheet = make("div", { class: "sheet" }, image, boxes.map(boxOf));
    sheet.style.aspectRatio = `${width} / ${height}`;
    const doubt = !missing ? "" : boxes.length ? "; a part of the quote could not be found on it" : "; where on it the quote stands is not known";
    const figure = make("figure", {}, sheet, make("figcaption", {}, `Page ${page} of ${pages}${doubt}`));
    return figure;
  }

  #drop(figure, page) {
    if (figure.isConnected) {
      const rest = [...this.element.children].filter((each) => each !== figure);
      this.#become(rest, `Page ${page} of the original cannot be shown.`);
    }
  }

  #button(name, click) {
    return make("button", { type: "button", "aria-pressed": "false", click }, name);
  }

  #toggle(part) {
    wanted[part] = !wanted[part];
    if (!wanted.page && !wanted.text) {
      wanted[part === "page" ? "text" : "page"] = true;
    }
    this.#apply();
  }

  #enlarge() {
    this.element.classList.toggle("large-page");
    this.#apply();
  }

  /** Show what is wanted of what there is. */
  #apply() {
    const any = this.element.childElementCount > 0;
    const before = this.root.className + this.text.hidden;
    this.element.hidden = !any || !wanted.page;
    this.text.hidden = any && !wanted.text;
    this.choice.hidden = !any;
    this.larger.hidden = this.element.hidden;
    this.root.classList.toggle("with-original", !this.element.hidden);
    this.root.classList.toggle("only-original", this.text.hidden);
    for (const [part, button] of Object.entries(this.buttons)) {
      button.setAttribute("aria-pressed", String(wanted[part]));
    }
    this.larger.setAttribute("aria-pressed", String(this.element.classList.contains("large-page")));
    this.#reveal();
    if (before !== this.root.className + this.text.hidden) {
      this.changed();
    }
  }

  /** Bring the first box into view, and of the others of its page as much as there is room for. */
  #reveal() {
    const boxes = [...(this.element.querySelector("figure:has(.quote-box)")?.querySelectorAll(".quote-box") ?? [])].map((each) => each.getBoundingClientRect());
    if (boxes.length) {
      const frame = this.element.getBoundingClientRect();
      const left = Math.min(...boxes.map((box) => box.left));
      const width = Math.max(...boxes.map((box) => box.right)) - left;
      this.element.scrollTop += boxes[0].top - frame.top - Math.max(0, (frame.height - boxes[0].height) / 3);
      this.element.scrollLeft += left - frame.left - Math.max(MARGIN, (frame.width - width) / 2);
    }
  }
}

/** The pages of a range, and where the last word of one ends on the next, that too. */
async function found(version, place, numbers) {
  const query = new URLSearchParams({ v: version?.sha256.slice(0, VERSION_LENGTH), start: place?.[0], end: place?.[1] });
  const views = [];
  for (let page = numbers[0], left = numbers.slice(0, MOST_PAGES); page; page = left[0]) {
    const view = await request("GET", `${pagePath(version, page)}?${query}`);
    views.push(view);
    left = left.slice(1);
    if (view.continues && !left.length && views.length < MOST_PAGES) {
      left = [page + 1];
    }
  }
  return views;
}

/** The numbers of the pages that a range touches; none in formats without pages. */
function pagesOf({ starts, places }, start, end) {
  const touched = places.filter((place, at) => place.page && starts[at] < end && (starts[at + 1] ?? Infinity) > start);
  return [...new Set(touched.map((place) => place.page))].sort((one, other) => one - other);
}

function pagePath({ document_id: id }, page) {
  return `/documents/${encodeURIComponent(id)}/pages/${page}`;
}

function boxOf({ left, top, width, height }) {
  const box = make("div", { class: "quote-box" });
  for (const [side, share] of Object.entries({ left, top, width, height })) {
    box.style[side] = `${100 * share}%`;
  }
  return box;
}
