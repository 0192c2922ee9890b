/* An answer of quotes, or a refusal with what was searched. */

import { toUnits } from "./codepoints.js";
import { make } from "./dom.js";
import { readLink } from "./links.js";
import { confidence, listed as documentList, quotes } from "./quotes.js";
import { BECOME, counted, range, shortened, took } from "./words.js";

const UNCALIBRATED = "The confidence is not calibrated for these models and this number of passages: “qa calibrate --help” says how to.";
const SELECTION = "A selection of the document's own sentences, in their order.";
const WORTH_SHOWING = 0.1; // share of the answer’s confidence below which another is no possible answer
const PASSAGE = 320; // characters of a nearest passage that are shown

/**
 * What a question got.
 * @param {object} answer as POST /ask gives it
 * @param {Array<object>} quoted the states of the documents
 * @returns {Array<HTMLElement>}
 */
export function rendered(answer, quoted) {
  const given = answer.refusal ? refusal(answer, quoted) : found(answer, quoted);
  const own = answer.notes.filter((note) => note !== SELECTION); // said above the sentences
  const notes = answer.calibrated ? own : [UNCALIBRATED, ...own];
  const doubts = answer.doubts ?? []; // stored answers may be older
  return [
    ...given,
    ...doubts.map(doubtful),
    ...notes.map((note) => make("p", { class: "note" }, note)),
  ];
}

/**
 * How many passages were read, and the time it took.
 * @param {object} answer
 * @returns {string}
 */
export function effort(answer) {
  const { passages_read: read, passages_found: found } = answer;
  if (!found) {
    return `Took ${took(answer.timings_ms.total)}`; // no passage was read, as for a list of documents
  }
  return `${read < found ? `${read} of ` : ""}${counted(found, "passage")} read in ${took(answer.timings_ms.total)}`;
}

/**
 * The answer in a sentence, to be read out.
 * @param {object} answer
 * @returns {string}
 */
export function spoken(answer) {
  if (answer.reply) {
    return answer.reply;
  }
  if (answer.refusal || !answer.answers.length) {
    return `No answer found. ${answer.refusal?.reason ?? ""}`;
  }
  const texts = answer.answers.map((span) => span.text).join("; ");
  return `${answer.certainty === "likely" ? "Probably" : "Answer"}: ${texts}. ${confidence(answer.confidence).map((part) => part.textContent ?? part).join("")}`;
}

function found(answer, quoted) {
  if (answer.reply) {
    return [make("p", { class: "reply" }, answer.reply)];
  }
  if (answer.parts?.length) {
    return inParts(answer, quoted);
  }
  if (!answer.answers.length) {
    return []; // its quotes were erased: a note says so
  }
  return [
    lead(answer),
    ...(answer.kind === "documents" ? [documentList(answer.answers, quoted)] : quotes(answer.answers, quoted, answer.kind)),
    answer.conflicts.length ? make("p", { class: "lead" }, "Another document gives:") : null,
    ...quotes(answer.conflicts, quoted),
    answer.earlier?.length ? make("p", { class: "lead" }, "Earlier:") : null,
    ...quotes(answer.earlier ?? [], quoted, "earlier"),
    folded(answer.alternatives.filter((span) => span.confidence >= WORTH_SHOWING * answer.confidence), quoted, "other possible answer"),
  ].filter(Boolean);
}

/** Several questions in one: each with its quotes, or why there are none. */
function inParts({ parts, answers }, quoted) {
  let at = 0;
  return parts.flatMap((part) => {
    const spans = answers.slice(at, at + part.spans);
    at += part.spans;
    return [
      make("h3", { class: "part", dir: "auto" }, part.question),
      part.certainty === "likely" ? make("p", { class: "lead likely" }, "Probably:") : null,
      part.reason ? make("p", { class: "note" }, `No answer found: ${part.reason}.`) : null,
      ...quotes(spans, quoted),
      ...part.doubts.map(doubtful),
    ].filter(Boolean);
  });
}

function doubtful(doubt) {
  return make("p", { class: "doubt" }, make("strong", {}, "Not sure: "), doubt);
}

