"""The writer that every format composes its text with, and the JSON that crosses from the process
that parses.
"""

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
    extracted_of,
    folded,
)

TEXTS = st.text(alphabet="ab \n\t\r\x00\u00ad\u200b\ud800é")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("heading"), st.tuples(st.integers(0, 7), TEXTS)),
        st.tuples(st.just("paragraph"), st.tuples(TEXTS)),
        st.tuples(st.just("items"), st.tuples(st.lists(st.tuples(TEXTS, TEXTS), max_size=3))),
        st.tuples(st.sampled_from(["rows", "lines"]), st.tuples(st.lists(TEXTS, max_size=3))),
        st.tuples(st.just("at"), st.tuples(st.builds(Place, page=st.integers(1, 3)))),
        st.tuples(
            st.just("continued"),
            st.tuples(
                st.lists(st.tuples(TEXTS, st.builds(Place, slide=st.integers(1, 3))), max_size=3)
            ),
        ),
    ),
    max_size=12,
)


def assert_sound(found: ExtractedText) -> None:
    """Blocks and units are in order, inside the text and not blank; places ascend from inside the
    text; the text can be stored.
    """
    found.text.encode()
    at = 0
    for block in found.blocks:
        assert at <= block.start < block.end <= len(found.text)
        assert block.units[0][0] == block.start
        assert block.units[-1][1] == block.end
        for start, end in block.units:
            assert at <= start < end <= len(found.text)
            assert found.text[start:end] == found.text[start:end].strip()
            at = end
    assert list(found.places.starts) == sorted(set(found.places.starts))
    assert all(0 <= start < len(found.text) for start in found.places.starts)
    assert extracted_of(json.loads(json.dumps(found.to_plain()))) == found


@given(STEPS, TEXTS)
def test_whatever_is_written_the_offsets_are_right(
    steps: list[tuple[str, tuple[object, ...]]], title: str
) -> None:
    writer = TextBuilder(title)
    for name, arguments in steps:
        getattr(writer, name)(*arguments)
    try:
        found = writer.finished()
    except EmptyFile:
        assert writer.length == 0
        return
    assert_sound(found)


@given(TEXTS)
def test_folding_twice_changes_nothing_more(text: str) -> None:
    once = folded(text)

    assert folded(once) == once
    assert not {"\x00", "\u00ad", "\u200b", "\r", "\t", "\ud800"} & set(once)


def test_headings_stand_above_what_follows_them() -> None:
    writer = TextBuilder("Book")
    writer.heading(1, "One")
    writer.heading(2, " Inner\n part ")
    writer.paragraph("Text.\n\nMore.")
    writer.heading(2, "Empty")
    writer.heading(1, "Two")
    writer.items([("", "a"), ("", ""), ("2.", "b")])

    found = writer.finished(date="2024-05-06")

    assert found.text == "One\n\nInner part\n\nText.\n\nMore.\n\nEmpty\n\nTwo\n\n- a\n2. b"
    assert [(found.text[block.start : block.end], block.headings) for block in found.blocks] == [
        ("One", ("Book",)),
        ("Text.", ("Book", "One", "Inner part")),
        ("More.", ("Book", "One", "Inner part")),
        ("Empty", ("Book", "One")),
        ("a\n2. b", ("Book", "Two")),
    ]
    assert (found.title, found.date) == ("Book", "2024-05-06")


def test_each_character_has_the_place_it_was_written_at() -> None:
    writer = TextBuilder()
    writer.paragraph("Before.")
    writer.at(Place(page=1))
    writer.paragraph("First.")
    writer.continued([("begins", Place(page=1)), ("ends.", Place(page=2))])
    writer.placed_rows([("a", Place(sheet="S", row=2)), ("b", Place(sheet="S", row=4))])
    found = writer.finished()

    places = {
        word: str(found.places.at(found.text.index(word)))
        for word in ("Before", "First", "begins", "ends", "a", "b")
    }
    places["a"], places["b"] = (
        str(found.places.at(found.text.index("\n\na") + 2)),
        str(found.places.at(len(found.text) - 1)),
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
        TextBuilder("Title alone").finished()


def test_text_without_end_is_refused() -> None:
    writer = TextBuilder()
    endless = ("x" * 1024 * 1024 for _ in range(1000))

    with pytest.raises(ExtractionLimit, match="characters of text"):
        writer.rows(endless)


def test_what_is_too_much_is_not_written() -> None:
    writer = TextBuilder()
    writer.paragraph("All is well.")
    with pytest.raises(ExtractionLimit):
        writer.enclosed("Attached: big.txt", ExtractedText("a" * MAX_CHARACTERS, ()))
    writer.paragraph("All is well again.")

    assert writer.finished().text == "All is well.\n\nAttached: big.txt\n\nAll is well again."
