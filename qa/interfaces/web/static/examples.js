/* What to begin with: questions that the documents answer, or files and the sample while there are none. */

import { byId, make } from "./dom.js";
import { Problem, request } from "./server.js";

const AGAIN_MS = 1500;
const MOST_TRIES = 40;
const EMPTY = "No index";
let wanted = true;
let timer = 0;

/**
 * Show them as buttons, where they can be seen; the server looks for them when they are asked for.
 * @param {{ask: (question: string) => void, askSample: (question: string) => void}} asking
 * @param {boolean} [again] whether the documents may have changed
 */
export async function showExamples(asking, again = false) {
  wanted ||= again;
  if (!wanted || byId("welcome").hidden) {
    return;
  }
  wanted = false;
  await look(asking, MOST_TRIES);
}

async function look(asking, tries) {
  clearTimeout(timer);
  const group = byId("examples");
  group.setAttribute("aria-busy", "true");
  try {
    const { questions, languages, ready } = await request("GET", "/examples");
    byId("start").hidden = true;
    byId("languages").textContent = languages;
    group.replaceChildren(...buttons(questions, asking.ask));
    if (!ready && tries > 0) {
      timer = setTimeout(() => look(asking, tries - 1), AGAIN_MS);
      return;
    }
  } catch (error) {
    wanted = true;
    group.replaceChildren(); // the banner says why there are none
    byId("languages").textContent = "";
    if (error instanceof Problem && error.title === EMPTY) {
      await showStart(asking.askSample);
    }
  }
  group.removeAttribute("aria-busy");
}

/** While nothing is indexed: a place for files, and the sample document. */
async function showStart(askSample) {
  byId("start").hidden = false;
  try {
    const { questions } = await request("GET", "/sample");
    byId("sample-questions").replaceChildren(...buttons(questions, askSample));
    byId("sample").hidden = false;
  } catch {
    byId("sample").hidden = true; // it is not installed
  }
}

function buttons(questions, ask) {
  return questions.map((question) => make("button", { type: "button", dir: "auto", click: () => ask(question) }, question));
}
