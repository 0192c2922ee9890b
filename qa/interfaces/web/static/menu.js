/* The side on screens that have no room for it. */

import { byId } from "./dom.js";

/** Open and close the side with its button, Escape and what is chosen in it. */
export function watchMenu() {
  const button = byId("menu");
  const side = byId("side");
  const set = (open) => {
    button.setAttribute("aria-expanded", String(open));
    side.classList.toggle("open", open);
  };
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-expanded") !== "true";
    set(open);
    if (open) {
      byId("new").focus();
    }
  });
  side.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && side.classList.contains("open")) {
      set(false);
      button.focus();
    }
  });
  side.addEventListener("click", (event) => {
    if (event.target.closest("a, #new")) {
      set(false);
    }
  });
  byId("main").addEventListener("click", () => set(false));
  return { open: () => set(true), close: () => set(false) };
}
