/* Numbers, places and states in words. */

const LEVELS = [[0.8, "high"], [0.5, "fair"], [0, "low"]];

/**
 * A probability in a word, as the command line says it.
 * @param {number} confidence
 * @returns {string}
 */
export function level(confidence) {
  return LEVELS.find(([least]) => confidence >= least)[1];
}

/**
 * A number of things.
 * @param {number} number
 * @param {string} name
 * @returns {string}
 */
export function counted(number, name) {
  return `${number.toLocaleString("en")} ${name}${number === 1 ? "" : "s"}`;
}

/**
 * A time in seconds or milliseconds.
 * @param {number} milliseconds
 * @returns {string}
 */
export function took(milliseconds) {
  return milliseconds < 1000 ? `${Math.max(1, Math.round(milliseconds))} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

/**
 * A range of code points.
 * @param {number} start
 * @param {number} end
 * @returns {string}
 */
export function range(start, end) {
  return `characters ${start}–${end}`;
}

/**
 * The lines of a piece of a text, from 1.
 * @param {string} text
 * @param {number} start UTF-16 index
 * @param {number} end UTF-16 index
 * @returns {string}
 */
export function lines(text, start, end) {
  const first = 1 + newlines(text, 0, start);
  const last = first + newlines(text, start, end);
  return first === last ? `line ${first}` : `lines ${first}–${last}`;
}

/**
 * Where a quote stands in its format: its mail, line, page, slide, or sheet and row; empty where the format has none.
 * @param {{line: number|null, page?: number|null, slide?: number|null, sheet?: string|null, row?: number|null, mail?: string|null}} place
 * @returns {string}
 */
export function where(place) {
  const named = ["mail", "line", "page", "slide", "sheet", "row"].filter((name) => place[name] !== null && place[name] !== undefined);
  return named.map((name) => `${name} ${place[name]}`).join(", ");
}

/**
 * Where a code point of a document stands in its format.
 * @param {{starts: Array<number>, places: Array<object>}} places each from its start on, ascending
 * @param {number} at
 * @returns {object}
 */
export function placeAt({ starts, places }, at) {
  return places[starts.findLastIndex((start) => start <= at)] ?? {};
}

function newlines(text, start, end) {
  let count = 0;
  for (let at = text.indexOf("\n", start); at !== -1 && at < end; at = text.indexOf("\n", at + 1)) {
    count += 1;
  }
  return count;
}

/**
 * A text on one line, cut at a word with "…" where it is longer than there is room.
 * @param {string} text
 * @param {number} room
 * @returns {string}
 */
export function shortened(text, room) {
  const line = text.replace(/\s+/gu, " ").trim();
  if (line.length <= room) {
    return line;
  }
  const space = line.lastIndexOf(" ", room);
  return `${line.slice(0, space > room / 2 ? space : room).replace(/[\ud800-\udbff]$/u, "").trimEnd()}…`;
}

/**
 * The English name of a language.
 * @param {string|null} code
 * @returns {string}
 */
export function language(code) {
  if (!code) {
    return "language unknown";
  }
  try {
    return new Intl.DisplayNames(["en"], { type: "language" }).of(code) ?? code;
  } catch {
    return code; // no code that Intl knows
  }
}

/** What a file was when an answer was given, where it was not as it is indexed: in short, and what that means for the quote. */
export const FRESHNESS = {
  changed: ["file changed since it was indexed", "The quote is from the version that was indexed; the file says something else by now, perhaps elsewhere."],
  moved: ["file moved since it was indexed", "The same bytes were found at another place; the quote still is what the file says."],
  gone: ["file no longer there", "The quote is from the version that was indexed; the file was not found when the question was asked."],
};

/** What has become of a document that was quoted, where it is not what it was. */
export const BECOME = {
  changed: "changed since it was quoted",
  gone: "deleted since it was quoted",
};
