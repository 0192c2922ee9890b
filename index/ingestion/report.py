"""Report of an indexing run: the outcome of each file, and its progress."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

Status = Literal["added", "updated", "moved", "unchanged", "skipped", "removed", "kept"]


class Reporter(Protocol):
    """Observer of an indexing run's progress; every method may do nothing."""

    def on_planned(self, files: int) -> None:
        """Receive the number of files that will be examined."""

    def on_file(self, outcome: Outcome) -> None:
        """Receive the outcome of one file."""

    def on_embedded(self, passages: int) -> None:
        """Receive the number of chunks that were embedded since the last call."""


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

    `other_formats` counts the files of formats that are not indexed; `refused` holds the reasons
    why documents of missing files were kept.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    other_formats: int = 0
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
