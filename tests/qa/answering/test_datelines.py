"""Dates of documents, told from those of what they speak of."""

from __future__ import annotations

from pathlib import Path

import pytest

from qa.answering.datelines import is_dateline
from qa.answering.reading.reader import Candidate
from tests.support.serving import pipeline_of

REPORT = "PIER REPAIR, REPORT 1     5 November 2025\n\nThe crane returns on 9 June 2026.\n"
RENTS = "RENTS OF BERTHS\n\nThe rent of a berth rises as from\n6 April 2026\n"


@pytest.mark.parametrize(
    ("text", "question", "date", "is_own"),
    [
        (REPORT, "When will the pier be finished?", "5 November 2025", True),
        (REPORT, "When was the report written?", "5 November 2025", False),
        (REPORT, "Who repairs the pier?", "5 November 2025", False),
        (REPORT, "When will the crane be back?", "9 June 2026", False),
        (RENTS, "When does the rent of a berth rise?", "6 April 2026", False),
    ],
)
def test_the_date_of_a_document_is_not_that_of_what_it_tells(
    tmp_path: Path, text: str, question: str, date: str, *, is_own: bool
) -> None:
    pipeline = pipeline_of(tmp_path, {"note.txt": text})
    passages = pipeline._retriever.retrieve(question, 3)
    passage = next(each for each in passages if date in each.chunk.text)
    start = passage.chunk.start + passage.chunk.text.index(date)
    span = start, start + len(date)

    assert is_dateline(question, Candidate(passage, *span, span, 0.0)) is is_own
