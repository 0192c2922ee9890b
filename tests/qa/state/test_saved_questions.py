"""Saved questions: comparison and history of answers, and erasure of quotes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.answer import Answer, AnswerSpan, Citation
from qa.errors import InvalidQuestion, UnknownQuestion
from qa.interfaces.plaintext.differences import difference_line, difference_text, kept_text
from qa.state.database import State
from qa.state.quote_erasure import redact_documents
from qa.state.saved_questions import (
    KEPT_ANSWERS,
    Difference,
    Rechecker,
    SavedQuestions,
    StoredAnswer,
)
from tests.qa.test_answer import answered, refused
from tests.support.serving import PATIENCE

GATE = "Which code opens the gate?"


def says(code: str, generation: int = 1, document: str = "d1") -> Answer:
    """Return an answer that quotes one file."""
    sentence = f"The gate opens with {code}."
    citation = Citation(
        document,
        "Gate",
        "gate.txt",
        "00",
        code,
        20,
        20 + len(code),
        0,
        1,
        sentence,
        0,
        len(sentence),
        1,
        None,
    )
    return replace(
        answered(AnswerSpan(code, 0.9, citation)),
        question=GATE,
        generation=generation,
        alternatives=(),
    )


@pytest.fixture
def state(tmp_path: Path, location: str) -> Iterator[State]:
    with closing(
        State(tmp_path, location, clock=lambda: datetime(2026, 1, 2, tzinfo=UTC))
    ) as opened:
        yield opened


@pytest.fixture
def saved(state: State) -> SavedQuestions:
    watchlist = SavedQuestions(state)
    watchlist.add(GATE)
    return watchlist


def test_a_question_is_saved_once_as_it_is_asked_and_removed(state: State) -> None:
    watchlist = SavedQuestions(state)
    assert [watchlist.add(f"  {GATE} "), watchlist.add(GATE)] == [GATE, GATE]
    assert [(each.question, each.last) for each in watchlist.questions()] == [(GATE, None)]
    with pytest.raises(InvalidQuestion):
        watchlist.add(" ")

    watchlist.remove(GATE)
    assert watchlist.questions() == []
    for act in (watchlist.remove, watchlist.history):
        with pytest.raises(UnknownQuestion, match="is not a saved question"):
            act(GATE)


def test_the_first_answer_is_no_difference_and_another_one_is(saved: SavedQuestions) -> None:
    assert saved.check(lambda _: says("seven", 1)) == []
    assert saved.check(lambda _: replace(says("seven", 2), confidence=0.5)) == []

    [difference] = saved.check(lambda _: says("eight", 3))

    assert (difference.before.generation, difference.after.generation) == (1, 3)
    assert [kept.quotes[0][0] for kept in saved.history(GATE)] == ["seven", "eight"]
    [question] = saved.questions()
    assert question.last == difference.after


def test_a_refusal_is_an_answer_like_another(saved: SavedQuestions) -> None:
    saved.check(lambda _: says("seven"))

    [difference] = saved.check(lambda _: refused())
    assert difference.after.quotes == []
    assert saved.check(lambda _: refused()) == []
    assert len(saved.check(lambda _: says("seven"))) == 1


@given(codes=st.lists(st.sampled_from(["one", "two", "three"]), min_size=1, max_size=8))
def test_the_history_is_the_answers_without_repetitions(
    codes: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    with closing(State(tmp_path_factory.mktemp("state"))) as state:
        watchlist = SavedQuestions(state)
        watchlist.add(GATE)
        for code in codes:
            watchlist.check(lambda _, code=code: says(code))  # type: ignore[misc]

        kept = [each.quotes[0][0] for each in watchlist.history(GATE)]
    assert kept == [code for at, code in enumerate(codes) if at == 0 or codes[at - 1] != code]


def test_the_oldest_answers_beyond_the_limit_are_deleted(saved: SavedQuestions) -> None:
    for number in range(KEPT_ANSWERS + 3):
        saved.check(lambda _, number=number: says(str(number)))  # type: ignore[misc]

    assert len(saved.history(GATE)) == KEPT_ANSWERS


def test_a_question_that_is_removed_while_it_is_asked_leaves_nothing(
    saved: SavedQuestions, state: State
) -> None:
    def ask(_: str) -> Answer:
        saved.remove(GATE)
        return says("seven")

    saved.check(ask)
    assert state.query("SELECT count(*) FROM watched_answers") == [(0,)]


def test_a_deleted_document_takes_its_quotes_along(
    saved: SavedQuestions, state: State, tmp_path: Path
) -> None:
    saved.check(lambda _: says("xylophonist"))
    assert state.document_ids() == {"d1"}

    state.erase(["d1"], redact_documents)

    assert state.document_ids() == set()
    assert saved.history(GATE)[0].quotes == []
    assert not any(b"xylophonist" in path.read_bytes() for path in tmp_path.iterdir())
    assert "has been deleted" in kept_text(saved.history(GATE)[0], 200)


def test_a_moved_document_keeps_its_quotes_under_its_new_id(
    saved: SavedQuestions, state: State
) -> None:
    saved.check(lambda _: says("seven"))

    state.rename("d1", "d2")

    assert state.document_ids() == {"d2"}
    assert saved.history(GATE)[0].result["citations"][0]["document_id"] == "d2"


def test_old_and_new_stand_side_by_side(saved: SavedQuestions) -> None:
    saved.check(lambda _: says("seven\x1b[2J"))
    [difference] = saved.check(lambda _: refused())

    shown = difference_text(difference, 79)

    rows = shown.splitlines()
    assert rows[0] == GATE
    assert all(len(row) <= 79 and row[38:41].strip() == "│" for row in rows[1:])
    assert "“The gate opens with" in shown
    assert "No answer found: nothing fits." in shown
    assert "\x1b" not in shown
    assert difference_line(difference).endswith("and is not found.")


@given(st.text(max_size=30), st.text(max_size=30), st.integers(40, 100))
def test_columns_hold_their_width_whatever_is_quoted(old: str, new: str, width: int) -> None:
    kept = [StoredAnswer(1, "", says(f"x{text}").to_dict()) for text in (old, new)]

    rows = difference_text(Difference(GATE, *kept), width).splitlines()

    assert all(len(row) <= width for row in rows)


def test_schedules_during_a_check_lead_to_one_more_check() -> None:
    going, checks = threading.Semaphore(0), list[int]()
    done = threading.Semaphore(0)

    def check() -> None:
        checks.append(1)
        done.release()
        going.acquire()

    rechecker = Rechecker(check)
    rechecker.schedule()
    assert done.acquire(timeout=PATIENCE)
    for _ in range(5):
        rechecker.schedule()
    going.release(2)
    assert done.acquire(timeout=PATIENCE)
    assert not done.acquire(timeout=0.2)

    rechecker.close()
    assert len(checks) == 2
