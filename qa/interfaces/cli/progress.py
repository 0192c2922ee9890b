"""Progress of an indexing run on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from index.ingestion.report import Outcome, Reporter
from qa.interfaces.cli.options import echo_line

PLAIN_SECONDS = 5.0
"""Seconds between two lines of progress where there is no terminal."""
MEGABYTE = 1_000_000


class Progress(Reporter):
    """A bar with rate and remaining time on a terminal, plain lines elsewhere.

    It counts the bytes of files, in part those of the file that is read or embedded now.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = self._last_shown = clock()
        self._files = 0
        self._files_done = 0
        self._size = 0
        self._size_done = 0.0
        self._passages = 0
        self._pages = ""
        self._bar: Any = None
        self.kept = 0
        """Documents that are in the index, should the run end now."""
        self.languages: list[str] = []
        """Languages of the documents that were read, as far as they are known."""

    def on_planned(self, files: int, size: int = 0) -> None:
        """Take the number of files that will be looked at, and their bytes."""
        self._files, self._size = files, size
        if sys.stderr.isatty():
            from tqdm import tqdm

            unit = {"unit": "B", "unit_scale": True} if size else {"unit": "file"}
            self._bar = tqdm(total=size or files, dynamic_ncols=True, leave=False, **unit)

    def on_pages(self, uri: str, read: int, pages: int) -> None:
        """Take how far a long document is."""
        self._pages = f", page {read:,} of {pages:,} of {uri}"
        self._show()

    def on_work(self, size: float) -> None:
        """Take the bytes that are done."""
        self._size_done = size
        self._show()

    def on_file(self, outcome: Outcome) -> None:
        """Count a file as done, and print a line if it was skipped."""
        self._pages = ""
        if outcome.detail:
            label = outcome.status if outcome.status in {"skipped", "kept"} else "note"
            self._echo_line(f"{label}: {outcome.uri}: {outcome.detail}")
        if outcome.status in {"added", "updated"} and outcome.language:
            self.languages.append(outcome.language)
        self.kept += outcome.status in {"added", "updated", "moved", "unchanged"}
        # Removed documents have no file, so that they are not among those that were announced.
        if outcome.status != "removed":
            self._files_done += 1
            self._show()

    def on_embedded(self, passages: int) -> None:
        """Count more passages as embedded."""
        self._passages += passages
        self._show()

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()

    def _echo_line(self, text: str) -> None:
        if self._bar is not None:
            from qa.interfaces.plaintext.answers import printable

            self._bar.write(printable(text), file=sys.stderr)
        else:
            echo_line(text, err=True)

    def _show(self) -> None:
        """Update the bar, or print a line if the last one is old enough."""
        rate = self._passages / max(self._clock() - self._began, 1e-9)
        passages = f"{self._passages:,} passages, {rate:.0f}/s{self._pages}"
        if self._bar is not None:
            self._bar.set_postfix_str(passages, refresh=False)
            done = self._size_done if self._size else self._files_done
            self._bar.update(done - self._bar.n)
        elif self._clock() - self._last_shown >= PLAIN_SECONDS:
            self._last_shown = self._clock()
            echo_line(f"{self._done()}, {passages}{self._remaining_time()}", err=True)

    def _done(self) -> str:
        files = f"{self._files_done:,} of {self._files:,} files"
        if not self._size:
            return files
        sizes = f"{self._size_done / MEGABYTE:,.1f} of {self._size / MEGABYTE:,.1f} MB"
        return f"{sizes}, {files}"

    def _remaining_time(self) -> str:
        """Return the estimate as words, or "" before any work is done."""
        if not self._size_done:
            return ""
        seconds_a_byte = (self._last_shown - self._began) / self._size_done
        return f", about {(self._size - self._size_done) * seconds_a_byte:.0f} s left"
