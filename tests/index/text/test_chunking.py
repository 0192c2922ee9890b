"""Tests that chunks are exact ranges of whole sentences within the token budget."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.document import Chunk, Document
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
