/* Elements are built from values and text nodes; no markup is ever made of text. */

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
      element.setAttribute(key, value === true ? "" : String(value));
    }
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
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
    status.textContent = text; // a change, even where the same was said before
  }, 50);
}
