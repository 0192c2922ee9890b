/* Where the server's paths begin: "/", or below the path that a proxy gives the server. */

/** The path of the page itself, which ends with a slash. */
export const BASE = new URL("../", import.meta.url).pathname;

/**
 * A path of the server as the browser must ask for it.
 * @param {string} path begins with a slash
 * @returns {string}
 */
export function at(path) {
  return BASE + path.slice(1);
}
