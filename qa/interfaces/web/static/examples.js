/* Questions that the documents answer, to begin with. */

import { byId, make } from "./dom.js";
import { request } from "./server.js";

let wanted = true;

/**
 * Show them as buttons, where they can be seen; the server looks for them when they are asked for.
 * @param {(question: string) => void} ask
 * @param {boolean} [again] whether the documents may have changed
 */
export async function showExamples(ask, again = false) {
  wanted ||= again;
  if (!wanted || byId("welcome").hidden) {
    return;
  }
  wanted = false;
  const group = byId("examples");
  group.setAttribute("aria-busy", "true");
  try {
    const { questions } = await request("GET", "/examples");
    group.replaceChildren(...questions.map((question) => make("button", { type: "button", dir: "auto", click: () => ask(question) }, question)));
  } catch {
    wanted = true;
    group.replaceChildren(); // the banner says why there are none
  } finally {
    group.removeAttribute("aria-busy");
  }
}
