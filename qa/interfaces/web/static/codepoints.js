/* The server counts Unicode code points, JavaScript counts UTF-16 units; only here one becomes the other. */

/**
 * The UTF-16 index of a code point index.
 * @param {string} text
 * @param {number} points
 * @returns {number}
 */
export function toUnits(text, points) {
  let units = 0;
  for (let left = points; left > 0 && units < text.length; left -= 1) {
    units += text.codePointAt(units) > 0xffff ? 2 : 1;
  }
  return units;
}

/**
 * The code point index of a UTF-16 index; one inside a surrogate pair counts as behind it.
 * @param {string} text
 * @param {number} units
 * @returns {number}
 */
export function toPoints(text, units) {
  let points = 0;
  for (let at = 0; at < units && at < text.length; points += 1) {
    at += text.codePointAt(at) > 0xffff ? 2 : 1;
  }
  return points;
}
