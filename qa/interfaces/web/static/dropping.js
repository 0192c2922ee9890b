/* Files and folders that are dropped anywhere on the page. */

const MOST = 1000; // files of what is dropped at once

/**
 * Hear of the files that are dropped; nothing that is dropped replaces the page.
 * @param {(files: Array<File>) => void} listener
 */
export function dropped(listener) {
  const holds = (event) => event.dataTransfer?.types.includes("Files");
  const mark = (on) => document.body.classList.toggle("dropping", on);
  addEventListener("dragover", (event) => {
    if (holds(event)) {
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      mark(true);
    }
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) {
      mark(false);
    }
  });
  addEventListener("drop", async (event) => {
    if (holds(event)) {
      event.preventDefault();
      mark(false);
      listener(await filesOf(event.dataTransfer));
    }
  });
}

async function filesOf(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) {
    return [...transfer.files];
  }
  const files = [];
  for (const entry of entries) {
    await collect(entry, files);
  }
  return files;
}

/** The files of a folder, without what is hidden. */
async function collect(entry, files) {
  if (files.length >= MOST || entry.name.startsWith(".")) {
    return;
  }
  if (entry.isFile) {
    files.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) {
      return;
    }
    for (const each of some) {
      await collect(each, files);
    }
  }
}
