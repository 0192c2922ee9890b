/* Requests, and whether the server can be reached and is ready. */

import { at } from "./base.js";

/** The server said what is wrong (RFC 9457). */
export class Problem extends Error {
  constructor(status, title, detail) {
    super(detail);
    this.status = status;
    this.title = title;
  }
}

/** The server did not answer. */
export class Unreachable extends Error {
  constructor() {
    super("The server does not answer.");
  }
}

const POLL_MS = 2000;
const LOADING_MS = 1000;
const listeners = new Set();
const waiting = [];
let state = "ready";
let timer = 0;

/**
 * Hear of the server's state: ready, loading (its models), empty (nothing is indexed) or gone.
 * @param {(state: string) => void} listener
 */
export function onState(listener) {
  listeners.add(listener);
}

/** Look now whether the server is ready, and again until it is. */
export async function probe() {
  clearTimeout(timer);
  let found = "gone";
  try {
    const response = await fetch(at("/readyz"), { cache: "no-store" });
    found = response.ok ? "ready" : stateOf(response.status, (await body(response)).title);
  } catch {
    // gone
  }
  become(found);
}

/**
 * The JSON of an answer, once the server has loaded; throws Problem or Unreachable.
 * @param {string} method
 * @param {string} path
 * @param {object} [content] sent as JSON
 * @returns {Promise<*>}
 */
export async function request(method, path, content) {
  for (;;) {
    const response = await fetched(method, path, content);
    if (response.ok) {
      return response.status === 204 ? null : response.json();
    }
    const { title, detail } = await body(response);
    if (response.status === 401) {
      signIn();
    }
    const found = stateOf(response.status, title);
    if (found !== "loading") {
      if (found === "empty") {
        become("empty");
      }
      throw new Problem(response.status, title, detail);
    }
    const ready = new Promise((resolve) => waiting.push(resolve));
    become("loading");
    await ready;
  }
}

/** Ask for a key, and come back then. */
function signIn() {
  location.assign(`${at("/login")}#${encodeURIComponent(location.pathname + location.search + location.hash)}`);
}

async function fetched(method, path, content) {
  const options = { method, cache: "no-store" };
  if (content !== undefined) {
    Object.assign(options, { headers: { "content-type": "application/json" }, body: JSON.stringify(content) });
  }
  try {
    return await fetch(at(path), options);
  } catch {
    become("gone");
    throw new Unreachable();
  }
}

async function body(response) {
  try {
    return await response.json();
  } catch {
    return { title: response.statusText, detail: `The server answered ${response.status} ${response.statusText}.` };
  }
}

function stateOf(status, title) {
  if (status !== 503) {
    return "ready";
  }
  return title === "No index" ? "empty" : "loading";
}

function become(found) {
  const news = found !== state;
  state = found;
  clearTimeout(timer);
  if (state !== "ready") {
    timer = setTimeout(probe, state === "loading" ? LOADING_MS : POLL_MS);
  }
  if (state !== "loading") {
    waiting.splice(0).forEach((resolve) => resolve());
  }
  if (news) {
    listeners.forEach((listener) => listener(state));
  }
}
