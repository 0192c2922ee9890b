"""Answers from documents of which there are versions, with a reader that knows the words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
import regex

from qa.answer import Answer
from qa.answering.decision import Policy
from qa.answering.pipeline import Pipeline
from qa.answering.reading.reader import Candidate, Reading
from qa.answering.retrieval.retriever import HybridRetriever, RetrievedChunk
from qa.answering.versions import section_ranges
from tests.support.fakes import FakeEncoder, candidate_of, reading_of
from tests.support.serving import pipeline_of

TODAY = date(2026, 11, 28)
TRAVEL = {
    "travel-policy-2024.md": "# Travel policy 2024\n\nThe allowance for trips abroad is 38 euros.",
    "travel-policy-2026.md": (
        "---\ndate: 2026-02-01\n---\n# Travel policy 2026\n\n"
        "The allowance for trips abroad is 52 euros. This replaces the policy of 2024."
    ),
}
REPORTS = {
    "quality_report_2026_Q2.md": "# Report, second quarter 2026\n\nThe scrap rate was 3.1%.",
    "quality_report_2026_Q3.md": "# Report, third quarter 2026\n\nThe scrap rate was 2.7%.",
}
_FIGURE = regex.compile(r"\d+(?:\.\d+)?(?:%| euros| days)")


class FigureReader:
    """Reader that offers every figure; those of `favourite` documents have the best scores."""

    fingerprint = "figures"

    def __init__(self, favourite: str = "") -> None:
        self.favourite = favourite
        self.questions: list[str] = []

    def read(
        self,
        question: str,
        passages: Sequence[RetrievedChunk],
        *,
        seconds: float | None = None,  # noqa: ARG002 - nothing is late
    ) -> Reading:
        self.questions.append(question)
        candidates: list[Candidate] = []
        for passage in passages:
            score = 8.0 if self.favourite in passage.document.uri else 6.0
            candidates += [
                candidate_of(passage, match.group(), score - 0.1 * at)
                for at, match in enumerate(_FIGURE.finditer(passage.chunk.text))
            ]
        return reading_of(candidates, read=len(passages), given=len(passages))


def asked(folder: Path, files: dict[str, str], question: str, favourite: str = "") -> Answer:
    """Return the answer of a reader that likes the documents with a favourite name best."""
    reader = FigureReader(favourite)
    snapshot = pipeline_of(folder, files).snapshot
    pipeline = Pipeline(
        snapshot,
        HybridRetriever(snapshot, FakeEncoder()),
        reader,
        Policy(None, 0.9, likely_precision=0.5),
        top_k=5,
        today=lambda: TODAY,
    )
    return pipeline.ask(question)


def texts(spans: Sequence[object]) -> list[str]:
    return [getattr(span, "text", "") for span in spans]


@pytest.mark.parametrize("favourite", ["2024", "2026"])
@pytest.mark.parametrize(
    "question",
    [
        "How high is the allowance for trips abroad?",
        "How high is the current allowance for trips abroad?",
        "How high is the allowance for trips abroad in 2026?",
    ],
)
def test_the_newest_version_answers(tmp_path: Path, question: str, favourite: str) -> None:
    answer = asked(tmp_path, TRAVEL, question, favourite)

    assert answer.text == "52 euros"
    earlier = [] if "2026" in question else ["38 euros"]
    assert (texts(answer.earlier), texts(answer.conflicts)) == (earlier, [])


@pytest.mark.parametrize("favourite", ["2024", "2026"])
@pytest.mark.parametrize(
    "question",
    [
        "How high was the allowance for trips abroad in 2025?",
        "How high was the allowance for trips abroad last year?",
        "How high was the allowance for trips abroad in the 2024 policy?",
        "How high was the allowance for trips abroad under the old policy?",
        "How high was the allowance for trips abroad in the previous version?",
    ],
)
def test_a_time_in_the_past_chooses_an_older_version(
    tmp_path: Path, question: str, favourite: str
) -> None:
    answer = asked(tmp_path, TRAVEL, question, favourite)

    assert answer.text == "38 euros"
    assert (answer.earlier, answer.conflicts) == ((), ())
    assert answer.citations[0].date == "2024"


def test_a_period_before_all_versions_has_no_answer(tmp_path: Path) -> None:
    question = "How high was the allowance for trips abroad in 2019?"

    assert asked(tmp_path, TRAVEL, question).certainty == "none"


def test_what_only_an_older_version_says_is_never_sure(tmp_path: Path) -> None:
    files = TRAVEL | {"travel-policy-2024.md": "# Travel policy 2024\n\nA bicycle earns 9 euros."}

    answer = asked(tmp_path, files, "How much does a bicycle earn?", "2024")

    assert (answer.text, answer.certainty) == ("9 euros", "likely")
    assert answer.doubts[0] == (
        "Another version may be meant: “travel-policy-2026.md” supersedes it."
    )


def test_a_value_that_has_not_changed_is_quoted_from_the_newest(tmp_path: Path) -> None:
    files = {
        "rules_v1.md": "# Rules\n\nA guest may stay for 5 days.",
        "rules_v2.md": "# Rules\n\nA guest may stay for 5 days.\n\nNo dogs.",
    }

    answer = asked(tmp_path, files, "How long may a guest stay?", "v1")

    assert (answer.text, answer.certainty) == ("5 days", "sure")


@pytest.mark.parametrize(
    ("question", "text", "earlier"),
    [
        ("What was the scrap rate?", "2.7%", ["3.1%"]),
        ("What was the scrap rate in Q2?", "3.1%", []),
        ("What was the scrap rate in the third quarter?", "2.7%", []),
        ("What was the scrap rate in May 2026?", "3.1%", []),
        ("What was the scrap rate last quarter?", "2.7%", []),
    ],
)
@pytest.mark.parametrize("favourite", ["Q2", "Q3"])
def test_a_period_chooses_in_a_series(
    tmp_path: Path, question: str, text: str, earlier: list[str], favourite: str
) -> None:
    answer = asked(tmp_path, REPORTS, question, favourite)

    assert (answer.text, texts(answer.earlier), answer.conflicts) == (text, earlier, ())


def test_older_minutes_may_be_sure_of_what_newer_ones_do_not_mention(tmp_path: Path) -> None:
    files = {
        "minutes_2026-09-08.md": "# Minutes\n\nThe new scanner costs 900 euros.",
        "minutes_2026-10-13.md": "# Minutes\n\nThe roof is repaired within 20 days.",
    }

    answer = asked(tmp_path, files, "What does the new scanner cost?", "09-08")

    assert (answer.text, answer.certainty) == ("900 euros", "sure")


def test_a_version_number_in_the_question_chooses(tmp_path: Path) -> None:
    files = {
        "notes_3.1.md": "# sheaf 3.1\n\nA token is valid for 60 days.",
        "notes_3.2.md": "# sheaf 3.2\n\nA token is valid for 90 days.",
    }

    assert asked(tmp_path, files, "How long is a token valid in sheaf 3.1?").text == "60 days"
    assert asked(tmp_path, files, "How long is a token valid?", "3.1").text == "90 days"


def test_a_patch_is_looked_for_in_the_version_that_it_belongs_to(tmp_path: Path) -> None:
    files = {
        "gate_notes_3.1.md": "# Gate software 3.1\n\nThe limit of the gate is 31%.",
        "gate_notes_3.2.md": "# Gate software 3.2\n\nThe limit of the gate is 32%.",
    }

    for question, limit in (("3.1.2", "31%"), ("3.2", "32%"), ("3.3.1", "32%")):
        answer = asked(tmp_path / question, files, f"What is the limit of the gate in {question}?")
        assert answer.text == limit


def test_a_superseded_section_answers_no_longer(tmp_path: Path) -> None:
    files = {
        "CN-0147.md": "# Notice CN-0147\n\n14 April 2026\n\n## 1 Rest\n\nThe seal rests for 3 days."
        "\n\n## 2 Test\n\nThe test takes 7 days.",
        "CN-0152.md": "# Notice CN-0152\n\nSupersedes section 1 of CN-0147.\n\n"
        "## 1 Rest\n\nThe seal rests for 4 days.",
    }

    replaced = asked(tmp_path, files, "How long does the seal rest?", "0147")
    kept = asked(tmp_path, files, "How long does the test take?", "0147")

    assert (replaced.text, texts(replaced.earlier)) == ("4 days", ["3 days"])
    assert "7 days" in texts([*kept.spans, *kept.alternatives])


def test_what_a_newer_version_says_in_other_words_has_the_older_value_beside_it(
    tmp_path: Path,
) -> None:
    files = {
        "leave-2024.md": "# Leave\n\nVersion of 1 May 2024\n\nA carer may be away for 20 days.",
        "leave-2026.md": "# Leave\n\nVersion of 1 May 2026\n\n"
        "Whoever is the carer of a child can, from now on, be off duty and away up to 30 days.",
    }

    answer = asked(tmp_path, files, "How long may a carer be away?", "2024")

    assert (answer.text, texts(answer.earlier)) == ("30 days", ["20 days"])
    assert answer.certainty == "likely"
    assert not any("20 days" in doubt for doubt in answer.doubts)


def test_a_value_that_the_text_calls_past_is_not_the_answer(tmp_path: Path) -> None:
    files = {"notes.md": "# Notes\n\nA token is valid for (was 60 days) now 90 days."}

    answer = asked(tmp_path, files, "How long is a token valid?")

    assert (answer.text, texts(answer.earlier)) == ("90 days", ["60 days"])


def test_documents_that_are_no_versions_stay_a_conflict_newest_first(tmp_path: Path) -> None:
    files = {
        "a.md": "---\ndate: 2024-01-01\n---\n# Visits\n\nThe warranty lasts 24 days.",
        "b.md": "---\ndate: 2026-01-01\n---\n# Sales\n\nThe warranty lasts 36 days.",
    }

    plain = asked(tmp_path, files, "How long does the warranty last?", "a.md")
    current = asked(tmp_path, files, "How long does the warranty last now?", "a.md")

    assert (plain.text, texts(plain.conflicts), plain.earlier) == ("24 days", ["36 days"], ())
    assert (current.text, texts(current.conflicts)) == ("36 days", ["24 days"])


def test_the_section_of_a_number_ends_at_the_next() -> None:
    text = "Title\n\n1 First\nOne.\n1.1 Part\nMore.\n\n2 Second\nTwo."

    ranges = section_ranges(text, "1")

    quoted = " ".join("".join(text[slice(*each)] for each in ranges).split())
    assert quoted == "1 First One. 1.1 Part More."
    assert section_ranges(text, "7") == []
