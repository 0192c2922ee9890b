"""Hidden ranges are in no block, and what is left out is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.document import Block, TextRange
from index.text.markdown import markdown_structure
from index.text.unseen import (
    LeftOut,
    blanked,
    is_same_colour,
    visible_blocks,
    zero_width_remark,
    zero_width_words,
)

TEXT = "One two three.\nFour five six.\n\nSeven eight nine."


@given(cuts=st.lists(st.integers(0, len(TEXT)), max_size=6))
def test_no_unit_holds_a_hidden_character(cuts: list[int]) -> None:
    ordered = sorted(set(cuts))
    hidden: list[TextRange] = list(zip(ordered[::2], ordered[1::2], strict=False))
    blocks = [
        Block(0, 29, ((0, 14), (15, 29)), kind="list"),
        Block(31, len(TEXT), ((31, len(TEXT)),)),
    ]

    visible = visible_blocks(TEXT, blocks, hidden)

    covered = {at for start, end in hidden for at in range(start, end)}
    shown = {at for block in visible for unit in block.units for at in range(*unit)}
    wanted = {at for block in blocks for unit in block.units for at in range(*unit)} - covered
    assert not shown & covered
    assert {TEXT[at] for at in wanted - shown} <= set(" \n"), "only white space is lost"
    for block in visible:
        assert not any(block.start < start and end < block.end for start, end in hidden)
    assert len(blanked(TEXT, hidden)) == len(TEXT)


def test_comments_of_markdown_are_in_no_block() -> None:
    text = (
        "The limit is 6 bar <!-- really 4 --> at 20 °C.\n\n<!-- TODO: ask\n\nBob -->\n\n"
        "- one <!-- two -->\n- three\n\n`<!-- shown -->` is code.\n\n"
        "```\n<!-- shown, too -->\n```\n"
    )

    shown = [
        text[slice(*unit)] for block in markdown_structure(text).blocks for unit in block.units
    ]

    assert shown == [
        "The limit is 6 bar",
        "at 20 °C.",
        "one",
        "three",
        "`<!-- shown -->` is code.",
        "```",
        "<!-- shown, too -->",
        "```",
    ]


def test_what_is_left_out_is_named_ten_at_most() -> None:
    left_out = LeftOut()
    assert left_out.remark == ""
    for number in range(12):
        left_out.note("hidden sheet", f"S{number}")
    left_out.note("hidden text")

    assert left_out.remark == (
        "has what a reader cannot see, which is left out: 12 hidden sheets "
        "(S0, S1, S2, S3, S4, S5, S6, S7, S8, S9 and 2 more), 1 hidden text"
    )


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("pay\u200bment of 5\u20600 euros", 2),
        ("two\u200b words", 0),
        ("می\u200cخواهم", 0),  # Persian needs them
        ("plain", 0),
    ],
)
def test_characters_without_width_inside_words(text: str, places: int) -> None:
    assert zero_width_words(text) == places
    assert bool(zero_width_remark(places)) == bool(places)


def test_colours_that_cannot_be_told_apart() -> None:
    assert is_same_colour((255, 255, 255), (250, 250, 250))
    assert not is_same_colour((255, 0, 0), (0, 255, 0)), "although of similar grey"
