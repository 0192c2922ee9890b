"""Tests of answers and passages as plain text."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.answer import AnswerSpan, Citation, CopyPlace, NearestPassage, Part, RetrievedPassage
from qa.interfaces.plaintext.answers import (
    AROUND,
    answer_text,
    confidence_words,
    place_text,
    quote_in_text,
    search_table,
    shortened,
    span_text,
    turn_text,
)
from tests.qa.test_answer import SPAN, answered, refused

WIDTH = 80


def bold(text: str) -> str:
    """Mark a text visibly."""
    return f"*{text}*"


def test_an_answer_shows_span_sentence_citation_and_confidence() -> None:
    assert answer_text(answered(SPAN), bold, WIDTH).splitlines() == [
        "*five*",
        "",
        "  “It's *five*.”",
        "",
        "  — Title",
        "  a.txt, line 1, characters 5–9",
        "  confidence: fair (0.75)",
    ]


def test_a_likely_answer_says_probably_and_what_speaks_against_it() -> None:
    likely = replace(SPAN, certainty="likely")
    answer = replace(answered(likely), doubts=("The passage does not hold “Porto”.",))

    lines = answer_text(answer, bold, WIDTH).splitlines()

    assert lines[:3] == ["Probably:", "", "*five*"]
    assert lines[-1] == "Not sure: The passage does not hold “Porto”."
    settled = replace(answer, kind="evidence")
    assert answer_text(settled, bold, WIDTH).startswith("Probably this sentence settles it:")


def test_parts_are_shown_with_their_questions_and_reasons() -> None:
    parts = (
        Part("How many", "likely", 1, None, ("Two may be meant.",)),
        Part("who", "none", 0, "nothing fits"),
    )
    answer = replace(answered(SPAN), kind="parts", parts=parts)

    text = answer_text(answer, bold, WIDTH)

    assert text.startswith("How many — probably:\n\n*five*")
    assert "Not sure: Two may be meant." in text
    assert text.endswith("who — no answer found: nothing fits.")


def test_a_reply_is_words_alone() -> None:
    answer = replace(answered(), kind="chat", reply="Hello. Ask me something.", alternatives=())

    assert answer_text(answer, bold, WIDTH) == "Hello. Ask me something."
    assert str(answer) == "Hello. Ask me something."


def test_a_refusal_names_the_best_candidate() -> None:
    answer = replace(refused(), alternatives=(replace(SPAN, confidence=0.3, certainty="none"),))

    text = answer_text(answer, bold, WIDTH)

    assert "Best candidate: “five” (a.txt, line 1), confidence low (0.30)." in text


def test_a_whole_sentence_is_shown_once() -> None:
    whole = Citation(
        "id",
        "Title",
        "a.txt",
        "00",
        "It's five.",
        0,
        10,
        0,
        10,
        "It's five.",
        0,
        10,
        1,
        "Part › Sum",
    )

    shown = span_text(AnswerSpan("It's five.", 0.9, whole), bold, WIDTH)

    assert shown.count("five") == 1
    assert "  under Part › Sum" in shown.splitlines()


def test_line_breaks_inside_a_quote_are_folded_but_its_edges_kept() -> None:
    sentence = "It is\nfive or\n\tsix now."
    citation = Citation(
        "id", "T", "a.txt", "00", "five or\n\tsix", 6, 18, 6, 18, sentence, 0, 23, 1, None
    )

    assert "  “It is *five or six* now.”" in span_text(
        AnswerSpan(citation.quote, 0.9, citation), bold, WIDTH
    )


def test_a_refusal_gives_its_reason_and_what_was_searched() -> None:
    passage = NearestPassage(
        "id", "Title", "b.txt", "00", "Some  long\ntext " * 50, 20, 900, None, 0.4, -1.25
    )

    shown = answer_text(refused(passage, missing=("Porto", "1999")), bold, WIDTH)

    assert "No answer found: nothing fits." in shown
    assert "— b.txt, characters 20–900, " in shown
    assert {"0.40", "7 passages", "2 documents", "Porto", "1999"} == {
        each for each in ("0.40", "7 passages", "2 documents", "Porto", "1999") if each in shown
    }
    assert max(map(len, shown.splitlines())) <= WIDTH


def test_every_place_of_an_answer_is_shown() -> None:
    elsewhere = replace(SPAN.citation, uri="b.txt", line=7, date="2026-04-20")

    shown = answer_text(answered(replace(SPAN, further=(elsewhere,))), bold, WIDTH)

    assert "  a.txt, line 1, characters 5–9" in shown.splitlines()
    assert "  b.txt, line 7, characters 5–9" in shown.splitlines()
    assert "(2026-04-20)" in shown


def test_a_contradiction_is_shown_with_its_place() -> None:
    other = replace(
        SPAN,
        text="six",
        citation=replace(SPAN.citation, quote="six", sentence="It's six.", uri="b.txt", end=8),
    )

    shown = answer_text(answered(SPAN, conflicts=(other,)), bold, WIDTH)

    assert (
        shown.index("*five*")
        < shown.index("Another document gives")
        < shown.index("*six*")
        < shown.index("b.txt")
    )


def test_an_uncalibrated_confidence_is_noted() -> None:
    assert "not calibrated" not in answer_text(answered(SPAN), bold, WIDTH)
    assert "not calibrated" in answer_text(replace(answered(SPAN), calibrated=False), bold, WIDTH)


def test_a_refusal_without_passages_announces_none() -> None:
    assert "Nearest" not in answer_text(refused(), bold, WIDTH)


def test_notes_are_shown() -> None:
    assert answer_text(answered(SPAN, notes=("beware",)), bold, WIDTH).endswith("Note: beware")


@pytest.mark.parametrize(
    ("confidence", "words"), [(0.8, "high (0.80)"), (0.5, "fair (0.50)"), (0.0, "low (0.00)")]
)
def test_confidence_in_words(confidence: float, words: str) -> None:
    assert confidence_words(confidence) == words


def test_a_search_table_is_one_line_a_passage_within_the_width() -> None:
    found = [
        RetrievedPassage(
            "id", "A", "a.txt", "00", "word\n" * 140, 0, 700, None, 0.5, 1, 0.25, 2, 3.125, 1
        ),
        RetrievedPassage(
            "id",
            "A",
            "a.txt",
            "00",
            "second",
            700,
            706,
            None,
            0.25,
            2,
            0.125,
            1,
            0.0,
            None,
            tuple(CopyPlace("id", "B", uri, 0, 6) for uri in ("b.txt", "c.txt")),
        ),
    ]

    head, first, second = search_table(found, WIDTH).splitlines()

    assert head.split() == ["rank", "fused", "dense", "BM25", "passage"]
    assert first.split()[:7] == ["1", "0.500", "0.250", "#2", "3.125", "#1", "a.txt:0–700"]
    assert second.split()[:6] == ["2", "0.250", "0.125", "#1", "0.000", "–"]
    assert "a.txt:700–706 (also in b.txt, c.txt)" in second
    assert len(first) <= WIDTH


def test_a_text_without_spaces_is_cut_but_shown() -> None:
    passage = NearestPassage(
        "id", "T", "b.txt", "00", "東京は大きい。" * 60, 0, 420, None, 0.4, None
    )
    row = RetrievedPassage(
        "id", "A", "a.txt", "00", "東京は大きい。" * 60, 0, 420, None, 0.5, 1, 0.25, 2, 3.125, 1
    )

    shown, table = answer_text(refused(passage), bold, WIDTH), search_table([row], WIDTH)

    assert shown.count("東") > 10
    assert "…" in shown
    assert max(map(len, shown.splitlines())) <= WIDTH
    assert table.splitlines()[1].endswith("…")
    assert "東京は" in table
    assert max(map(len, table.splitlines())) <= WIDTH


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one two three", "one two…"),
        ("one  two\n", "one two"),
        ("exactly 10", "exactly 10"),
        ("a " + "b" * 20, "a " + "b" * 7 + "…"),
        ("b" * 20, "b" * 9 + "…"),
        ("", ""),
    ],
)
def test_a_long_text_is_cut_at_a_word_if_one_ends_late_enough(text: str, expected: str) -> None:
    assert shortened(text, 10) == expected


@given(st.text(), st.integers(2, 40))
def test_a_shortened_text_fits_and_keeps_its_beginning(text: str, room: int) -> None:
    short = shortened(text, room)

    assert len(short) <= room
    assert "\n" not in short
    if len(whole := shortened(text, 10_000)) > room:
        assert len(short) > room // 2
        assert whole.startswith(short[:-1])


HOSTILE = "\x1b[31m\x9b\x07a\u202eb\u2066"


def test_control_characters_and_changes_of_direction_never_reach_the_terminal() -> None:
    citation = Citation(
        "id",
        HOSTILE,
        f"{HOSTILE}.txt",
        "00",
        HOSTILE,
        3,
        12,
        3,
        12,
        f"It {HOSTILE}.",
        0,
        13,
        1,
        HOSTILE,
    )
    span = AnswerSpan(HOSTILE, 0.9, citation, (replace(citation, start=4),))
    near = NearestPassage("id", HOSTILE, HOSTILE, "00", f"It {HOSTILE}.", 0, 13, HOSTILE, 0.4, None)
    row = RetrievedPassage(
        "id", HOSTILE, HOSTILE, "00", HOSTILE, 0, 13, HOSTILE, 0.5, 1, 0.25, 2, 3.125, 1
    )

    shown = (
        answer_text(answered(span, conflicts=(span,), notes=(HOSTILE,)), bold, WIDTH)
        + answer_text(refused(near, missing=(HOSTILE,)), bold, WIDTH)
        + search_table([row], WIDTH)
    )

    assert not set("\x1b\x9b\x07\u202e\u2066") & set(shown)
    assert shown.count("\ufffd[31m") >= 10


def test_a_turn_says_how_it_was_understood() -> None:
    plain, followed = (
        replace(answered(SPAN), interpreted_as=each).to_dict() for each in (None, "How many\x1b?")
    )

    assert turn_text(plain, bold, WIDTH) == answer_text(answered(SPAN), bold, WIDTH)
    assert turn_text(followed, bold, WIDTH).startswith("Understood as: How many\ufffd?\n\n*five*\n")
    corrected = replace(answered(SPAN), interpreted_as="How many?")
    assert answer_text(corrected, bold, WIDTH).startswith("Understood as: How many?\n\n*five*\n")


@given(st.text(max_size=900), st.text(min_size=1, max_size=40), st.text(max_size=900))
def test_a_quote_is_marked_in_its_text(before: str, quote: str, after: str) -> None:
    text = before + quote + after
    citation = Citation(
        "id",
        "Title",
        "a.txt",
        "00",
        quote,
        len(before),
        len(before + quote),
        0,
        0,
        quote,
        0,
        0,
        1,
        None,
    )

    shown = quote_in_text(citation, text, lambda each: f"\ue000{each}\ue001", WIDTH).partition(
        "\n\n"
    )[2]

    assert shown.count("\ue000") >= 1
    assert len(shown) <= 4 * AROUND + len(quote) + 4
    assert shown.startswith("…") is (
        len(before) > 2 * AROUND or ("\n" in before[: max(len(before) - AROUND, 0)])
    )


def test_a_place_is_one_line() -> None:
    assert place_text(SPAN.citation, WIDTH) == "Title (a.txt, line 1): “five”"
