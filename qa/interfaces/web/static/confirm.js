/* A question that must be answered before something is deleted. */

import { byId, fill } from "./dom.js";

/**
 * Ask for a yes; Cancel has the focus, and Escape is no.
 * @param {string} text
 * @returns {Promise<boolean>}
 */
export function confirmed(text) {
  const dialog = byId("confirm");
  fill(byId("confirm-text"), text);
  return new Promise((resolve) => {
    let yes = false;
    const close = () => dialog.close();
    const agree = () => {
      yes = true;
      close();
    };
    byId("confirm-no").addEventListener("click", close);
    byId("confirm-yes").addEventListener("click", agree);
    dialog.addEventListener(
      "close",
      () => {
        byId("confirm-no").removeEventListener("click", close);
        byId("confirm-yes").removeEventListener("click", agree);
        resolve(yes);
      },
      { once: true },
    );
    dialog.showModal();
  });
}
