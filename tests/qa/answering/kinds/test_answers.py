"""Answers to questions of special kinds, over small documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from qa.answer import Answer, answer_of
from qa.answering.kinds.summary import MOST_SENTENCES, SELECTION, central_sentences
from qa.answering.pipeline import Pipeline
from qa.answering.reading.reader import Reader, Reading
from qa.answering.retrieval.retriever import RetrievedChunk
from qa.verification.quote_check import in_index, quotes_of, verify
from tests.support.fakes import FixedReader
from tests.support.serving import pipeline_of

FILES = {
    "minutes_2026-09-08.md": "# Harbour meeting\n\nAnn Lee chaired. The steriliser failed again.",
    "minutes_2026-10-13.md": "# Harbour meeting\n\nBob Ray chaired the meeting in October.",
    "manual.md": (
        "# Pump manual\n\nThe HX-40 weighs 55 kg. It needs oil.\n\n"
        "The HX-60 weighs 61 kg. The steriliser CN-0152 is next to it."
    ),
    "leave.md": "# Leave policy\n\nStaff get thirty days of leave. Leave is asked for in writing.",
}  # fmt: skip


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return pipeline_of(tmp_path_factory.mktemp("kinds"), FILES)


@dataclass(frozen=True)
class ReaderByQuestion:
    """Reader that finds the quote of the first word that the question holds."""

    quotes: dict[str, str]
    fingerprint: str = "fixed"

    def read(
        self, question: str, passages: Sequence[RetrievedChunk], *, seconds: float | None = None
    ) -> Reading:
        found = [quote for word, quote in self.quotes.items() if word in question][:1]
        reader = FixedReader(dict.fromkeys(found, 9.0))
        return reader.read(question, passages, seconds=seconds)


def asked(pipeline: Pipeline, question: str, reader: Reader | None = None) -> Answer:
    """Return the answer of a pipeline with a reader, of none that finds anything by default."""
    answered = Pipeline(
        pipeline.snapshot,
        pipeline._retriever,
        reader or FixedReader({}),
        pipeline.policy,
        top_k=5,
    ).ask(question)
    assert answer_of(answered.to_dict()) == answered
    quotes = quotes_of(answered.to_dict())
    with in_index(pipeline.snapshot) as find:
        assert all(proof.proved for proof in verify(quotes, find))
    return answered


def uris(answer: Answer) -> list[str]:
    return [span.citation.uri for span in answer.spans]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What documents do you have?", set(FILES)),
        ("list all files", set(FILES)),
        ("Which documents mention CN-0152?", {"manual.md"}),
        ("in which files does the steriliser come up", {"minutes_2026-09-08.md", "manual.md"}),
        ("what do we have about leave", {"leave.md"}),
        ("which minutes are there", {"minutes_2026-09-08.md", "minutes_2026-10-13.md"}),
        ("everything on the steriliser please", {"minutes_2026-09-08.md", "manual.md"}),
        ("Which minutes did Ann Lee write", {"minutes_2026-09-08.md"}),
        ("minutes by Ann Lee", {"minutes_2026-09-08.md"}),
        ("show me the documents written by Ann Lee", {"minutes_2026-09-08.md"}),
        ("which documents do you have about leave", {"leave.md"}),
        ("is there anything about the steriliser?", {"minutes_2026-09-08.md", "manual.md"}),
        ("do you have any other documents about leave", {"leave.md"}),
        ("are there documents about leave", {"leave.md"}),
    ],
)
def test_documents_are_listed_each_with_a_quote(
    pipeline: Pipeline, question: str, expected: set[str]
) -> None:
    answer = asked(pipeline, question)

    assert (answer.kind, answer.certainty, answer.refusal) == ("documents", "sure", None)
    assert set(uris(answer)) == expected
    assert len(answer.spans) == len(expected)


def test_mails_are_documents_of_their_format(tmp_path: Path) -> None:
    mail = "From: Ann Lee <ann@harbour.example>\nSubject: Berth 7\n\nBerth 7 is free.\n"
    pipeline = pipeline_of(tmp_path, FILES | {"berth.eml": mail})

    assert uris(asked(pipeline, "Which mails are from Ann Lee?")) == ["berth.eml"]
    assert uris(asked(pipeline, "Which mails mention the berth?")) == ["berth.eml"]


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("newest minutes", "minutes_2026-10-13.md"),
        ("show me the oldest minutes", "minutes_2026-09-08.md"),
        ("What are the latest minutes of the harbour?", "minutes_2026-10-13.md"),
    ],
)
def test_the_newest_document_comes_first(pipeline: Pipeline, question: str, first: str) -> None:
    assert uris(asked(pipeline, question))[0] == first


def test_documents_are_counted_and_things_in_them_are_not(pipeline: Pipeline) -> None:
    assert asked(pipeline, "How many documents do you have?").notes == ("4 documents in all.",)
    assert asked(pipeline, "How many minutes are there?").notes == ("2 documents in all.",)
    assert asked(pipeline, "How many pumps are there?").kind == "span"
    assert asked(pipeline, "How many sources of harbour law are there?").kind == "span"


def test_a_question_for_documents_that_no_document_fits_is_an_ordinary_one(
    pipeline: Pipeline,
) -> None:
    assert asked(pipeline, "Which documents mention zebras?").kind != "documents"
    assert asked(pipeline, "How many invoices are there?").kind != "documents"


def test_small_talk_gets_words_and_no_quote(pipeline: Pipeline) -> None:
    answer = asked(pipeline, "Hello!")

    assert (answer.kind, answer.spans, answer.refusal) == ("chat", (), None)
    assert answer.reply
    assert "4 documents" in answer.reply


def test_a_request_for_a_text_is_refused_with_what_came_nearest(pipeline: Pipeline) -> None:
    answer = asked(pipeline, "Write me a letter about leave")

    assert answer.refusal
    assert "only quoted" in answer.refusal.reason
    assert answer.refusal.gate.name == "question"
    assert answer.refusal.nearest[0].uri == "leave.md"


def test_each_part_of_two_questions_has_its_own_answer(pipeline: Pipeline) -> None:
    answer = asked(
        pipeline,
        "Who chaired in October and how many days of leave do staff get?",
        ReaderByQuestion({"chaired": "Bob Ray", "leave": "thirty days"}),
    )

    assert answer.kind == "parts"
    assert [(part.question, part.spans) for part in answer.parts] == [
        ("Who chaired in October", 1),
        ("how many days of leave do staff get", 1),
    ]
    assert [[span.text for span in spans] for _, spans in answer.spans_of_parts] == [
        ["Bob Ray"],
        ["thirty days"],
    ]


def test_a_part_without_an_answer_says_so(pipeline: Pipeline) -> None:
    answer = asked(
        pipeline,
        "How many days of leave do staff get and who is the mayor?",
        ReaderByQuestion({"leave": "thirty days"}),
    )

    assert [part.spans for part in answer.parts] == [1, 0]
    assert answer.parts[1].reason
    assert answer.parts[1].certainty == "none"
    assert answer.refusal is None


def test_the_side_that_a_comparison_asks_for_comes_first(pipeline: Pipeline) -> None:
    reader = ReaderByQuestion({"HX-60": "61 kg", "HX-40": "55 kg"})

    answer = asked(pipeline, "Which one's heavier, HX-40 or HX-60?", reader)

    assert [span.text for span in answer.spans] == ["61 kg", "55 kg"]
    assert [part.question for part in answer.parts] == ["HX-60", "HX-40"]


@pytest.mark.parametrize(
    ("question", "quotes"),
    [
        (
            "What is the difference between urgent and routine repairs?",
            ["Urgent | no water | 2 days", "Routine | dripping tap | 15 days"],
        ),
        ("Compare the urgent with the emergency", ["Urgent | no water | 2 days", "Emergency | f"]),
        ("Which is quicker, urgent or routine repairs", []),
        ("difference between the reply of urgent and of routine repairs", []),
        ("difference between urgent and foreign repairs", []),
    ],
)
def test_both_rows_of_a_comparison_are_quoted_whole(
    tmp_path: Path, question: str, quotes: list[str]
) -> None:
    table = (
        "# Repairs\n\n| Priority | Example | Reply |\n|---|---|---|\n"
        "| Emergency | fire | 4 hours |\n| Urgent | no water | 2 days |\n"
        "| Routine | dripping tap | 15 days |\n"
    )

    answer = asked(pipeline_of(tmp_path, {"repairs.md": table}), question)

    rows = [span.text for span in answer.spans if " | " in span.text]
    assert len(rows) == len(quotes)
    assert all(map(str.startswith, rows, quotes))


def test_a_summary_quotes_sentences_of_the_named_document_in_order(pipeline: Pipeline) -> None:
    answer = asked(pipeline, "What is the leave policy about?")

    assert (answer.kind, answer.notes) == ("summary", (SELECTION,))
    assert set(uris(answer)) == {"leave.md"}
    starts = [span.citation.start for span in answer.spans]
    assert starts == sorted(starts)


def test_what_a_person_says_is_no_summary(pipeline: Pipeline) -> None:
    assert asked(pipeline, "What does the leave policy say?").kind == "summary"
    assert asked(pipeline, "What did the steriliser say?").kind == "span"


def test_the_sentences_of_a_summary_are_few_and_central() -> None:
    about = [f"The harbour crane number {at} lifts containers in the harbour." for at in range(6)]
    text = " ".join([*about, "Yesterday my neighbour bought seven yellow tulips.", "Ok."])

    chosen = central_sentences(text)

    assert len(chosen) == MOST_SENTENCES
    assert all("crane" in text[start:end] for start, end in chosen)
    assert central_sentences("") == []
