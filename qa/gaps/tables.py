"""The gaps as rows: for a terminal and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from qa.gaps.report import Gap, GapReport

_COLUMNS = (
    "question",
    "asked",
    "people",
    "refused",
    "called wrong",
    "first asked",
    "last asked",
    "now",
    "would have been the answer",
    "confidence",
    "its source",
    "marked as right",
    "called wrong answers",
    "not in the documents",
    "nearest passage",
    "its file",
    "other wordings",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""Beginnings of cells that spreadsheets run as formulas (OWASP, "CSV Injection")."""


def csv_text(report: GapReport) -> str:
    """Return the gaps as CSV with a header; cells that a spreadsheet would run are defused."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for gap in report.gaps:
        writer.writerow([_defused(cell) for cell in _cells(gap)])
    return out.getvalue()


def _cells(gap: Gap) -> list[str]:
    candidate, nearest = gap.candidate, gap.nearest[0] if gap.nearest else None
    source = f"{candidate.uri} {candidate.where}".strip() if candidate else ""
    return [
        gap.question,
        str(gap.asked),
        str(gap.people),
        str(gap.refused),
        str(gap.wrong),
        gap.first,
        gap.last,
        gap.outcome,
        candidate.text if candidate else "",
        f"{candidate.confidence:.2f}" if candidate else "",
        source,
        _joined(gap.places),
        _joined(gap.wrong_answers),
        _joined(gap.missing),
        nearest.text if nearest else "",
        nearest.uri if nearest else "",
        _joined(gap.wordings),
    ]


def _joined(texts: Iterable[str]) -> str:
    return " | ".join(texts)


def _defused(cell: str) -> str:
    """Return a cell that no spreadsheet runs: an apostrophe makes it text."""
    begins = cell.lstrip(" ")
    return f"'{cell}" if begins.startswith(_FORMULA) or cell.startswith(_FORMULA) else cell
