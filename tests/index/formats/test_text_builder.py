"""Text builder of all formats, and the JSON that the worker process returns."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.document import Place
from index.errors import EmptyFile, ExtractionLimit
from index.formats.text_builder import (
    MAX_CHARACTERS,
    ExtractedText,
    TextBuilder,
    fold_whitespace,
)

TEXTS = st.text(alphabet="ab \n\t\r\x00\u00ad\u200b\ud800é")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("heading"), st.tuples(st.integers(0, 7), TEXTS)),
        st.tuples(st.just("paragraph"), st.tuples(TEXTS)),
        st.tuples(st.just("items"), st.tuples(st.lists(st.tuples(TEXTS, TEXTS), max_size=3))),
        st.tuples(st.just("pairs"), st.tuples(st.lists(st.tuples(TEXTS, TEXTS), max_size=3))),
        st.tuples(st.sampled_from(["rows", "lines"]), st.tuples(st.lists(TEXTS, max_size=3))),
        st.tuples(st.just("set_place"), st.tuples(st.builds(Place, page=st.integers(1, 3)))),
        st.tuples(
            st.just("paragraph_across_places"),
            st.tuples(
                st.lists(st.tuples(TEXTS, st.builds(Place, slide=st.integers(1, 3))), max_size=3)
            ),
        ),
    ),
    max_size=12,
)


def assert_sound(extracted: ExtractedText) -> None:
    """Assert the invariants of an extracted text.

    Blocks and units are in order, inside the text and not blank; places ascend and begin inside the
    text; the text can be stored.
    """
    extracted.text.encode()
    at = 0
    for block in extracted.blocks:
        assert at <= block.start < block.end <= len(extracted.text)
        assert block.units[0][0] == block.start or block.kind == "list"
        assert block.units[-1][1] == block.end
        for start, end in block.units:
            assert at <= start < end <= len(extracted.text)
            assert extracted.text[start:end] == extracted.text[start:end].strip()
            at = end
    assert list(extracted.places.starts) == sorted(set(extracted.places.starts))
    assert all(0 <= start < len(extracted.text) for start in extracted.places.starts)
    assert ExtractedText.from_plain(json.loads(json.dumps(extracted.to_plain()))) == extracted


@given(STEPS, TEXTS)
def test_offsets_are_right_for_any_parts(
    steps: list[tuple[str, tuple[object, ...]]], title: str
) -> None:
    builder = TextBuilder(title)
    for name, arguments in steps:
        getattr(builder, name)(*arguments)
    try:
        extracted = builder.build()
    except EmptyFile:
        assert builder.length == 0
        return
    assert_sound(extracted)


@given(TEXTS)
def test_folding_is_idempotent(text: str) -> None:
    once = fold_whitespace(text)

    assert fold_whitespace(once) == once
    assert not {"\x00", "\u00ad", "\u200b", "\r", "\t", "\ud800"} & set(once)


def test_headings_stand_above_what_follows_them() -> None:
    builder = TextBuilder("Book")
    builder.heading(1, "One")
    builder.heading(2, " Inner\n part ")
    builder.paragraph("Text.\n\nMore.")
    builder.heading(2, "Empty")
    builder.heading(1, "Two")
    builder.items([("", "a"), ("", ""), ("2.", "b")])

    extracted = builder.build(date="2024-05-06")

    assert extracted.text == "One\n\nInner part\n\nText.\n\nMore.\n\nEmpty\n\nTwo\n\n- a\n2. b"
    assert [
        (extracted.text[block.start : block.end], block.headings) for block in extracted.blocks
    ] == [
        ("One", ("Book", "One")),
        ("Inner part", ("Book", "One", "Inner part")),
        ("Text.", ("Book", "One", "Inner part")),
        ("More.", ("Book", "One", "Inner part")),
        ("Empty", ("Book", "One", "Empty")),
        ("Two", ("Book", "Two")),
        ("- a\n2. b", ("Book", "Two")),
    ]
    assert (extracted.title, extracted.date) == ("Book", "2024-05-06")


def test_each_character_has_the_place_it_was_written_at() -> None:
    builder = TextBuilder()
    builder.paragraph("Before.")
    builder.set_place(Place(page=1))
    builder.paragraph("First.")
    builder.paragraph_across_places([("begins", Place(page=1)), ("ends.", Place(page=2))])
    builder.placed_rows([("a", Place(sheet="S", row=2)), ("b", Place(sheet="S", row=4))])
    extracted = builder.build()

    places = {
        word: str(extracted.places.at(extracted.text.index(word)))
        for word in ("Before", "First", "begins", "ends", "a", "b")
    }
    places["a"], places["b"] = (
        str(extracted.places.at(extracted.text.index("\n\na") + 2)),
        str(extracted.places.at(len(extracted.text) - 1)),
    )

    assert places == {
        "Before": "",
        "First": "page 1",
        "begins": "page 1",
        "ends": "page 2",
        "a": "sheet S, row 2",
        "b": "sheet S, row 4",
    }


def test_without_text_there_is_no_document() -> None:
    with pytest.raises(EmptyFile):
        TextBuilder("Title alone").build()


def test_endless_text_is_refused() -> None:
    builder = TextBuilder()
    endless = ("x" * 1024 * 1024 for _ in range(1000))

    with pytest.raises(ExtractionLimit, match="characters of text"):
        builder.rows(endless)


def test_a_document_that_is_too_long_is_not_embedded() -> None:
    builder = TextBuilder()
    builder.paragraph("All is well.")
    with pytest.raises(ExtractionLimit):
        builder.embed("Attached: big.txt", ExtractedText("a" * MAX_CHARACTERS, ()))
    builder.paragraph("All is well again.")

    assert builder.build().text == "All is well.\n\nAttached: big.txt\n\nAll is well again."
