/* The text that a source names: the current one, or one that was quoted. */

import { readLink } from "./links.js";
import { Problem, request } from "./server.js";

/**
 * A document's text in one version; `current_sha256` is null where the document has been deleted.
 * @typedef {{document_id: string, title: string, uri: string, sha256: string, current_sha256: string|null, text: string, places: object|null}} Version
 */

const NOT_FOUND = 404;

/**
 * The version that a source names; throws Problem where nothing of the document is kept.
 * @param {import("./links.js").Source} source
 * @returns {Promise<Version>}
 */
export async function loaded({ id, version }) {
  if (version) {
    return request("GET", `/documents/${encodeURIComponent(id)}/versions/${encodeURIComponent(version)}`);
  }
  const { document, text, places } = await request("GET", `/documents/${encodeURIComponent(id)}`);
  const { title, uri, sha256 } = document;
  return { document_id: document.id, title, uri, sha256, current_sha256: sha256, text, places };
}

/**
 * Why a source cannot be shown, and where its current version is, if there is one.
 * @param {import("./links.js").Source} source
 * @param {Error} error
 * @returns {Promise<{message: string, link: string|null}>}
 */
export async function missing({ id, version }, error) {
  if (!(error instanceof Problem && error.status === NOT_FOUND)) {
    return { message: error.message, link: null };
  }
  const current = version ? await request("GET", `/documents/${encodeURIComponent(id)}`).catch(() => null) : null;
  return current
    ? { message: "This version of the document is not kept any more.", link: readLink(id, current.document.sha256) }
    : { message: "This document has been deleted, and its text with it.", link: null };
}

/**
 * Where some words stand in a text, in code points, if they stand there once.
 * @param {string} text
 * @param {string} words
 * @returns {[number, number]|null}
 */
export function onlyPlace(text, words) {
  const at = words ? text.indexOf(words) : -1;
  if (at === -1 || text.indexOf(words, at + 1) !== -1) {
    return null;
  }
  const start = [...text.slice(0, at)].length;
  return [start, start + [...words].length];
}
