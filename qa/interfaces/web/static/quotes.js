/* A quote: the sentence with its spans marked, and the places where it stands. */

import { toUnits } from "./codepoints.js";
import { make } from "./dom.js";
import { readLink } from "./links.js";
import { BECOME, FRESHNESS, level, range, where } from "./words.js";

const CONTEXT = 240; // UTF-16 units of a sentence that are shown on either side of its marks

/**
 * Spans with their sentence and places; those of one sentence are shown in it together.
 * @param {Array<object>} spans as the server gives them
 * @param {Array<object>} quoted the states of the documents
 * @param {string} [kind] of the answer; "earlier" for what older versions say
 * @returns {Array<HTMLElement>}
 */
export function quotes(spans, quoted, kind = "span") {
  const groups = new Map();
  for (const span of spans) {
    const { document_id: id, sha256, sentence_start: start, sentence_end: end } = span.citation;
    const key = [id, sha256, start, end].join(" ");
    groups.set(key, [...(groups.get(key) ?? []), span]);
  }
  const all = [...groups.values()];
  if (kind === "list" && all.length > 1 && all.every((group) => isCell(group, all[0]))) {
    return [cells(all.flat(), quoted)];
  }
  return all.map((group, number) => quoteOf(group, quoted, kind, all[number - 1]?.at(-1).citation.document_id));
}

/** A quote; the title of its document is left out where the quote before it is of the same one. */
function quoteOf(group, quoted, kind, before) {
  const places = group.flatMap((span) => [span.citation, ...span.further]);
  return make(
    "figure",
    { class: "quote" },
    kind === "steps" && group[0].citation.heading ? make("h3", { dir: "auto" }, group[0].citation.heading.split(" › ").at(-1)) : null,
    make("blockquote", { dir: "auto" }, ...content(group, kind)),
    make(
      "figcaption",
      {},
      make("ul", { class: "places" }, placeItems(places, group.length > 1, quoted, before)),
      kind === "earlier" ? null : how(group),
    ),
  );
}

/** Whether a quote is all of its sentence, as a cell of a table is, in the document of another. */
function isCell(group, [{ citation }]) {
  return group.length === 1 && group[0].text === group[0].citation.sentence && group[0].citation.document_id === citation.document_id;
}

/** The cells of a column as one list, each with a link to its place. */
function cells(spans, quoted) {
  const items = spans.map(({ text, citation }) => make("li", {}, make("a", { class: "place", href: readLink(citation.document_id, citation.sha256, citation.start, citation.end) }, make("mark", {}, text))));
  return make(
    "figure",
    { class: "quote" },
    make("blockquote", { dir: "auto" }, make("ul", { class: "cells" }, items)),
    make("figcaption", {}, make("ul", { class: "places" }, placeItems([spans[0].citation], false, quoted)), how(spans)),
  );
}

/** The sentence with its marks; a list that is quoted whole is laid out as one. */
function content(group, kind) {
  const [{ text, citation }] = group;
  const whole = group.length === 1 && text === citation.sentence;
  const items = whole && (kind === "steps" || kind === "list") ? itemsOf(text) : [];
  return items.length > 1 ? items.map((item) => make("span", { class: "item" }, make("mark", {}, item))) : marked(group.map((span) => span.citation));
}

const MARK = /^\s*(?:[-•*–—▪◦‣·]|\(?[\p{L}\d]{1,3}[.)])\s/u;

/**
 * The items of a quoted list, each on one line; a line without a mark goes on with the item above it, unless none has one.
 * @param {string} text
 * @returns {Array<string>}
 */
export function itemsOf(text) {
  const lines = text.split("\n").filter((line) => line.trim());
  const hasMarks = lines.some((line) => MARK.test(line));
  const items = [];
  for (const line of lines) {
    if (items.length && hasMarks && !MARK.test(line)) {
      items[items.length - 1] += ` ${line.trim()}`;
    } else {
      items.push(line.trim());
    }
  }
  return items;
}

/**
 * Documents, each once as a link, with the words that show why it is named where these are more than its title.
 * @param {Array<object>} spans
 * @param {Array<object>} quoted the states of the documents
 * @returns {HTMLElement}
 */
