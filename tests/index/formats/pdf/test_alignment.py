"""Alignment of a page's text with the pieces of its lines, after all that extraction changes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index.document import Place, Places
from index.formats.page_view import PageText, page_texts, pages_of
from index.formats.pdf.alignment import Alignment, Piece, align


def pieces(*lines: str, cells: bool = False) -> list[Piece]:
    return [Piece(line.replace(" ", ""), range(len(line)), is_cell=cells) for line in lines]


def homes(found: Alignment, text: str, words: str, nth: int = 0) -> set[int]:
    """Return the pieces in which some words were found; -1 stands for characters without a home."""
    start = -1
    for _ in range(nth + 1):
        start = text.index(words, start + 1)
    inside = range(start, start + len(words))
    return {
        home[0] if home else -1
        for at, home in zip(found.offsets, found.homes, strict=True)
        if at in inside
    }


def test_lines_are_aligned_in_order_with_hyphens_dropped_or_kept() -> None:
    text = "It is a hydrographic office. It is well-known. From 1914-1918 it rained."
    lines = pieces(
        "It is a hydro-", "graphic office. It is well-", "known. From 1914-", "1918 it rained."
    )

    found = align(lines, [PageText(100, text)])

    assert None not in found.homes
    assert [home[0] for home in found.homes if home] == sorted(
        home[0] for home in found.homes if home
    )
    assert found.offsets[0] == 100


def test_equal_lines_are_aligned_in_their_order() -> None:
    text = "Yes\n\nNo\n\nYes\n\nNo\n\nYes"

    found = align(pieces("Yes", "No", "Yes", "No", "Yes"), [PageText(0, text)])

    assert [homes(found, text, "Yes", nth) for nth in range(3)] == [{0}, {2}, {4}]


@pytest.mark.parametrize(
    "lines", [("Tides", "Tides", "Some text."), ("Some text.", "Tides", "Tides")]
)
def test_of_two_equal_lines_the_one_at_the_edge_is_the_running_header(
    lines: tuple[str, ...],
) -> None:
    edges = [3, 2, 1] if lines[0] == "Tides" else [1, 2, 3]
    text = "\n\n".join(lines[1:] if lines[0] == "Tides" else lines[:-1])
    parts = [
        Piece(line.replace(" ", ""), range(20), edge=edge)
        for line, edge in zip(lines, edges, strict=True)
    ]

    assert homes(align(parts, [PageText(0, text)]), text, "Tides") == {1}


def test_a_footnote_is_aligned_out_of_order() -> None:
    text = "The first column goes on in the second one.\n\n1 See the note of 1839."

    found = align(
        pieces("The first column", "1 See the note", "of 1839.", "goes on in the second one."),
        [PageText(0, text)],
    )

    assert homes(found, text, "See the note of 1839.") == {1, 2}
    assert None not in found.homes


def test_repeated_column_names_have_the_place_of_the_header() -> None:
    text = "Item: Oil lamp; Price: 39.9; Stock: 4\nItem: Brass bell; Price: 120; Stock: 4"
    rows = pieces(
        "Item", "Price", "Stock", "Oil lamp", "39.9", "4", "Brass bell", "120", "4", cells=True
    )

    found = align(rows, [PageText(0, text)])

    assert {homes(found, text, "Price", nth) == {1} for nth in range(2)} == {True}
    assert [homes(found, text, "4", nth) for nth in range(2)] == [{5}, {8}]
    unknown = {at for at, home in zip(found.offsets, found.homes, strict=True) if home is None}
    assert unknown == found.added == {at for at, character in enumerate(text) if character in ":;"}


def test_the_rest_of_a_word_on_the_next_page_is_marked_as_cut() -> None:
    text = "It is a continuation of this."
    places = Places((0, 21), (Place(page=1), Place(page=2)))

    first = align(pieces("It is a conti-"), page_texts(text, places, 1))
    second = align(pieces("nuation of this."), page_texts(text, places, 2))

    assert first.cut == set(range(13, 20))
    assert homes(first, text, "conti") == {0}
    assert (homes(second, text, "nuation of this."), homes(second, text, "conti")) == ({0}, {-1})
    assert list(pages_of(places, 8, 20)) == [1]
    assert list(pages_of(places, 8, 25)) == [1, 2]


def test_a_line_is_not_aligned_within_a_word() -> None:
    text = "The year 1839 is the first."

    assert set(align(pieces("3", "183", "rst."), [PageText(0, text)]).homes) == {None}


words = st.text("ab1-:;| ", min_size=1, max_size=6).map(str.strip).filter(bool)


@given(lines=st.lists(words, max_size=12), texts=st.lists(words, max_size=12), cells=st.booleans())
@example(lines=[], texts=[], cells=False)
def test_aligned_characters_are_equal_and_have_one_home_each(
    lines: list[str], texts: Sequence[str], *, cells: bool
) -> None:
    parts = pieces(*lines, cells=cells)
    text = " ".join(texts)

    found = align(parts, [PageText(0, text)] if text else [])

    assert found.text == "".join(text.split())
    known = [(at, home) for at, home in enumerate(found.homes) if home]
    assert all(parts[piece].text[at] == found.text[place] for place, (piece, at) in known)
    assert cells or len({home for _, home in known}) == len(known)


@given(
    data=st.data(),
    lines=st.lists(words.filter(lambda line: not line.endswith("-")), min_size=1, max_size=15),
)
def test_a_text_made_of_the_lines_is_aligned_completely(
    data: st.DataObject, lines: list[str]
) -> None:
    header, footer = (
        data.draw(st.sampled_from(["", "Tides 3", lines[0]])),
        data.draw(st.sampled_from(["", "3"])),
    )
    text = " ".join(lines)

    found = align(pieces(*filter(None, (header, *lines, footer))), [PageText(7, text)])

    known = [home for home in found.homes if home]
    assert len(known) == len(found.homes)
    assert known == sorted(set(known))
