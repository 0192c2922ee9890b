/* One line above everything while the server is not ready. */

import { byId, make, say } from "./dom.js";
import { onState, probe } from "./server.js";

const MESSAGES = {
  loading: () => ["The server is loading its models. Questions are answered as soon as it is ready."],
  empty: () => ["Nothing is indexed yet. Drop files on this page, or run ", make("code", {}, "qa index PATH"), " in a terminal; this page notices by itself."],
  gone: () => [
    "The server does not answer. What you typed is kept. ",
    make("button", { type: "button", click: probe }, "Try again"),
  ],
};

/** Show the server's state from now on; `back` runs when it is ready again. */
export function watchServer(back) {
  const banner = byId("banner");
  onState((state) => {
    banner.hidden = state === "ready";
    banner.className = `banner ${state}`;
    banner.replaceChildren(...(MESSAGES[state]?.() ?? []));
    if (state === "ready") {
      say("The server is ready.");
      back();
    }
  });
}
