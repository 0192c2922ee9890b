/* The sign-in form: a key becomes a session, whose cookie scripts cannot read. */

import { at, BASE } from "./base.js";
import { withSigns } from "./signs.js";

const form = document.getElementById("login");
const field = document.getElementById("key");
const notice = document.getElementById("notice");
const out = document.getElementById("out");

/** Go where somebody came from, a path of this server and never another address. */
function leave() {
  const wanted = decodeURIComponent(location.hash.slice(1));
  const isOurs = wanted.startsWith(BASE) && /^\/(?![/\\])/.test(wanted);
  location.replace(isOurs ? wanted : BASE);
}

function say(text) {
  notice.textContent = withSigns(text);
  notice.hidden = false;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    const response = await fetch(at("/session"), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ key: field.value }),
    });
    if (response.ok) {
      leave();
    } else {
      say((await response.json()).detail);
      field.select();
    }
  } catch {
    say("The server does not answer.");
  }
});

out.addEventListener("click", async () => {
  await fetch(at("/session"), { method: "DELETE" });
  out.hidden = true;
  say("You have signed out.");
});

const session = await fetch(at("/session"), { cache: "no-store" });
if (session.ok) {
  const { name, needs_key: needsKey } = await session.json();
  say(needsKey ? `You are signed in as ${name}.` : "No key is needed here.");
  out.hidden = !needsKey;
}
