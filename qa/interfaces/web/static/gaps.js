/* The questions that were asked in vain, in groups, with what the documents hold nearest to them. */

import { watchServer } from "./banner.js";
import { byId, make, say } from "./dom.js";
import { readLink } from "./links.js";
import { Problem, probe, request } from "./server.js";
import { counted } from "./words.js";

const NOW = {
  answered: ["answered now", "good"],
  likely: ["answered now, not surely", "fair"],
  "wrong again": ["the answer that was called wrong, still", "bad"],
  refused: ["still no answer", "bad"],
  "not asked": ["not asked again", "fair"],
};
let asked = 0;

/** Look for the gaps of the chosen days. */
async function show() {
  const number = ++asked;
  const days = byId("days").value;
  const query = days ? `?days=${days}` : "";
  byId("csv").setAttribute("href", `gaps.csv${query}`);
  byId("json").setAttribute("href", `gaps.json${query}`);
  byId("notice").hidden = true;
  byId("gaps").setAttribute("aria-busy", "true");
  byId("summary").textContent = "Asking the questions again …";
  try {
    const found = await request("GET", `/gaps.json${query}`);
    if (number === asked) {
      fill(found);
    }
  } catch (error) {
    byId("summary").textContent = "";
    byId("gaps").replaceChildren();
    byId("notice").textContent = error instanceof Problem ? error.message : "The server does not answer.";
    byId("notice").hidden = false;
  } finally {
    byId("gaps").removeAttribute("aria-busy");
  }
}

function fill({ questions, groups, gaps }) {
  const more = groups > gaps.length ? `, the ${gaps.length} asked most are shown` : "";
  const summary = questions ? `${counted(questions, "question")} in ${counted(groups, "group")}${more}.` : "No question was asked in vain or called wrong.";
  byId("summary").textContent = summary;
  byId("gaps").replaceChildren(...gaps.map(gapItem));
  say(summary);
}

function gapItem(gap) {
  const [words, tone] = NOW[gap.outcome];
  return make(
    "li",
    { class: "gap" },
    make("h2", { dir: "auto" }, gap.question),
    make("p", { class: "small counts" }, make("span", { class: `outcome ${tone}` }, words), " ", counts(gap), ", last on ", make("time", { datetime: gap.last }, gap.last.slice(0, 10))),
    gap.wordings.length > 0 && make("p", { class: "small" }, "Also asked as ", listed(gap.wordings)),
    gap.wrong_answers.length > 0 && make("p", { class: "small" }, "Called wrong: ", listed(gap.wrong_answers)),
    gap.places.length > 0 && make("p", { class: "small" }, "Marked as right: ", listed(gap.places)),
    gap.candidate && candidate(gap),
    gap.missing.length > 0 && make("p", { class: "small" }, "In none of the passages read: ", listed(gap.missing)),
    gap.nearest.length > 0 && nearest(gap.nearest),
  );
}

function counts({ asked: times, people, wrong }) {
  const parts = [times === 1 ? "asked once" : `asked ${times} times`, people > 1 && `by ${people} people`, wrong > 0 && `called wrong ${counted(wrong, "time")}`];
  return parts.filter(Boolean).join(", ");
}

function listed(texts) {
  return texts.flatMap((text, at) => [at ? ", " : "", "“", make("bdi", {}, text), "”"]);
}

/** The answer that is given now, or that would have been. */
function candidate({ outcome, candidate: span }) {
  const lead = outcome === "refused" ? "The best candidate, withheld" : "The answer now";
  const at = span.sentence.indexOf(span.text);
  const sentence = at < 0 ? [make("mark", {}, span.text)] : [span.sentence.slice(0, at), make("mark", {}, span.text), span.sentence.slice(at + span.text.length)];
  return make(
    "figure",
    { class: "candidate" },
    make("figcaption", { class: "small" }, `${lead}, with confidence ${span.confidence.toFixed(2)}:`),
    make("blockquote", { dir: "auto" }, sentence),
    source(span),
  );
}

function nearest(passages) {
  return make(
    "details",
    {},
    make("summary", { class: "small" }, `${counted(passages.length, "nearest passage")}`),
    make("ol", { class: "near" }, passages.map((each) => make("li", {}, make("p", { dir: "auto" }, each.text), source(each)))),
  );
}

function source({ document_id: id, sha256, start, end, title, uri, where }) {
  const name = title && title !== uri ? `${title}, ` : "";
  return make("p", { class: "small" }, make("a", { href: readLink(id, sha256, start, end) }, make("cite", {}, make("bdi", {}, `${name}${uri}`))), where ? `, ${where}` : "");
}

byId("choice").addEventListener("submit", (event) => event.preventDefault());
byId("days").addEventListener("change", show);
watchServer(show);
probe();
show();
