"""The JSON shape of an answer."""

from __future__ import annotations

import json
from dataclasses import fields, replace

from qa.answer import Answer, AnswerSpan, Citation, Gate, NearestPassage, Refusal, Searched

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
    "date",
    "freshness",
    "extractor",
    "page",
    "slide",
    "sheet",
    "row",
    "date_source",
    "caution",
    "mail",
]
ANSWER_KEYS = [
    "question",
    "interpreted_as",
    "tags",
    "documents",
    "answer",
    "certainty",
    "kind",
    "answers",
    "refusal",
    "confidence",
    "calibrated",
    "citations",
    "alternatives",
    "conflicts",
    "earlier",
    "notes",
    "doubts",
    "parts",
    "reply",
    "passages_read",
    "passages_found",
    "truncated",
    "timings_ms",
    "generation",
]
CITATION = Citation("id", "Title", "a.txt", "00", "five", 5, 9, 5, 9, "It's five.", 0, 10, 1, None)
SPAN = AnswerSpan("five", 0.75, CITATION)
OTHER = AnswerSpan(
    "It's",
    0.25,
    Citation("id", "Title", "a.txt", "00", "It's", 0, 4, 0, 4, "It's five.", 0, 10, 1, "Part"),
)


def answered(
    *spans: AnswerSpan, notes: tuple[str, ...] = (), conflicts: tuple[AnswerSpan, ...] = ()
) -> Answer:
    """Return an answer of these spans."""
    return Answer(
        question="How many?",
        kind="span",
        spans=spans,
        refusal=None,
        confidence=0.75,
        calibrated=True,
        alternatives=(OTHER,),
        conflicts=conflicts,
        notes=notes,
        passages_read=5,
        passages_found=5,
        timings_ms={"total": 1.5},
        generation=3,
    )


def refused(*nearest: NearestPassage, missing: tuple[str, ...] = ()) -> Answer:
    """Return a refusal that shows these passages."""
    gate = Gate("confidence", 0.1, 0.5, 0.4)
    refusal = Refusal("nothing fits", Searched(2, 7, 5), gate, missing, nearest)
    return replace(answered(), refusal=refusal, confidence=0.1, alternatives=())


def test_an_answer_is_its_best_span_and_cites_all() -> None:
    answer = answered(SPAN, OTHER)

    assert answer.text == "five"
    assert answer.citations == (CITATION, OTHER.citation)


def test_further_places_are_cited_after_the_first() -> None:
    assert answered(replace(SPAN, further=(OTHER.citation,)), OTHER).citations == (
        CITATION,
        OTHER.citation,
        OTHER.citation,
    )


def test_every_field_is_shown() -> None:
    assert {each.name for each in fields(Answer)} - {"spans"} | {
        "answer",
        "answers",
        "certainty",
        "citations",
        "truncated",
    } == set(ANSWER_KEYS)


def test_the_shape_of_an_answer() -> None:
    shown = answered(SPAN).to_dict()

    assert list(shown) == ANSWER_KEYS
    assert [list(span) for span in shown["answers"] + shown["alternatives"]] == [
        ["text", "confidence", "citation", "further", "certainty"]
    ] * 2
    assert list(shown["citations"][0]) == CITATION_KEYS
    assert shown["citations"] == [span["citation"] for span in shown["answers"]]
    assert (shown["answer"], shown["refusal"], shown["generation"]) == ("five", None, 3)


def test_the_shape_of_a_refusal() -> None:
    passage = NearestPassage("id", "Title", "a.txt", "00", "It's five.", 0, 10, None, 0.5, -1.25)

    shown = refused(passage, missing=("Porto",)).to_dict()

    assert list(shown) == ANSWER_KEYS
    assert (shown["answer"], shown["answers"], shown["citations"]) == (None, [], [])
    refusal = shown["refusal"]
    assert (refusal["reason"], refusal["missing"]) == ("nothing fits", ["Porto"])
    assert refusal["searched"] == {"documents": 2, "passages": 7, "read": 5}
    assert refusal["gate"] == {"name": "confidence", "value": 0.1, "needed": 0.5, "short_by": 0.4}
    [nearest] = refusal["nearest"]
    assert list(nearest) == [
        "document_id",
        "title",
        "uri",
        "sha256",
        "text",
        "start",
        "end",
        "heading",
        "score",
        "reader_score",
        "highlights",
    ]


def test_it_is_plain_json() -> None:
    shown = answered(SPAN, notes=("a note",)).to_dict()

    assert json.loads(json.dumps(shown)) == shown
    assert (
        json.loads(json.dumps(refused(missing=("Porto",)).to_dict()))
        == refused(missing=("Porto",)).to_dict()
    )


def test_an_answer_prints_its_quotes_and_their_places() -> None:
    answer = replace(answered(SPAN), notes=("a.txt has changed.",))

    assert str(answer) == "five\n  — Title, a.txt, line 1, confidence 0.75\na.txt has changed."


def test_a_refusal_prints_its_reason() -> None:
    assert str(refused()).startswith("No answer found: ")


def test_nothing_of_a_document_acts_on_a_terminal() -> None:
    hostile = replace(SPAN, text="five\x1b]0;title\x07")

    assert "\x1b" not in str(replace(answered(SPAN), spans=(hostile,)))


def test_a_notebook_shows_the_quote_marked_in_its_sentence() -> None:
    shown = answered(SPAN)._repr_html_()

    assert "It&#x27;s <mark>five</mark>." in shown
    assert "Title, a.txt, line 1" in shown


def test_nothing_of_a_document_acts_in_a_notebook() -> None:
    script = "<script>alert(1)</script>"
    citation = replace(CITATION, title=script, uri=script, sentence=f"It's five. {script}")
    passage = NearestPassage("id", script, script, "00", script, 0, 9, None, 0.5, None)

    for answer in (
        replace(answered(SPAN), question=script, spans=(AnswerSpan("five", 0.75, citation),)),
        replace(refused(passage), question=script, notes=(script,)),
    ):
        assert "<script" not in answer._repr_html_()
