/* Characters that a reader cannot see, or that turn the direction of what follows: shown as signs. */

// Marks, embeddings, overrides and isolates of direction; spaces and joiners without width; tags; controls but tab and ends of lines.
const ALWAYS = "[\\u0000-\\u0008\\u000e-\\u001f\\u007f-\\u009f\\u061c\\u180e\\u200b\\u200e\\u200f\\u202a-\\u202e\\u2060-\\u206f\\ufeff]";
// Joiners shape Arabic and Indic letters and emoji; between letters of these alphabets they only hide.
const JOINERS = "(?<=[\\p{sc=Latin}\\p{sc=Greek}\\p{sc=Cyrillic}\\p{N}])[\\u200c\\u200d]+(?=[\\p{sc=Latin}\\p{sc=Greek}\\p{sc=Cyrillic}\\p{N}])";
// Tags spell the flags of England, Scotland and Wales behind a black flag, and anywhere else a text that only machines read.
const TAGS = "(?<!\\u{1f3f4}[\\u{e0000}-\\u{e007f}]*)[\\u{e0000}-\\u{e007f}]";
const HIDDEN = new RegExp(`${ALWAYS}|${JOINERS}|${TAGS}`, "gu");
const SIGN = "\u25a1";

/** A text of the same length, with a sign for each hidden character: for titles, labels and what is read out. */
export function withSigns(text) {
  return text.replace(HIDDEN, (hidden) => SIGN.repeat(hidden.length)); // as many UTF-16 units, so that offsets stay
}

/**
 * The pieces of a text: strings, and an element with the number of the character for each hidden one.
 * @param {string} text
 * @returns {Array<string|HTMLElement>}
 */
export function signed(text) {
  const pieces = [];
  let at = 0;
  for (const { 0: hidden, index } of text.matchAll(HIDDEN)) {
    pieces.push(text.slice(at, index), sign(hidden));
    at = index + hidden.length;
  }
  return [...pieces, text.slice(at)].filter((piece) => piece !== "");
}

function sign(hidden) {
  const numbers = [...hidden].map((character) => character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0"));
  const element = document.createElement("span");
  element.className = "sign";
  element.title = `Hidden character ${numbers.map((number) => `U+${number}`).join(" ")}`;
  element.dataset.number = numbers.join(" ");
  element.textContent = SIGN.repeat(hidden.length);
  return element;
}