export function listed(spans, quoted) {
  return make("ul", { class: "found-in" }, spans.map((span) => make(
    "li",
    { class: "quote" },
    make("ul", { class: "places" }, placeItems([span.citation, ...span.further], false, quoted)),
    span.text.trim() === span.citation.title.trim() ? null : make("blockquote", { dir: "auto" }, ...marked([span.citation])),
  )));
}

/** How sure spans are; what was found by its words alone is not a matter of confidence. */
function how(group) {
  const best = Math.max(...group.map((span) => span.confidence));
  return best < 1 ? make("p", { class: "confidence" }, ...confidence(best)) : null;
}

/**
 * A confidence in words and as a number.
 * @param {number} value
 * @returns {Array<Node|string>}
 */
export function confidence(value) {
  const word = level(value);
  return ["Confidence: ", make("span", { class: `level ${word}` }, `${word} (${value.toFixed(2)})`)];
}

/** The sentence of some citations with each quote marked; what is far from all of them is left out. */
function marked(citations) {
  const { sentence, sentence_start: origin } = citations[0];
  const spans = citations
    .map(({ start, end }) => [toUnits(sentence, start - origin), toUnits(sentence, end - origin)])
    .sort(([one], [other]) => one - other);
  const from = wordBefore(sentence, spans[0][0] - CONTEXT);
  const to = wordAfter(sentence, Math.max(...spans.map(([, end]) => end)) + CONTEXT);
  const parts = from > 0 ? ["… "] : [];
  let at = from;
  for (const [start, end] of spans) {
    const first = Math.max(at, start); // spans may overlap
    if (end > first) {
      parts.push(sentence.slice(at, first), make("mark", {}, sentence.slice(first, end)));
      at = end;
    }
  }
  parts.push(sentence.slice(at, to));
  return to < sentence.length ? [...parts, " …"] : parts;
}

function wordBefore(text, at) {
  const space = at > 0 ? text.indexOf(" ", at) : -1;
  return at <= 0 ? 0 : space === -1 || space > at + CONTEXT / 2 ? whole(text, at) : space + 1;
}

function wordAfter(text, at) {
  if (at >= text.length) {
    return text.length;
  }
  const space = text.lastIndexOf(" ", at);
  return space < at - CONTEXT / 2 ? whole(text, at) : space;
}

/** An index that does not cut a surrogate pair. */
function whole(text, at) {
  return text.codePointAt(at - 1) > 0xffff ? at - 1 : at;
}

/** The places, each document's title shown once in a row. */
function placeItems(places, several, quoted, before = null) {
  return places.map((place, number) => {
    const again = place.document_id === (number ? places[number - 1].document_id : before);
    return make("li", { class: again ? "again" : null }, placeLink(place, several, again), again ? null : become(place, quoted));
  });
}

function placeLink(place, several, again) {
  return make(
    "a",
    { class: "place", href: readLink(place.document_id, place.sha256, place.start, place.end) },
    make("cite", { dir: "auto", class: again ? "visually-hidden" : null }, place.title),
    make("span", { class: "where" }, placeWords(place)),
    several ? make("span", { class: "visually-hidden" }, `: ${place.quote}`) : null,
  );
}

const ORIGINS = { name: "by its name", file: "by the file’s properties" };

/** The date of a place's document, and where it comes from if its text does not say it. */
function dated({ date, date_source: source }) {
  return date && [date, ORIGINS[source]].filter(Boolean).join(" ");
}

function placeWords(place) {
  return [
    dated(place),
    place.heading ? `under ${place.heading}` : null,
    where(place),
    range(place.start, place.end),
  ].filter(Boolean).join(" · ");
}

/** What has become of the document of a place, or else of its file before the answer was given, where it is not what it was. */
function become(place, quoted) {
  const caution = place.caution ? make("span", { class: "become" }, `Check the original: ${place.caution}`) : null;
  return [caution, becomeOfFile(place, quoted)];
}

function becomeOfFile(place, quoted) {
  const state = quoted.find((each) => each.document_id === place.document_id)?.state;
  if (state in BECOME) {
    return make("span", { class: "become" }, BECOME[state]);
  }
  const [words, meaning] = FRESHNESS[place.freshness] ?? [];
  return words ? make("span", { class: "become", title: meaning }, words, make("span", { class: "visually-hidden" }, `. ${meaning}`)) : null;
}
