/* The chat: puts the parts together and follows the address. */

import { watchServer } from "./banner.js";
import { BASE } from "./base.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { ConversationList } from "./conversations.js";
import { DocumentList } from "./documents.js";
import { byId, name } from "./dom.js";
import { showExamples } from "./examples.js";
import { address, chatLink, onLink, sourceOf } from "./links.js";
import { watchMenu } from "./menu.js";
import { showOperatorLinks } from "./operator.js";
import { Panel } from "./panel.js";
import { Search } from "./search.js";
import { probe } from "./server.js";
import { Tabs } from "./tabs.js";
import { Uploads } from "./uploads.js";

let pointed = null; // the turn whose right place somebody looks for
const menu = watchMenu();
const tabs = new Tabs(refresh);
const panel = new Panel(leaveSource);
const composer = new Composer((question) => conversation.ask(question), (query) => search.find(query), showMode);
const search = new Search(composer);
const conversation = new Conversation(composer, { began, lost, point, changed });
const documents = new DocumentList({
  replace: (each, file) => uploads.replace(each, file),
  changed: () => composer.within.refresh(),
  only: (each) => {
    menu.close();
    // What was talked about before has nothing to do with this document.
    goTo(chatLink(null)).then(() => composer.within.choose(each));
  },
});
const list = new ConversationList((id) => {
  tabs.tell();
  if (id === conversation.id) {
    goTo(chatLink(null));
  }
});

const asking = { ask: (question) => conversation.ask(question), askSample: (question) => conversation.askSample(question) };

/** Show the conversation, or the passages that were found. */
function showMode(mode) {
  byId("results").hidden = mode !== "search";
  byId("turns").hidden = mode === "search";
  conversation.showWelcome();
}

/** Show what the address says. */
async function follow({ focus } = {}) {
  const { conversation: id, source } = address();
  list.mark(id);
  await conversation.open(id);
  showExamples(asking);
  name(conversation.title ? `${conversation.title} — quoted` : "quoted");
  await panel.show(source && { ...source, words: history.state?.words }, conversation.turn(source?.turn), { focus });
}

function goTo(link, { replace = false, state = null, focus } = {}) {
  history[replace ? "replaceState" : "pushState"](state, "", link);
  return follow({ focus });
}

/** Open a source; another one that is open already makes way for it, so that going back closes it. */
function openSource(source, { words, focus = "title" } = {}) {
  const beside = history.state?.beside || !panel.open;
  return goTo(chatLink(conversation.id, source), { replace: panel.open, state: { beside, words }, focus });
}

function leaveSource() {
  if (history.state?.beside) {
    history.back();
  } else {
    goTo(chatLink(conversation.id), { replace: true });
  }
}

/** A first question was asked: the address carries its conversation now, whatever else is open. */
function began(id) {
  history.pushState(history.state && { ...history.state, beside: false }, "", chatLink(id, address().source));
  list.mark(id);
}

/** The conversation was deleted elsewhere. */
function lost() {
  history.replaceState(null, "", chatLink(null));
  list.mark(null);
  panel.show(null);
  list.refresh();
}

/** Something was asked or said here. */
function changed() {
  name(conversation.title ? `${conversation.title} — quoted` : "quoted");
  list.refresh();
  tabs.tell();
}

/** Somebody wants to show where the answer of a turn stands. */
function point(turn) {
  const link = turn.place;
  pointed = turn.id;
  if (link) {
    openSource({ ...sourceOf(new URL(link.href)), turn: turn.id }, { focus: "text" });
  } else {
    menu.open();
    byId("documents").open = true;
    byId("documents").querySelector("summary").focus();
  }
}

function refresh() {
  list.refresh();
  documents.refresh();
  conversation.refresh();
  composer.within.refresh();
}

onLink((url, link) => {
  const source = url.origin === location.origin ? sourceOf(url) : null;
  if (source) {
    const newer = link.classList.contains("newer");
    const listed = conversation.turn(pointed) ?? conversation.lastTurn;
    const turn = link.closest("[data-turn]")?.dataset.turn ?? (newer ? address().source?.turn : listed?.id);
    openSource({ ...source, turn: Number(turn) || null }, { words: newer ? panel.view.view.quote : undefined });
    return true;
  }
  if (url.origin === location.origin && url.pathname === BASE && !url.hash) {
    goTo(url.href);
    composer.focus();
    return true;
  }
  return false;
});
byId("start-choose").addEventListener("click", () => byId("choose").click());
byId("new").addEventListener("click", () => {
  composer.choose("ask");
  goTo(chatLink(null));
  composer.focus();
});
addEventListener("popstate", () => follow({ focus: address().source ? "title" : undefined }));
watchServer(() => {
  refresh();
  conversation.forgetSample();
  showExamples(asking, true);
});
const uploads = new Uploads(documents, () => {
  menu.open();
  byId("documents").open = true;
});
probe();
showOperatorLinks();
list.refresh();
composer.within.refresh();
follow();
