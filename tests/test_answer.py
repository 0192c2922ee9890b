"""The JSON shape of an answer."""

from __future__ import annotations

import json

from qa.answer import Answer, Citation, NearestPassage, Refusal, Span

CITATION_KEYS = [
    "document_id",
    "title",
    "uri",
    "sha256",
    "quote",
    "start",
    "end",
    "byte_start",
    "byte_end",
    "sentence",
    "sentence_start",
    "sentence_end",
    "line",
    "heading",
]
ANSWER_KEYS = [
    "question",
    "answer",
    "answers",
    "refusal",
    "confidence",
    "citations",
    "alternatives",
    "notes",
    "timings_ms",
    "generation",
]
CITATION = Citation("id", "Title", "a.txt", "00", "five", 5, 9, 5, 9, "It's five.", 0, 10, 1, None)
SPAN = Span("five", 0.75, CITATION)
OTHER = Span("It's", 0.25, Citation("id", "Title", "a.txt", "00", "It's", 0, 4, 0, 4, "It's five.", 0, 10, 1, "Part"))


def answered(*spans: Span, notes: tuple[str, ...] = ()) -> Answer:
    """An answer of these spans."""
    return Answer("How many?", spans, None, 0.75, (OTHER,), notes, {"total": 1.5}, 3)


def refused(*nearest: NearestPassage) -> Answer:
    """A refusal that shows these passages."""
    return Answer("How many?", (), Refusal("nothing fits", nearest), 0.1, (), (), {"total": 1.5}, 3)


def test_an_answer_is_its_best_span_and_cites_all() -> None:
    answer = answered(SPAN, OTHER)

    assert answer.text == "five"
    assert answer.citations == (CITATION, OTHER.citation)


def test_the_shape_of_an_answer() -> None:
    shown = answered(SPAN).to_dict()

    assert list(shown) == ANSWER_KEYS
    assert [list(span) for span in shown["answers"] + shown["alternatives"]] == [["text", "confidence", "citation"]] * 2
    assert list(shown["citations"][0]) == CITATION_KEYS
    assert shown["citations"] == [span["citation"] for span in shown["answers"]]
    assert (shown["answer"], shown["refusal"], shown["generation"]) == ("five", None, 3)


def test_the_shape_of_a_refusal() -> None:
    passage = NearestPassage("id", "Title", "a.txt", "It's five.", 0, 10, None, 0.5)

    shown = refused(passage).to_dict()

    assert list(shown) == ANSWER_KEYS
    assert (shown["answer"], shown["answers"], shown["citations"]) == (None, [], [])
    assert shown["refusal"]["reason"] == "nothing fits"
    assert list(shown["refusal"]["nearest"][0]) == ["document_id", "title", "uri", "text", "start", "end", "heading", "score"]


def test_it_is_plain_json() -> None:
    shown = answered(SPAN, notes=("a note",)).to_dict()

    assert json.loads(json.dumps(shown)) == shown
