"""PDF: text from right to left comes out in logical order, by the places of its characters."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.formats.pdf.bidirectional import (
    PlacedCharacter,
    base_letters,
    is_read_from_right,
    runs_in_logical_order,
)
from index.formats.pdf.extract import extract
from tests.support.writers import raw_pdf, shown


def placed(visual: str, *, from_right: bool) -> list[PlacedCharacter]:
    """Return the characters of a line as it is seen from left to right, each one point wide."""
    characters = []
    for at, character in enumerate(visual):
        left = len(visual) - at - 1 if from_right else at
        characters.append(PlacedCharacter(character, at, left, 0, left + 1, 1))
    return characters


def logical(characters: Sequence[PlacedCharacter], *, from_right: bool) -> str:
    """Return the text of the only run of some characters."""
    [run] = runs_in_logical_order(
        characters,
        from_right=from_right,
        is_divided=lambda *_: False,
        is_spaced=lambda *_: False,
    )
    return "".join(each.character + "".join(m.character for m in each.marks) for each in run)


@pytest.mark.parametrize(
    ("visual", "text"),
    [
        ("הפוקתב 25 ימי", "ימי 25 בתקופה"),
        ("כללי 1,200.50 לכ", "כל 1,200.50 יללכ"),
        ("(ללוכ) 1.3.2024 םוימ", "מיום 1.3.2024 (כולל)"),
        ("15% ןתינ", "ניתן 15%"),
        ("9001 ISO ןקת", "תקן 9001 ISO"),
        ("abc def", "abc def"),
    ],
)
def test_a_line_read_from_the_right(visual: str, text: str) -> None:
    assert logical(placed(visual, from_right=True), from_right=True) == text


@pytest.mark.parametrize(
    ("visual", "text"),
    [
        ("The word םולש is known", "The word שלום is known"),
        ("of ץראב 1948 תנש too", "of שנת 1948 בארץ too"),
        (".םולש", "שלום."),
    ],
)
def test_words_from_right_to_left_in_a_line_read_from_the_left(visual: str, text: str) -> None:
    assert logical(placed(visual, from_right=False), from_right=False) == text


def test_the_letters_of_a_ligature_keep_their_order() -> None:
    alef = PlacedCharacter("ا", 0, 0, 0, 1, 1)
    lam = PlacedCharacter("ل", 1, 0, 0, 1, 1)
    # pdfium gives the two letters of one glyph turned around, with one box.
    assert logical([alef, lam], from_right=True) == "لا"


def test_vowel_signs_follow_their_letter() -> None:
    letter, sign = PlacedCharacter("ש", 0, 0, 0, 2, 1), PlacedCharacter("\u05c1", 1, 1, 0, 1, 1)

    assert logical([sign, letter], from_right=True) == "ש\u05c1"


@given(st.text(alphabet="abc אבג 12.,%()", min_size=1, max_size=30), st.booleans())
def test_no_character_is_lost(visual: str, from_right: bool) -> None:  # noqa: FBT001
    text = logical(placed(visual, from_right=from_right), from_right=from_right)

    brackets = str.maketrans(")", "(")
    assert sorted(text.translate(brackets)) == sorted(visual.translate(brackets))


def test_presentation_forms_become_letters() -> None:
    assert base_letters("\ufefb") == "لا"
    assert base_letters("a") == "a"


def test_most_letters_decide_the_direction_of_a_page() -> None:
    assert is_read_from_right("שלום לכולם, ISO 9001")
    assert not is_read_from_right("The word שלום")


def test_hebrew_in_a_file_is_read_in_logical_order() -> None:
    letters = dict(zip("ABCDEFGH", "שלוםיתבא", strict=True))
    # Seen from left to right: the page shows "שלום 25".
    found = extract(raw_pdf(shown("25 DCBA", 400, 700, font="F2"), characters=letters))

    assert found.text == "שלום 25"


def test_columns_from_right_to_left_begin_at_the_right() -> None:
    letters = dict(zip("abcdefgh", "שלוםיתבא", strict=True))
    right, left = "hgf edcb", "bcde fgha"
    content = "".join(
        shown(f"{text} {text} {text} {text}", x, 700 - 14 * line, font="F2", size=10)
        for x, text in ((320, right), (50, left))
        for line in range(12)
    )
    found = extract(raw_pdf(content, characters=letters)).text.split()
    first = "".join(letters[each] for each in "edcb"[::-1])
    second = "".join(letters[each] for each in "fgha"[::-1])

    assert max(at for at, word in enumerate(found) if word == first) < min(
        at for at, word in enumerate(found) if word == second
    )


def test_characters_above_the_first_plane_come_out_whole() -> None:
    letters = {"x": "\U00010300", "y": "\U0001d461", "z": "\U0001f600"}
    found = extract(
        raw_pdf(shown("The set", 72, 700) + shown("xyz", 120, 700, font="F2"), characters=letters)
    )

    assert found.text == "The set \U00010300\U0001d461\U0001f600"