/** What is said above an answer of what it is and how sure. */
function lead({ certainty, kind }) {
  if (kind === "documents") {
    return make("p", { class: "lead" }, "Found in:");
  }
  if (kind === "summary") {
    return make("p", { class: "lead" }, SELECTION);
  }
  const settles = kind === "evidence" ? "this sentence settles it" : "";
  if (certainty === "likely") {
    return make("p", { class: "lead likely" }, settles ? `Probably ${settles}:` : "Probably:");
  }
  return settles ? make("p", { class: "lead" }, "This sentence settles it:") : null;
}

function refusal({ refusal: { reason, searched, missing, nearest }, alternatives }, quoted) {
  return [
    make("p", { class: "refused" }, make("strong", {}, "No answer found"), make("span", {}, `${sentence(reason)}`)),
    make(
      "p",
      { class: "searched" },
      `Searched ${counted(searched.passages, "passage")} of ${counted(searched.documents, "document")} and read ${searched.read} of them.`,
      missing.length ? [" None of those holds ", ...listed(missing), "."] : null,
    ),
    nearest.length ? make("h3", {}, "Nearest passages") : null,
    nearest.length ? make("ol", { class: "nearest" }, nearest.map((passage) => passageItem(passage, quoted))) : null,
    folded(alternatives, quoted, "candidate", " that was not sure enough", " that were not sure enough"),
  ].filter(Boolean);
}

/**
 * A passage with its place; how well it was retrieved and read is told by its title.
 * @param {object} passage of a refusal or a search
 * @param {Array<object>} quoted the states of the documents
 * @returns {HTMLElement}
 */
export function passageItem(passage, quoted) {
  const known = quoted.find((each) => each.document_id === passage.document_id);
  const scores = [`retrieved ${passage.score.toFixed(2)}`];
  if (typeof passage.reader_score === "number") {
    scores.push(`read ${passage.reader_score >= 0 ? "+" : "−"}${Math.abs(passage.reader_score).toFixed(1)}`);
  }
  return make(
    "li",
    {},
    make("p", { class: "passage", dir: "auto" }, ...highlighted(passage)),
    make(
      "a",
      { class: "place", href: readLink(passage.document_id, passage.sha256, passage.start, passage.end), title: scores.join(", ") },
      make("cite", { dir: "auto" }, passage.title),
      make("span", { class: "where" }, [passage.heading ? `under ${passage.heading}` : null, range(passage.start, passage.end)].filter(Boolean).join(" · ")),
    ),
    passage.copies?.length ? make("span", { class: "small" }, `also in ${passage.copies.map((copy) => copy.title).join(", ")}`) : null,
    known?.state in BECOME ? make("span", { class: "become" }, BECOME[known.state]) : null,
  );
}

/** The beginning of a passage, or its part around the best candidate, which is marked. */
function highlighted({ text, start, highlights = [] }) {
  if (!highlights.length) {
    return [shortened(text, PASSAGE)];
  }
  const [from, to] = highlights[0].map((place) => toUnits(text, place - start));
  const first = from > PASSAGE / 2 ? text.indexOf(" ", from - PASSAGE / 2) + 1 : 0;
  const last = to + PASSAGE / 2 < text.length ? text.lastIndexOf(" ", to + PASSAGE / 2) : text.length;
  return [
    first > 0 ? "… " : "",
    text.slice(Math.min(first, from), from),
    make("mark", {}, text.slice(from, to)),
    text.slice(to, Math.max(last, to)),
    last < text.length ? " …" : "",
  ];
}

function folded(spans, quoted, name, one = "", many = "") {
  if (!spans.length) {
    return null;
  }
  const title = `${counted(spans.length, name)}${spans.length === 1 ? one : many}`;
  return make("details", { class: "more" }, make("summary", {}, title), ...quotes(spans, quoted));
}

function listed(names) {
  return names.flatMap((name, number) => [number ? ", " : "", "“", make("bdi", {}, name), "”"]);
}

function sentence(text) {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/u.test(first) ? first : `${first}.`;
}
