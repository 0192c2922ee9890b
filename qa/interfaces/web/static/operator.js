/* What only those who look after the documents see. */

import { byId } from "./dom.js";
import { request } from "./server.js";

/** Show the link to the gaps to writers and admins: the server refuses it to others. */
export async function showOperatorLinks() {
  try {
    const { role } = await request("GET", "/session");
    byId("gaps-link").hidden = role === "reader";
  } catch {
    // nobody is signed in, or the server is gone: the banner or the sign-in form says so
  }
}
