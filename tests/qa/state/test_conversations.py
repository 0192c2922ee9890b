"""Stored conversations: owners, turns, quoted texts, erasure, retention, restarts."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from index.errors import SchemaTooNew, StoreCorrupt
from qa.errors import InvalidFeedback, UnknownConversation
from qa.state.conversations import ConversationStore, StoredTurn, Version
from qa.state.database import FILE_NAME, SCHEMA, State
from qa.state.feedback import MAX_PLACE, FeedbackStore, Place
from qa.state.quote_erasure import ERASED, redact_documents
from tests.support.clock import Clock

TEXT = "The tide at Porto turns at six."
OLD, NEW = "0" * 64, "1" * 64


@pytest.fixture
def history(state: State) -> ConversationStore:
    return ConversationStore(state)


def result_of(document_id: str = "a", quote: str = "at six", sha256: str = OLD) -> dict[str, Any]:
    """Return the JSON of an answer that quotes one document."""
    citation = {"document_id": document_id, "sha256": sha256, "quote": quote}
    span = {"text": quote, "confidence": 0.9, "citation": citation, "further": []}
    plain: dict[str, Any] = {
        "answer": quote,
        "answers": [span],
        "citations": [citation],
        "alternatives": [],
        "conflicts": [],
    }
    return plain | {"refusal": None, "notes": [], "generation": 3, "interpreted_as": None}


def append(
    history: ConversationStore,
    conversation: str,
    question: str = "When?",
    *,
    document: str = "a",
    sha256: str = OLD,
    most: int = 9,
) -> StoredTurn:
    version = Version(document, sha256, "Tides", "tides.txt", TEXT)
    return history.append(
        conversation,
        question,
        f"{question} (tide)",
        result_of(document, sha256=sha256),
        [version],
        most,
    )


def test_a_conversation_survives_a_restart(tmp_path: Path, clock: Clock) -> None:
    first = State(tmp_path, clock=clock)
    conversation = ConversationStore(first).start("me")
    kept = append(ConversationStore(first), conversation.id)
    first.close()

    again = ConversationStore(State(tmp_path, clock=clock))

    assert again.turns(conversation.id) == [kept]
    [info] = again.conversations("me")
    assert (info.id, info.title, info.turns, info.created_at) == (
        conversation.id,
        "When?",
        1,
        "2026-11-24T12:00:00+00:00",
    )
    assert kept.result["generation"] == kept.generation == 3


def test_only_the_owner_sees_it(history: ConversationStore) -> None:
    mine = history.start("me")
    turn = append(history, mine.id)

    assert history.conversations("you") == []
    for peek in (history.conversation, history.delete):
        with pytest.raises(UnknownConversation, match="may have been deleted, or is another's"):
            peek("you", mine.id)
    with pytest.raises(UnknownConversation):
        history.turn("you", turn.id)
    assert history.turn("me", turn.id) == turn


@pytest.mark.parametrize("unknown", ["", "x", "\udcff", "' OR 1=1 --", "a" * 10_000])
def test_an_unknown_id_is_unknown(history: ConversationStore, unknown: str) -> None:
    with pytest.raises(UnknownConversation):
        history.conversation("me", unknown)


def test_the_last_used_conversation_comes_first(history: ConversationStore, clock: Clock) -> None:
    first, second = history.start("me"), history.start("me")
    clock.now += timedelta(minutes=1)
    append(history, first.id)

    assert [info.id for info in history.conversations("me")] == [first.id, second.id]


def test_beyond_the_cap_the_oldest_turns_go(history: ConversationStore) -> None:
    conversation = history.start("me")
    for number in range(5):
        append(history, conversation.id, f"Question {number}?", most=3)

    assert [turn.question for turn in history.turns(conversation.id)] == [
        "Question 2?",
        "Question 3?",
        "Question 4?",
    ]
    assert [turn.question for turn in history.turns(conversation.id, 2)] == [
        "Question 3?",
        "Question 4?",
    ]
    assert history.conversation("me", conversation.id).title == "Question 0?"


def test_a_deleted_conversation_accepts_no_turn(history: ConversationStore, state: State) -> None:
    conversation = history.start("me")
    history.delete("me", conversation.id)

    with pytest.raises(UnknownConversation, match="deleted while the question was answered"):
        append(history, conversation.id)
    assert state.document_ids() == set()


def test_quoted_texts_are_found_by_prefix_and_deleted_with_their_turns(
    history: ConversationStore,
) -> None:
    first, second = history.start("me"), history.start("me")
    append(history, first.id)
    append(history, second.id)
    append(history, second.id, sha256=NEW)

    assert history.version("me", "a", OLD[:8]) == Version("a", OLD, "Tides", "tides.txt", TEXT)
    assert history.version("me", "a", "2") is None
    assert history.version("me", "b", OLD) is None
    history.delete("me", second.id)
    assert history.version("me", "a", OLD) is not None
    assert history.version("me", "a", NEW) is None


def test_old_conversations_expire(history: ConversationStore, state: State, clock: Clock) -> None:
    old = history.start("me")
    append(history, old.id)
    clock.now += timedelta(days=31)
    fresh = history.start("me")

    assert state.expire(30) == 1
    assert [info.id for info in history.conversations("me")] == [fresh.id]
    assert history.version("me", "a", OLD) is None


def test_deleting_a_document_erases_its_quotes_everywhere(
    history: ConversationStore, state: State, tmp_path: Path
) -> None:
    conversation = history.start("me")
    first = append(history, conversation.id)
    other = append(history, conversation.id, "And bread?", document="b")
    for turn in (first, other):
        FeedbackStore(state).record_verdict(turn, "right")

    state.erase({"a"}, redact_documents)

    turns = history.turns(conversation.id)
    assert [turn.result["answer"] for turn in turns] == [None, "at six"]
    assert turns[0].result["notes"] == [ERASED]
    assert [turn.understood for turn in turns] == ["When? (tide)", "And bread?"]
    assert [turn.feedback for turn in turns] == [None, "right"]
    assert state.document_ids() == {"b"}
    assert history.quoted_versions(conversation.id) == {other.id: [("b", OLD)]}
    state.erase({"b"}, redact_documents)
    assert TEXT.encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


def test_feedback_is_exported_as_questions(history: ConversationStore, state: State) -> None:
    conversation = history.start("me")
    right, wrong, placed, refused = (
        append(history, conversation.id, f"{number}?") for number in range(4)
    )
    feedback, version = FeedbackStore(state), Version("a", OLD, "Tides", "tides.txt", TEXT)
    feedback.record_verdict(right, "right")
    feedback.record_verdict(wrong, "wrong")
    feedback.record_place(placed, Place("a", OLD, 4, 17), version)
    feedback.record_verdict(
        StoredTurn(refused.id, "", "", result_of() | {"answers": []}, 3, "", None, None), "right"
    )

    found = feedback.questions("me")

    assert [turn.place for turn in history.turns(conversation.id)] == [
        None,
        None,
        "tide at Porto",
        None,
    ]
    assert [each["answers"] for each in found] == [["at six"], ["tide at Porto"], []]
    assert found[0] == {"id": f"turn-{right.id}", "question": "0? (tide)", "answers": ["at six"]}
    assert feedback.questions("you") == []
    feedback.record_verdict(right, "wrong")
    assert len(feedback.questions("me")) == 2


@pytest.mark.parametrize(("start", "end"), [(0, 0), (5, 4), (-1, 3), (0, 1000), (8, 9)])
def test_an_invalid_place_is_refused(
    history: ConversationStore, state: State, start: int, end: int
) -> None:
    turn = append(history, history.start("me").id)
    version = Version(
        "a",
        OLD,
        "Tides",
        "tides.txt",
        "The tide at Porto turns at six. " * (MAX_PLACE // 30 + 9) if end == 1000 else TEXT,
    )

    with pytest.raises(InvalidFeedback, match="select the answer itself"):
        FeedbackStore(state).record_place(
            turn, Place("a", OLD, start, end + (MAX_PLACE if end == 1000 else 0)), version
        )
    with pytest.raises(InvalidFeedback, match="open the current version"):
        FeedbackStore(state).record_place(turn, Place("a", NEW, 0, 3), None)


@pytest.mark.parametrize("version", range(1, len(SCHEMA.migrations)))
def test_a_file_of_an_earlier_version_keeps_its_conversations(tmp_path: Path, version: int) -> None:
    old = sqlite3.connect(tmp_path / FILE_NAME)
    for script in SCHEMA.migrations[:version]:
        old.executescript(script)
    old.execute("INSERT INTO conversations VALUES ('kept', 'me', '', '2026-01-01', '2026-01-01')")
    old.execute(f"PRAGMA user_version = {version}")
    old.commit()
    old.close()

    with closing(State(tmp_path)) as state:
        assert [each.id for each in ConversationStore(state).conversations("me")] == ["kept"]
        assert state.query("SELECT count(*) FROM watched, claims, threads, jobs") == [(0,)]


def test_a_damaged_file_and_a_newer_one_are_refused(tmp_path: Path) -> None:
    State(tmp_path / "later").close()
    later = sqlite3.connect(tmp_path / "later" / FILE_NAME)
    later.execute("PRAGMA user_version = 99")
    later.close()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / FILE_NAME).write_bytes(b"no database" * 1000)

    with pytest.raises(SchemaTooNew, match=f"{FILE_NAME} has schema version 99"):
        State(tmp_path / "later")
    with pytest.raises(StoreCorrupt, match="conversations begin anew"):
        State(tmp_path / "bad")
