"""Tests of looking up blocks, sections, lists and leads."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from index.formats.text_builder import TextBuilder
from index.text.markdown import markdown_structure
from index.text.plain_text import plain_structure
from index.text.structure import (
    block_at,
    blocks_between,
    blocks_from_plain,
    blocks_to_plain,
    content_blocks,
    heading_above,
    section,
    with_lead,
)
from tests.index.text.test_markdown import MARKDOWN

TEXT = (
    "# Runbook\n\nRead this.\n\n## Steps\n\nDo this:\n\n1. Stop.\n2. Start.\n\n"
    "### Later\n\nRest.\n\n"
    "## Prices\n\n| Item | Price |\n|---|---|\n| Lamp | 39 |\n| Desk | 80 |\n\n## Empty\n"
)
BLOCKS = markdown_structure(TEXT).blocks


def test_a_block_is_found_by_a_character_of_it() -> None:
    steps = block_at(BLOCKS, TEXT.index("Start"))

    assert steps is not None
    assert (steps.kind, steps.numbered) == ("list", True)
    assert block_at(BLOCKS, TEXT.index("\n\n## Steps")) is None
    assert block_at(BLOCKS, len(TEXT) + 5) is None


def test_a_list_is_quoted_with_its_lead_and_heading() -> None:
    steps = block_at(BLOCKS, TEXT.index("Stop"))
    assert steps is not None
    heading = heading_above(BLOCKS, steps)

    assert heading is not None
    assert TEXT[heading.start : heading.end] == "## Steps"
    assert TEXT[slice(*with_lead(steps))] == "Do this:\n\n1. Stop.\n2. Start."
    assert [TEXT[slice(*entry.span)] for entry in steps.entries] == ["1. Stop.", "2. Start."]


def test_a_section_holds_its_subsections() -> None:
    [steps] = [block for block in BLOCKS if block.headings == ("Runbook", "Steps")][:1]

    assert [block.kind for block in section(BLOCKS, steps)] == [
        "paragraph",
        "list",
        "heading",
        "paragraph",
    ]
    assert len(section(BLOCKS, BLOCKS[0])) == len(BLOCKS) - 1
    assert heading_above(BLOCKS, BLOCKS[0]) is None
    assert heading_above(BLOCKS, steps) == BLOCKS[0]


def test_blocks_of_a_range_are_those_it_touches() -> None:
    start, end = TEXT.index("this:"), TEXT.index("Start")

    assert [block.kind for block in blocks_between(BLOCKS, start, end)] == ["paragraph", "list"]
    assert list(blocks_between(BLOCKS, end, end)) == []


def test_content_is_all_but_headings_with_something_below_them() -> None:
    shown = [TEXT[block.start : block.end] for block in content_blocks(BLOCKS)]

    assert shown == [
        "Read this.",
        "Do this:",
        "1. Stop.\n2. Start.",
        "Rest.",
        "| Lamp | 39 |",
        "| Desk | 80 |",
        "## Empty",
    ]


@given(MARKDOWN)
def test_blocks_survive_being_stored(text: str) -> None:
    for blocks in (markdown_structure(text).blocks, plain_structure(text).blocks):
        assert blocks_from_plain(json.loads(json.dumps(blocks_to_plain(blocks)))) == blocks


@given(st.lists(st.sampled_from(["• one", "• two", "1. a", "2. b", "a) x", "b) y", "Text."])))
def test_typed_marks_lose_no_word(paragraphs: list[str]) -> None:
    builder = TextBuilder()
    for paragraph in ["Start.", *paragraphs]:
        builder.paragraph(paragraph)

    extracted = builder.build()
    covered = " ".join(extracted.text[block.start : block.end] for block in extracted.blocks)

    assert covered.split() == extracted.text.split()


def test_paragraphs_with_marks_in_a_row_are_a_list() -> None:
    builder = TextBuilder()
    for paragraph in ("You need:", "• a key", "• a lamp", "1. a year", "3. May it be", "Text."):
        builder.paragraph(paragraph)

    extracted = builder.build()
    items = extracted.blocks[1]

    assert [block.kind for block in extracted.blocks] == [
        "paragraph",
        "list",
        "paragraph",
        "paragraph",
        "paragraph",
    ]
    assert [extracted.text[slice(*entry.content)] for entry in items.entries] == ["a key", "a lamp"]
    assert items.lead is not None
    assert extracted.text[slice(*items.lead)] == "You need:"
