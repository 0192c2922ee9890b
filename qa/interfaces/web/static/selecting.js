/* Selecting text of a source, with the mouse, a finger or the keyboard. */

const KEYS = { ArrowLeft: ["backward", "word"], ArrowRight: ["forward", "word"], ArrowUp: ["backward", "line"], ArrowDown: ["forward", "line"] };

/**
 * Follow what is selected in a text view; leaving it keeps what was selected last.
 * @param {import("./textview.js").TextView} view
 * @param {(selected: {start: number, end: number, text: string}|null) => void} changed
 */
export function followSelection(view, changed) {
  document.addEventListener("selectionchange", () => {
    const selection = getSelection();
    if (selection.rangeCount && view.root.contains(selection.anchorNode)) {
      changed(selection.isCollapsed ? null : view.offsets(selection.getRangeAt(0)));
    }
  });
  view.root.addEventListener("keydown", (event) => {
    if (!(event.key in KEYS) || event.altKey || event.metaKey) {
      return;
    }
    if (event.shiftKey ? extend(view.root, KEYS[event.key]) : step(view.root, event.key)) {
      event.preventDefault();
      follow(view.root);
    }
  });
}

/** Scroll to where the selection ends. */
function follow(root) {
  const end = getSelection().getRangeAt(0).getBoundingClientRect();
  const seen = root.getBoundingClientRect();
  if (end.bottom > seen.bottom) {
    root.scrollTop += end.bottom - seen.bottom + end.height;
  } else if (end.top < seen.top) {
    root.scrollTop -= seen.top - end.top + end.height;
  }
}

/** Shift and an arrow: more or less of the text, by words or lines. */
function extend(root, [direction, unit]) {
  const selection = begun(root);
  selection.modify("extend", direction, unit);
  return true;
}

/** Left or right alone: the next or the previous word; up and down scroll, as ever. */
function step(root, key) {
  if (key !== "ArrowLeft" && key !== "ArrowRight") {
    return false;
  }
  const selection = begun(root);
  if (key === "ArrowRight") {
    selection.collapseToEnd();
  } else {
    selection.collapseToStart();
    selection.modify("move", "backward", "word");
  }
  selection.modify("extend", "forward", "word");
  return true;
}

/** The selection, begun at the mark or the top where there is none in the text. */
function begun(root) {
  const selection = getSelection();
  if (!selection.rangeCount || !root.contains(selection.anchorNode)) {
    selection.collapse(root.querySelector("mark")?.firstChild ?? root.querySelector(".block")?.firstChild ?? root, 0);
  }
  return selection;
}
