"""What an indexing run tells: what became of each file, how far it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

Status = Literal["added", "updated", "moved", "unchanged", "skipped", "removed", "kept"]


class Reporter(Protocol):
    """Told about progress; every method may do nothing."""

    def on_planned(self, files: int) -> None:
        """So many files will be looked at."""

    def on_file(self, outcome: Outcome) -> None:
        """One file is done."""

    def on_embedded(self, passages: int) -> None:
        """So many more passages have been embedded."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: `detail` is the reason of a skip or a remark, `chunks` how many were
    made, `document_id` that of the file's path.
    """

    uri: str
    status: Status
    detail: str = ""
    chunks: int = 0
    language: str | None = None
    document_id: str | None = field(default=None, compare=False)


@dataclass
class Summary:
    """What a run did."""

    outcomes: list[Outcome] = field(default_factory=list)
    other_formats: int = 0
    refused: list[str] = field(default_factory=list)

    def count(self, *statuses: Status) -> int:
        """Files with one of these outcomes."""
        return sum(outcome.status in statuses for outcome in self.outcomes)

    def documents(self, *statuses: Status) -> list[str]:
        """The ids of the documents with one of these outcomes."""
        return [
            outcome.document_id
            for outcome in self.outcomes
            if outcome.status in statuses and outcome.document_id
        ]
