"""Tests that chunks are exact ranges of whole sentences within the token budget."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.document import Chunk, Document
from index.formats.text_builder import TextBuilder
from index.text.chunking import chunk_document
from tests.index.text.test_markdown import ANY, PARTS
from tests.support.fakes import FakeEncoder, markdown_document, plain_document

PHRASES = st.sampled_from(
    [
        "Dr. Smith paid $2.7 million. ",
        "No end ",
        "e\u0301\u0302\u0303",
        "👩‍👩‍👧‍👦",
        "🇩🇪🇫🇷",
        "x" * 90,
        "漢字" * 20,
        "The risks are:\n\n",
        "Yes.\n\n",
        "\n",
        " \u3000\t",
        " \x1f",
        "the US Depart…\n",
        "a. b! c? ",
    ]
)
TEXT = st.one_of(ANY, st.lists(st.one_of(PHRASES, PARTS, ANY), max_size=25).map("".join))
BUDGETS = st.integers(6, 60)


def _assert_sound(document: Document, chunks: list[Chunk], encoder: FakeEncoder) -> None:
    for chunk in chunks:
        ends = [chunk.start, *(at for span in chunk.sentences for at in span), chunk.end]
        [spans] = encoder.token_spans([chunk.text])
        headings = sum(map(len, encoder.token_spans(chunk.headings)))

        assert document.text[chunk.start : chunk.end] == chunk.text == chunk.text.strip() != ""
        assert ends == sorted(ends)
        assert all(start < end for start, end in chunk.sentences)
        assert len(spans) + headings <= encoder.passage_budget
    assert [chunk.start for chunk in chunks] == sorted(chunk.start for chunk in chunks)


@pytest.mark.parametrize("parse", [plain_document, markdown_document])
@given(text=TEXT, budget=BUDGETS)
def test_chunks_of_any_text_are_exact_and_within_the_budget(
    parse: Callable[[str], Document], text: str, budget: int
) -> None:
    document, encoder = parse(text), FakeEncoder(budget)

    _assert_sound(document, chunk_document(document, encoder), encoder)


@given(text=TEXT, budget=BUDGETS)
def test_every_letter_of_plain_text_is_in_a_chunk(text: str, budget: int) -> None:
    document = plain_document(text)

    covered = {
        at
        for chunk in chunk_document(document, FakeEncoder(budget))
        for at in range(chunk.start, chunk.end)
    }
    for block in document.blocks:
        if block.kind == "heading":  # stands above chunks
            covered |= set(range(block.start, block.end))

    assert all(at in covered for at, character in enumerate(text) if character.isalnum())


@pytest.mark.parametrize(
    "line",
    ["x" * 2_000_000, "Dr. Smith sold it. " * 105_000, "word " * 400_000, "👩‍👩‍👧" * 250_000],
    ids=["one word", "sentences", "no stop", "emoji"],
)
@pytest.mark.slow
def test_one_line_of_two_megabytes_is_cut_into_chunks(line: str) -> None:
    document, encoder = plain_document(line), FakeEncoder(254)

    chunks = chunk_document(document, encoder)

    _assert_sound(document, chunks, encoder)
    assert sum(chunk.end - chunk.start for chunk in chunks) >= 0.99 * len(line.rstrip())


def test_a_cut_never_splits_a_grapheme() -> None:
    family = "👩‍👩‍👧‍👦"
    document = plain_document(family * 1000)

    for chunk in chunk_document(document, FakeEncoder(10_000)):
        assert chunk.text.replace(family, "") == ""


def test_both_parts_of_a_cut_word_count_as_tokens() -> None:
    document, encoder = plain_document("x" * 3000 + " b c d e f g h" * 9), FakeEncoder(10)

    _assert_sound(document, chunk_document(document, encoder), encoder)


def test_windows_of_a_long_paragraph_overlap_by_one_sentence() -> None:
    sentences = [f"Sentence number {number} is here." for number in range(12)]
    document = plain_document(" ".join(sentences))

    chunks = chunk_document(document, FakeEncoder(20))

    assert len(chunks) > 2
    for before, after in pairwise(chunks):
        assert before.sentences[-1] == after.sentences[0]


def test_paragraphs_are_chunks_of_their_own() -> None:
    text = (
        "The first paragraph says one thing about the matter.\n\n"
        "The second paragraph says another thing about it."
    )

    chunks = chunk_document(plain_document(text), FakeEncoder(100))

    assert [chunk.text for chunk in chunks] == text.split("\n\n")


def test_a_lead_in_and_a_very_short_block_join_the_next() -> None:
    text = (
        "These are the risks that the company names in its report:\n\n- fire\n- water\n\n"
        "Yes.\n\nThis is a paragraph that stands alone here."
    )

    chunks = chunk_document(markdown_document(text), FakeEncoder(100))

    assert [chunk.text[:5] for chunk in chunks] == ["These", "Yes.\n"]


def test_a_chunk_never_crosses_a_heading_even_one_of_the_same_name() -> None:
    text = "# A\n\nShort.\n\n# A\n\nThis is the paragraph that follows the other one.\n"

    chunks = chunk_document(markdown_document(text), FakeEncoder(100))

    assert all("#" not in chunk.text for chunk in chunks)


def test_too_many_headings_lose_the_outermost_first() -> None:
    text = (
        "".join(f"{'#' * depth} Heading of level {depth}\n\n" for depth in range(1, 6))
        + "Text under all of them."
    )

    [*_, chunk] = chunk_document(markdown_document(text), FakeEncoder(30))

    assert chunk.headings == ("Heading of level 4", "Heading of level 5")


def test_white_space_has_no_chunks() -> None:
    assert chunk_document(plain_document(" \n \n"), FakeEncoder()) == []


@given(text=TEXT, budget=BUDGETS)
def test_chunks_repeat_no_words_but_the_sentence_they_overlap_by(text: str, budget: int) -> None:
    chunks = chunk_document(plain_document(text), FakeEncoder(budget))

    for before, after in pairwise(chunks):
        repeated = before.end - after.start
        assert repeated <= 0 or before.sentences[-1] == after.sentences[0]


@pytest.mark.parametrize("parse", [plain_document, markdown_document])
@given(text=TEXT, budget=BUDGETS)
def test_chunking_again_gives_the_same_chunks(
    parse: Callable[[str], Document], text: str, budget: int
) -> None:
    once, again = (chunk_document(parse(text), FakeEncoder(budget)) for _ in range(2))

    assert once == again


def test_a_list_is_one_chunk_with_its_lead() -> None:
    text = (
        "The needle has hurt you and you do not know what comes next. Do this:\n\n"
        "1. Let the wound bleed.\n2. Rinse it with water.\n3. Call 4990.\n\n"
        "Nothing else is known to help after such an accident.\n"
    )

    for document in (plain_document(text), markdown_document(text)):
        first, second = chunk_document(document, FakeEncoder(100))

        assert first.text == text[: text.index("\n\nNothing")]
        assert second.text.startswith("Nothing")
        assert [text[slice(*sentence)] for sentence in first.sentences][-2:] == [
            "Rinse it with water.",
            "Call 4990.",
        ]


def test_a_long_list_is_cut_between_items_and_keeps_its_lead() -> None:
    items = [f"{number}. Do the step with this number." for number in range(1, 31)]
    text = "# Plan\n\nIt is long. The steps are these:\n\n" + "\n".join(items) + "\n"

    lead, *windows = chunk_document(markdown_document(text), FakeEncoder(40))

    assert lead.text == "It is long. The steps are these:"
    assert len(windows) > 4
    assert "\n".join(window.text for window in windows) == "\n".join(items)
    for window in windows:
        assert window.headings == ("Plan", "The steps are these")
        assert window.text[0].isdecimal()


def test_a_cut_definition_keeps_its_term() -> None:
    sentences = " ".join(f"Sentence number {number} says more." for number in range(20))
    text = f"Some text comes before it.\n\n--force\n    {sentences}\n"

    _, first, *others = chunk_document(plain_document(text), FakeEncoder(40))

    assert first.text.startswith("--force\n")
    assert first.headings == ()
    assert others
    assert all(chunk.headings == ("--force",) for chunk in others)


def test_rows_without_column_names_are_chunks_of_their_own() -> None:
    text = "Item: Lamp of brass; Price: 39 euros\nItem: Desk of oak; Price: 80 euros"
    builder = TextBuilder()
    builder.rows(text.split("\n"))
    extracted = builder.build()
    document = replace(plain_document(text), text=extracted.text, blocks=extracted.blocks)

    assert [chunk.text for chunk in chunk_document(document, FakeEncoder(100))] == text.split("\n")


@pytest.mark.parametrize(
    "line",
    ["word " * 12, "- an item of a list", "Key: its value", "x" * 70, "A. b c", "Term\n  it"],
)
def test_time_grows_with_the_length_of_the_text(line: str) -> None:
    def seconds(lines: int) -> float:
        text = f"{line}\n" * lines
        started = time.process_time()
        chunk_document(plain_document(text), FakeEncoder(254))
        return time.process_time() - started

    seconds(10)  # what is loaded once
    short = min(seconds(300) for _ in range(3))
    long = min(seconds(3_000) for _ in range(3))

    # Ten times the lines: 10 if it is linear, 100 if it is quadratic.
    assert long < 50 * short + 0.3


def test_a_heading_right_above_a_paragraph_is_read_with_it_and_embedded_once() -> None:
    text = "RULES\n\n7 Lost property\nThings that are found are kept here for 90 days.\n\nMore.\n"

    first, second = chunk_document(plain_document(text), FakeEncoder(100))

    assert first.text == "7 Lost property\nThings that are found are kept here for 90 days."
    assert first.headings == second.headings == ("RULES", "7 Lost property")
    assert first.embedded_text == f"RULES\n{first.text}"
    assert text[slice(*first.sentences[-1])].startswith("Things")
    assert second.embedded_text == "RULES\n7 Lost property\nMore."
