"""Report of an indexing run: the outcome of each file, and its progress.

Progress is counted in bytes of the files that are examined: a folder's files differ in size a
thousandfold.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Status = Literal["added", "updated", "moved", "unchanged", "skipped", "removed", "kept"]


READING_SHARE = 0.25
"""Share of a file's work that is done when its text is read; the rest is embedding.

A PDF of 619 pages took 22 seconds of processor time to be read and 70 to be embedded.
"""


class Reporter:
    """Observer of an indexing run's progress; a method that is not overridden does nothing."""

    def on_planned(self, files: int, size: int = 0) -> None:
        """Receive the number of files that will be examined, and their size in bytes."""

    def on_pages(self, uri: str, read: int, pages: int) -> None:
        """Receive how many pages of a long document were read, some times a minute."""

    def on_work(self, size: float) -> None:
        """Receive the bytes of the planned files that are done; parts of a file count."""

    def on_file(self, outcome: Outcome) -> None:
        """Receive the outcome of one file."""

    def on_embedded(self, passages: int) -> None:
        """Receive the number of chunks that were embedded since the last call."""


class Notices(Reporter):
    """Observer of the watcher; a method that is not overridden does nothing."""

    def on_message(self, text: str) -> None:
        """Receive a line for people: a problem, a refused removal, or the end of one of these."""


class WorkMeter:
    """Counter of the bytes of files that are done.

    A file's bytes count in part when its pages are read, in part when it is embedded.
    """

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._finished = 0
        self._read = 0
        self._waiting = 0
        self._parts = 0.0

    def begin(self, size: int) -> None:
        """Begin a file of so many bytes."""
        self._read = size

    def read_part(self, share: float) -> None:
        """Report that a share in [0, 1] of the file begun last is read."""
        self._report(READING_SHARE * share * self._read)

    def wait(self) -> None:
        """Put the file begun last to those that wait to be embedded."""
        self._waiting += self._read
        self._read = 0
        self._report()

    def embed_part(self, share: float) -> None:
        """Report that a share in [0, 1] of all that waits is embedded."""
        self._report((1 - READING_SHARE) * share * self._waiting)

    def finish(self) -> None:
        """Count the file begun last, and all that waited, as done."""
        self._finished += self._read + self._waiting
        self._read = self._waiting = 0
        self._report()

    def note_parts(self, size: float) -> None:
        """Report the bytes that are done of files of which several are worked at."""
        self._parts = size
        self._report()

    def leave(self, parts: float = 0.0) -> None:
        """Count the file begun last as done; those that wait go on waiting.

        `parts` are the bytes that are done of others, as in `note_parts`.
        """
        self._parts = parts
        self._finished += self._read
        self._read = 0
        self._report()

    def _report(self, part: float = 0.0) -> None:
        done = self._finished + READING_SHARE * self._waiting + self._parts
        self._reporter.on_work(done + part)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Outcome of one file.

    `detail` is the reason of a skip, or a remark; `chunks` is the number of chunks that were made.
    """

    uri: str
    status: Status
    detail: str = ""
    chunks: int = 0
    language: str | None = None
    document_id: str | None = field(default=None, compare=False)


@dataclass
class Summary:
    """Outcomes of a run.

    `other_formats` names the files of formats that are not indexed; `refused` holds the reasons
    why documents of missing files were kept.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    other_formats: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def count(self, *statuses: Status) -> int:
        """Return the number of files with one of these outcomes."""
        return sum(outcome.status in statuses for outcome in self.outcomes)

    def documents(self, *statuses: Status) -> list[str]:
        """Return the ids of the documents with one of these outcomes."""
        return [
            outcome.document_id
            for outcome in self.outcomes
            if outcome.status in statuses and outcome.document_id
        ]
