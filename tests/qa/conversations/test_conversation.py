"""Questions within a conversation: the rewrite that counts, stored turns, notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from qa.answer import Answer, Certainty
from qa.answering.pipeline import Pipeline
from qa.bootstrap import load_pipeline, open_conversations
from qa.conversations.conversation import (
    ALONE_MARGIN,
    DISAGREEMENT,
    Conversations,
    answer_in_context,
)
from qa.errors import InvalidFeedback, InvalidQuestion, UnknownConversation
from qa.library.documents import index_paths, open_store
from qa.settings import Settings
from qa.state.conversations import StoredTurn
from qa.state.feedback import Place
from tests.support.fakes import RecordingReporter, SharedWordsReader
from tests.support.serving import carded, indexed, pipeline_of, settings_in, write_files

PORTO = ("When does the tide at Porto turn?", "at six")
FILES = {
    "tide.txt": "The tide at Porto turns at six. The tide at Porto falls by two metres.",
    "bread.txt": "Bread at Vigo rises for two hours.",
}


@dataclass
class Scripted:
    """A pipeline with set confidences for questions, 0 for others, multiplied with the trust.

    From 0.5 it is an answer. Questions in `instead` get the answer to another one.
    """

    pipeline: Pipeline
    confidence: Mapping[str, float]
    asked: list[str] = field(default_factory=list)
    instead: dict[str, str] = field(default_factory=dict)
    near: list[Sequence[str]] = field(default_factory=list)

    def __call__(self, question: str, *, trust: float = 1.0, near: Sequence[str] = ()) -> Answer:
        self.asked.append(question)
        self.near.append(near)
        answer = self.pipeline.ask(self.instead.get(question, question))
        answer = replace(answer, question=question)
        sure = trust * self.confidence.get(question, 0.0)
        if sure >= 0.5:
            certainty: Certainty = "sure" if sure >= 0.6 else "likely"
            spans = tuple(replace(span, certainty=certainty) for span in answer.spans)
            return replace(answer, confidence=sure, spans=spans)
        return replace(
            answer, confidence=sure, spans=(), alternatives=(*answer.spans, *answer.alternatives)
        )


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return pipeline_of(tmp_path_factory.mktemp("conversation"), FILES, min_confidence=0.0)


@pytest.mark.parametrize(
    ("question", "confidence", "understood"),
    [
        ("When does bread at Vigo rise?", {}, None),
        (
            "How far does it fall?",
            {"How far does the tide fall?": 0.4, "How far does it fall?": 0.4 + ALONE_MARGIN / 2},
            "How far does the tide fall?",
        ),
        (
            "How far does it fall?",
            {"How far does the tide fall?": 0.4, "How far does it fall?": 0.45 + ALONE_MARGIN},
            None,
        ),
        (
            "What is the range?",
            {"What is the range?": 0.6, "What is the range for the tide?": 0.9},
            None,
        ),
        (
            "What is the range?",
            {"What is the range?": 0.3, "What is the range for the tide?": 0.9},
            "What is the range for the tide?",
        ),
        ("Why?", {}, "Why does the tide at Porto turn?"),
    ],
)
def test_which_reading_counts(
    pipeline: Pipeline, question: str, confidence: dict[str, float], understood: str | None
) -> None:
    ask = Scripted(pipeline, confidence)

    answer = answer_in_context(question, [PORTO], ask)

    assert answer.question == question
    assert answer.interpreted_as == understood, ask.asked


def test_what_is_answered_alone_is_asked_once(pipeline: Pipeline) -> None:
    ask = Scripted(pipeline, {"What is the range?": 0.6})

    answer_in_context(" What is the range? ", [PORTO], ask)

    assert ask.asked == ["What is the range?"]


def test_a_follow_up_is_read_in_the_documents_quoted_before(pipeline: Pipeline) -> None:
    ask = Scripted(pipeline, {})
    answer_in_context("And at Vigo?", [PORTO], ask, near=["tide"])
    assert set(map(tuple, ask.near)) == {("tide",)}

    ask.near.clear()
    answer_in_context("When does the tide at Porto turn?", [], ask, near=["tide"])
    assert ask.near == [()]


def test_an_answer_is_less_sure_where_other_readings_find_another(pipeline: Pipeline) -> None:
    agreed = answer_in_context(
        "When does it turn?", [PORTO], Scripted(pipeline, {"When does the tide turn?": 0.5})
    )
    halved = answer_in_context(
        "And bread?",
        [PORTO],
        Scripted(
            pipeline,
            {"When does the bread at Porto turn?": 0.55},
            instead={"When does the tide at bread turn?": "When does bread at Vigo rise?"},
        ),
    )

    assert agreed.spans
    assert agreed.confidence == 0.5
    assert not halved.spans
    assert halved.confidence == pytest.approx(0.55 * (1 - DISAGREEMENT / 2))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = settings_in(tmp_path, min_confidence=0.6, keep_turns=3)
    indexed(made, carded(), tmp_path / "corpus", FILES)
    return made


@pytest.fixture
def conversations(settings: Settings) -> Conversations:
    return open_conversations(settings)


def pipeline_now(settings: Settings) -> Pipeline:
    return load_pipeline(settings, carded(), SharedWordsReader())


def turn(
    conversations: Conversations, settings: Settings, conversation_id: str, question: str
) -> StoredTurn:
    pipeline = pipeline_now(settings)
    with closing(pipeline.snapshot):
        return conversations.ask("me", conversation_id, question, pipeline.ask, pipeline.snapshot)


def test_a_turn_keeps_what_was_asked_understood_and_answered(
    conversations: Conversations, settings: Settings
) -> None:
    identity = conversations.history.start("me").id
    first = turn(conversations, settings, identity, "When does the tide at Porto turn?")
    second = turn(conversations, settings, identity, "How far does it fall?")

    assert (first.question, first.understood) == ("When does the tide at Porto turn?",) * 2
    assert second.understood != second.question
    assert second.result["interpreted_as"] == second.understood
    assert first.result["generation"] == first.generation > 0
    assert [each.id for each in conversations.history.turns(identity)] == [first.id, second.id]
    with pytest.raises(UnknownConversation):
        conversations.ask(
            "you", identity, "When?", pipeline_now(settings).ask, pipeline_now(settings).snapshot
        )


def test_a_changed_document_is_said_once_and_its_old_text_is_kept(
    conversations: Conversations, settings: Settings, tmp_path: Path
) -> None:
    identity = conversations.history.start("me").id
    first = turn(conversations, settings, identity, "When does the tide at Porto turn?")
    citation = first.result["citations"][0]
    write_files(tmp_path / "corpus", {"tide.txt": "The tide at Porto turns at seven."})
    index_paths(settings, carded(), [tmp_path / "corpus"], RecordingReporter())

    notes = [
        turn(conversations, settings, identity, "When does the tide at Porto turn?").result["notes"]
        for _ in range(2)
    ]

    assert [any("has changed since it was quoted" in note for note in each) for each in notes] == [
        True,
        False,
    ]
    snapshot = pipeline_now(settings).snapshot
    assert {
        each.state
        for each in conversations.quoted(identity, snapshot)[first.id]
        if each.document_id == citation["document_id"]
    } == {"changed"}
    old = conversations.version("me", citation["document_id"], citation["sha256"][:12], snapshot)
    assert old is not None
    assert old.text[citation["start"] : citation["end"]] == citation["quote"]
    now = snapshot.document_info(citation["document_id"]).sha256
    new = conversations.version("me", citation["document_id"], now[:12], snapshot)
    assert new is not None
    assert new.text == "The tide at Porto turns at seven."


@pytest.mark.parametrize("everything", [False, True])
def test_a_deleted_document_takes_its_quotes_with_it(
    conversations: Conversations, settings: Settings, *, everything: bool
) -> None:
    identity = conversations.history.start("me").id
    first = turn(conversations, settings, identity, "When does the tide at Porto turn?")
    citation = first.result["citations"][0]

    with open_store(settings) as store, store.writing():
        if everything:
            store.delete_all()
        else:
            store.remove([citation["document_id"]])

    [kept] = conversations.history.turns(identity)
    assert kept.question == first.question
    assert kept.result["answer"] is None
    assert citation["document_id"] not in str(kept.result)
    assert conversations.version("me", citation["document_id"], citation["sha256"], None) is None


def test_pruning_erases_too(
    conversations: Conversations, settings: Settings, tmp_path: Path
) -> None:
    identity = conversations.history.start("me").id
    turn(conversations, settings, identity, "When does the tide at Porto turn?")
    (tmp_path / "corpus" / "tide.txt").unlink()

    index_paths(
        settings, carded(), [tmp_path / "corpus"], RecordingReporter(), prune=True, yes=True
    )

    [kept] = conversations.history.turns(identity)
    assert kept.result["answer"] is None
    assert (
        any(
            "is gone" in note
            for note in turn(conversations, settings, identity, "How far does it fall?").result[
                "notes"
            ]
        )
        is False
    )


def test_deleting_the_index_deletes_no_conversation(
    conversations: Conversations, settings: Settings
) -> None:
    identity = conversations.history.start("me").id
    first = turn(conversations, settings, identity, "When does the tide at Porto turn?")
    for path in settings.data.glob("index.db*"):
        path.unlink()

    [kept] = open_conversations(settings).history.turns(identity)

    assert kept == first
    assert {each.state for each in conversations.quoted(identity, None)[first.id]} == {"gone"}


def test_a_place_is_found_in_the_current_text(
    conversations: Conversations, settings: Settings
) -> None:
    identity = conversations.history.start("me").id
    asked = turn(conversations, settings, identity, "When does the tide at Porto turn?")
    snapshot = pipeline_now(settings).snapshot
    bread = next(info for info in snapshot.documents() if info.uri == "bread.txt")
    place = Place(bread.id, bread.sha256, 24, 33)

    judged = conversations.judge("me", asked.id, "place", place, snapshot)

    assert judged.answers == ("two hours",)
    for verdict, given in (("place", None), ("right", place)):
        with pytest.raises(InvalidFeedback, match="both or neither"):
            conversations.judge("me", asked.id, verdict, given, snapshot)  # type: ignore[arg-type]
    with pytest.raises(UnknownConversation):
        conversations.judge("you", asked.id, "right", None, snapshot)


def test_an_empty_question_is_none_in_a_conversation_either() -> None:
    with pytest.raises(InvalidQuestion):
        answer_in_context(" ", [PORTO], lambda _: pytest.fail("asked"))
