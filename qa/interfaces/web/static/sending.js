/* Sending a file, and hearing how far it is. */

import { at } from "./base.js";

const ACCEPTED = 202;

/**
 * Send one file; its job. Throws an Error with what the server said.
 * @param {string} method
 * @param {string} path
 * @param {File} file
 * @param {(share: number) => void} progress
 * @returns {Promise<object>}
 */
export function sent(method, path, file, progress) {
  const form = new FormData();
  form.append("file", file);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, at(path));
    request.responseType = "json";
    request.upload.addEventListener("progress", ({ loaded, total }) => progress(loaded / total));
    request.addEventListener("error", () => reject(new Error("the server did not take it, or does not answer")));
    request.addEventListener("load", () => {
      if (request.status === ACCEPTED) {
        resolve(request.response);
      } else {
        const said = request.response?.detail ?? `the server answered ${request.status}`;
        reject(new Error(said.startsWith(`${file.name}: `) ? said.slice(file.name.length + 2) : said));
      }
    });
    request.send(form);
  });
}
