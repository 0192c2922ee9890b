/* Copying, also where the page is not served from loopback or over TLS and the browser's clipboard is shut. */

import { make } from "./dom.js";

/**
 * Put a text on the clipboard.
 * @param {string} text
 * @returns {Promise<boolean>} whether it is there
 */
export async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedByHand(text);
  }
}

function copiedByHand(text) {
  const focused = document.activeElement;
  const box = make("textarea", { class: "visually-hidden", readonly: true });
  box.value = text;
  document.body.append(box);
  box.select();
  const done = document.execCommand("copy");
  box.remove();
  focused?.focus();
  return done;
}
