/* The text of a document: blocks of whole lines, so that a megabyte stays quick, with one range marked. */

import { toPoints, toUnits } from "./codepoints.js";
import { make } from "./dom.js";

const BLOCK = 1500; // UTF-16 units after which a block ends with its line
const LARGE = 100_000; // from here on, blocks out of sight are not laid out

/** The text in an element; offsets in and out are code points. */
export class TextView {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.text = "";
    this.starts = [];
  }

  /**
   * Show a text with a range marked.
   * @param {string} text
   * @param {number|null} start
   * @param {number|null} end
   */
  show(text, start = null, end = null) {
    this.text = text;
    this.starts = [];
    this.marked = start === null || start >= end ? null : [toUnits(text, start), toUnits(text, end)];
    this.root.classList.toggle("large", text.length > LARGE);
    this.root.replaceChildren(...this.#blocks());
  }

  /** What the marks hold. */
  get quote() {
    return this.marked ? this.text.slice(...this.marked) : "";
  }

  /** Bring the marked range into view. */
  reveal() {
    const mark = this.root.querySelector("mark");
    if (!mark) {
      this.root.scrollTop = 0;
      return;
    }
    mark.scrollIntoView({ block: "center" });
    if (this.root.classList.contains("large")) {
      requestAnimationFrame(() => requestAnimationFrame(() => mark.scrollIntoView({ block: "center" }))); // by now its surroundings are laid out
    }
  }

  /**
   * The range of the text that a DOM range covers, without white space around it; null where that is nothing.
   * @param {Range} range
   * @returns {{start: number, end: number, text: string}|null}
   */
  offsets(range) {
    if (!this.text || !range.intersectsNode(this.root)) {
      return null;
    }
    const whole = document.createRange();
    whole.selectNodeContents(this.root);
    const starts = range.compareBoundaryPoints(Range.START_TO_START, whole) < 0 ? 0 : this.#units(range.startContainer, range.startOffset);
    const ends = range.compareBoundaryPoints(Range.END_TO_END, whole) > 0 ? this.text.length : this.#units(range.endContainer, range.endOffset);
    const piece = this.text.slice(starts, ends);
    const text = piece.trim();
    if (!text) {
      return null;
    }
    const first = starts + piece.indexOf(text);
    const start = toPoints(this.text, first);
    return { start, end: start + toPoints(text, text.length), text };
  }

  #blocks() {
    const blocks = [];
    for (let at = 0; at < this.text.length;) {
      const newline = this.text.indexOf("\n", at + BLOCK);
      const end = newline === -1 ? this.text.length : newline + 1;
      this.starts.push(at);
      blocks.push(make("div", { class: "block", dir: "auto" }, ...this.#pieces(at, end)));
      at = end;
    }
    return blocks;
  }

  #pieces(at, end) {
    const [first, last] = this.marked ?? [0, 0];
    const from = Math.min(Math.max(first, at), end);
    const to = Math.max(Math.min(last, end), from);
    return [this.text.slice(at, from), from < to ? make("mark", {}, this.text.slice(from, to)) : "", this.text.slice(to, end)].filter(Boolean);
  }

  #units(node, offset) {
    if (node === this.root) {
      return offset < this.starts.length ? this.starts[offset] : this.text.length;
    }
    const element = node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement;
    const block = element.closest(".block");
    const before = document.createRange();
    before.selectNodeContents(block);
    before.setEnd(node, offset);
    return this.starts[[...this.root.children].indexOf(block)] + before.toString().length;
  }
}
