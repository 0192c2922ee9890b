/* Elements are built from values and text nodes; no markup is ever made of text, and nothing in it hides. */

import { signed, withSigns } from "./signs.js";

const SHOWN = new Set(["title", "alt", "aria-label"]); // attributes that people read

/**
 * An element. Attributes that are null, undefined or false are left out; functions listen to the event of their name.
 * @param {string} name
 * @param {Object<string, *>} [attributes]
 * @param {...(Node|string|null|Array)} children
 * @returns {HTMLElement}
 */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      element.addEventListener(key, value);
    } else if (value !== null && value !== undefined && value !== false) {
      const text = value === true ? "" : String(value);
      element.setAttribute(key, SHOWN.has(key) ? withSigns(text) : text);
    }
  }
  return fill(element, ...children);
}

/**
 * An element with other children than before.
 * @param {HTMLElement} element
 * @param {...(Node|string|null|Array)} children
 * @returns {HTMLElement}
 */
export function fill(element, ...children) {
  const given = children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
  element.replaceChildren(...given.flatMap((child) => (child instanceof Node ? child : signed(String(child)))));
  return element;
}

/**
 * Name the page.
 * @param {string} title
 */
export function name(title) {
  document.title = withSigns(title);
}

/**
 * The element with an id.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  return document.getElementById(id);
}

let speaking = 0;

/**
 * Say something to those who listen to the page.
 * @param {string} text
 */
export function say(text) {
  const status = byId("status");
  status.textContent = "";
  clearTimeout(speaking);
  speaking = setTimeout(() => {
    status.textContent = withSigns(text); // a change, even where the same was said before
  }, 50);
}
