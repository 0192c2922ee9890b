/* A source is named by its permanent link, /read/{id}?v=<first 12 hex of sha256>#c=start-end; the chat's address carries it, too. */

/**
 * A place in a document: `version` begins its sha256 (none: the current text), `start` and `end` are code points, `turn` is what quotes it;
 * `words` are looked for where no range is given.
 * @typedef {{id: string, version: string|null, start: number|null, end: number|null, turn: number|null, words?: string}} Source
 */

import { at, BASE } from "./base.js";

const VERSION_LENGTH = 12;

/**
 * The permanent link to a place.
 * @param {string} id
 * @param {string|null} sha256
 * @param {number|null} [start]
 * @param {number|null} [end]
 * @returns {string}
 */
export function readLink(id, sha256, start = null, end = null) {
  const version = sha256 ? `?v=${sha256.slice(0, VERSION_LENGTH)}` : "";
  return `${at("/read/")}${encodeURIComponent(id)}${version}${start === null ? "" : `#c=${start}-${end}`}`;
}

/**
 * The place that a permanent link names.
 * @param {URL|Location} url
 * @returns {Source|null}
 */
export function sourceOf(url) {
  const path = url.pathname.startsWith(BASE) ? url.pathname.slice(BASE.length) : "";
  const found = /^read\/([^/]+)$/u.exec(path);
  if (!found) {
    return null;
  }
  const [start, end] = spanned(/^#c=(\d+-\d+)$/u.exec(url.hash)?.[1]);
  return { id: decoded(found[1]), version: new URLSearchParams(url.search).get("v"), start, end, turn: null };
}

/**
 * What the chat's address carries: the conversation, and the source that is open beside it.
 * @returns {{conversation: string|null, source: Source|null}}
 */
export function address() {
  const values = new URLSearchParams(location.search);
  const id = values.get("doc");
  const [start, end] = spanned(values.get("at"));
  const turn = Number.parseInt(values.get("turn"), 10) || null;
  return { conversation: values.get("c"), source: id ? { id, version: values.get("v"), start, end, turn } : null };
}

/**
 * The chat's address for a conversation and an open source.
 * @param {string|null} conversation
 * @param {Source|null} [source]
 * @returns {string}
 */
export function chatLink(conversation, source = null) {
  const values = new URLSearchParams();
  const at = source && source.start !== null ? `${source.start}-${source.end}` : null;
  for (const [name, value] of [["c", conversation], ["doc", source?.id], ["v", source?.version], ["at", at], ["turn", source?.turn]]) {
    if (value !== null && value !== undefined) {
      values.set(name, String(value));
    }
  }
  return values.size ? `${BASE}?${values}` : BASE;
}

/**
 * Follow plain clicks on links within the page.
 * @param {(url: URL, link: HTMLAnchorElement) => boolean} follow returns whether it did
 */
export function onLink(follow) {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    if (link && plain && !link.target && !link.hasAttribute("download") && follow(new URL(link.href), link)) {
      event.preventDefault();
    }
  });
}

function spanned(text) {
  const found = /^(\d{1,15})-(\d{1,15})$/u.exec(text ?? "");
  return found ? [Number(found[1]), Number(found[2])] : [null, null];
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // not what encodeURIComponent made
  }
}
