"""Records of gaps: what conversations hold, what is kept beside them, and for how long."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from qa.answer import Answer
from qa.errors import GapsOff
from qa.state.conversations import ConversationStore
from qa.state.database import State
from qa.state.feedback import FeedbackStore
from qa.state.gap_records import GapRecords
from tests.qa.test_answer import SPAN, answered, refused
from tests.support.clock import Clock

REFUSED: dict[str, Any] = {"answer": None, "answers": [], "refusal": {"nearest": []}}
ANSWERED: dict[str, Any] = {"answer": "six", "answers": [{"text": "six"}], "refusal": None}
CHAT: dict[str, Any] = {"answer": None, "answers": [], "refusal": None, "reply": "Hello."}


def refusal(question: str) -> Answer:
    return replace(refused(), question=question)


def ask(state: State, question: str, result: dict[str, Any], owner: str = "local") -> int:
    history = ConversationStore(state)
    conversation = history.start(owner).id
    plain = result | {"generation": 1}
    return history.append(conversation, question, question, plain, [], 200).id


def test_refusals_and_what_was_called_wrong_are_gaps_and_nothing_else(state: State) -> None:
    ask(state, "refused?", REFUSED)
    ask(state, "hello", CHAT)
    ask(state, "right?", ANSWERED)
    wrong = ask(state, "wrong?", ANSWERED, "key:anna")
    FeedbackStore(state).record_verdict(ConversationStore(state).turn("key:anna", wrong), "wrong")

    records = GapRecords(state, "conversations").newest()

    assert {(each.question, each.kind, each.owner, each.answer) for each in records} == {
        ("refused?", "refused", "local", None),
        ("wrong?", "wrong", "key:anna", "six"),
    }


def test_other_questions_are_kept_only_where_that_is_asked_for(state: State) -> None:
    GapRecords(state, "conversations").note("local", refusal("not kept?"))
    GapRecords(state, "all").note("local", replace(refusal("kepd?"), interpreted_as="kept?"))
    GapRecords(state, "all").note("local", answered(SPAN))

    assert [each.question for each in GapRecords(state, "all").newest()] == ["kept?"]
    with pytest.raises(GapsOff, match="QUOTED_GAPS"):
        GapRecords(state, "off").newest()


def test_records_are_of_the_owners_and_days_asked_for(state: State, clock: Clock) -> None:
    records = GapRecords(state, "all")
    records.note("key:anna", refusal("old?"))
    clock.now += timedelta(days=8)
    records.note("key:anna", refusal("new?"))
    records.note("key:ben", refusal("of Ben?"))

    assert [each.question for each in records.newest(days=7)] == ["new?", "of Ben?"]
    assert [each.question for each in records.newest(owners={"key:ben"})] == ["of Ben?"]
    assert records.newest(owners=set()) == []


def test_they_are_kept_as_long_as_conversations_and_forgotten_with_them(
    state: State, clock: Clock
) -> None:
    records = GapRecords(state, "all")
    records.note("local", refusal("old?"))
    clock.now += timedelta(days=91)
    records.note("local", refusal("new?"))

    state.expire(90)
    assert [each.question for each in records.newest()] == ["new?"]

    state.delete_all()
    assert records.newest() == []
