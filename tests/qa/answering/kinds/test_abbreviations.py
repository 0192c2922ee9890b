"""Long forms of abbreviations."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.answering.kinds.abbreviations import long_form
from tests.support.serving import pipeline_of

FILES = {
    "guide.md": (
        "# Safety\n\nBefore any work the lockout and tagout (LOTO) rule holds. A did-not-attend"
        " (DNA) is a patient who neither comes nor cancels.\n\n## Terms\n\nEOS (Everyone on"
        " Support) is a shift. RPO stands for the recovery point objective, in hours."
        " The board (see above) meets. Ask the desk (ADX) first."
    )
}


@pytest.mark.parametrize(
    ("question", "certainty", "text"),
    [
        ("What does LOTO stand for?", "sure", "lockout and tagout"),
        ("what does dna stand for here", "sure", "did-not-attend"),
        ("What does the abbreviation EOS mean?", "sure", "Everyone on Support"),
        ("EOS meaning", "sure", "Everyone on Support"),
        ("RPO is short for what?", "sure", "recovery point objective"),
        ("What's the full form of RPO?", "sure", "recovery point objective"),
        ("what's LOTO", "likely", "lockout and tagout"),
    ],
)
def test_the_long_form_is_quoted(tmp_path: Path, question: str, certainty: str, text: str) -> None:
    answer = pipeline_of(tmp_path, FILES).ask(question)

    assert (answer.text, answer.certainty) == (text, certainty)
    citation = answer.citations[0]
    assert FILES["guide.md"][citation.start : citation.end] == text


@pytest.mark.parametrize(
    "question", ["What does ADX stand for?", "What is a shift?", "What does the board mean?"]
)
def test_what_no_document_defines_is_left_to_the_reader(tmp_path: Path, question: str) -> None:
    answer = pipeline_of(tmp_path, FILES).ask(question)

    assert answer.text not in {"Ask the desk", "a shift", "see above"}


@pytest.mark.parametrize(
    ("short", "text", "start"),
    [
        ("HMM", "a hidden Markov model", 2),
        ("DNA", "A did-not-attend", 2),
        ("LOTO", "the lockout and tagout", 4),
        ("USA", "the Union of South Africa", 4),
        ("XYZ", "nothing of the kind", None),
        ("AB", "a long text of many words in which b stands late", None),
        ("IT", "it", None),
    ],
)
def test_letters_stand_in_their_order(short: str, text: str, start: int | None) -> None:
    assert long_form(short, text) == start


@given(st.text("ABC", min_size=2, max_size=6), st.text(max_size=60))
def test_a_long_form_begins_with_the_first_letter(short: str, text: str) -> None:
    start = long_form(short, text)

    assert start is None or text[start].lower() == short[0].lower()


def test_a_likely_answer_of_a_kind_is_withheld_where_sure_ones_are_wanted(tmp_path: Path) -> None:
    pipeline = pipeline_of(tmp_path, FILES)

    likely = pipeline.ask("what's LOTO", strict=True)
    sure = pipeline.ask("What does LOTO stand for?", strict=True)

    assert likely.refusal is not None
    assert "only sure answers are wanted" in likely.refusal.reason
    assert likely.alternatives[0].text == "lockout and tagout"
    assert sure.text == "lockout and tagout"
