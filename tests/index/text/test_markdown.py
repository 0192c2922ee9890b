"""Tests of block structure: paragraphs, lists, tables and headings with their ranges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.document import Block
from index.text.markdown import markdown_structure
from index.text.metadata import day_in
from index.text.plain_text import plain_structure
from index.text.structure import Structure

PARTS = st.sampled_from(
    [
        "# Title\n",
        "## Part *one*\n",
        "Heading\n===\n",
        "Some text. More text.\n",
        "- item\n",
        "  - nested\n",
        "1. first\n\n   second paragraph\n",
        "> quoted\n",
        "> # quoted heading\n",
        "- # heading in a list\n",
        "| a | b |\n|---|---|\n| 1 | 2 |\n",
        "```\ncode\n\ncode\n```\n",
        "    indented\n",
        "<div>\nhtml\n</div>\n",
        "---\n",
        "\n",
        "\t\n",
        "\u2028é👩‍👩‍👧\n",
        "---\ntitle: T\n---\n",
    ]
)
ANY = st.text(st.characters(codec="utf-8", exclude_characters="\r"))
"""Any decoded text: loading replaces every carriage return."""
MARKDOWN = st.one_of(ANY, st.lists(PARTS, max_size=12).map("".join))


def _texts(structure: Structure, text: str) -> list[str]:
    return [text[block.start : block.end] for block in structure.blocks]


def _in_order(blocks: tuple[Block, ...], size: int) -> bool:
    ends = [0, *(at for block in blocks for at in (block.start, block.end)), size]
    units = [
        (block.start, *(at for unit in block.units for at in unit), block.end) for block in blocks
    ]
    return ends == sorted(ends) and all(list(each) == sorted(each) for each in units)


@given(ANY)
def test_plain_blocks_hold_every_visible_character_in_order(text: str) -> None:
    structure = plain_structure(text)

    assert _in_order(structure.blocks, len(text))
    assert "".join("".join(_texts(structure, text)).split()) == "".join(text.split())


@given(MARKDOWN)
def test_markdown_blocks_and_their_units_stand_in_order(text: str) -> None:
    assert _in_order(markdown_structure(text).blocks, len(text))


@given(st.lists(PARTS, max_size=12).map("".join))
def test_no_word_of_markdown_after_the_front_matter_is_lost(text: str) -> None:
    text = f"Start.\n\n{text}"
    structure = markdown_structure(text)
    kept = " ".join(
        text[start:end]
        for block in structure.blocks
        for start, end in block.units or ((block.start, block.end),)
    )
    headings = " ".join(name for block in structure.blocks for name in block.headings)

    for word in (
        "item",
        "nested",
        "first",
        "second",
        "quoted",
        "heading",
        "code",
        "indented",
        "html",
        "Some",
        "one",
    ):
        assert word not in text or word in kept + headings


def test_blank_lines_separate_paragraphs_and_wrapped_lines_stay_together() -> None:
    text = (
        "A line that was wrapped at a margin by\nits author, who had little space on\n"
        "the screen.\n\n \nNext."
    )

    assert _texts(plain_structure(text), text) == [text[: text.index("\n\n")], "Next."]


def test_each_line_of_a_feed_is_a_paragraph() -> None:
    text = "Amazon invests $25 billion.\nStocks rose on Monday, says the US Depart…\nRain."

    assert _texts(plain_structure(text), text) == text.split("\n")


def test_markdown_blocks_have_their_heading_path() -> None:
    text = "# Report\n\nIntro.\n\n## Costs *and* `gains`\n\nHigh.\n\n## Outlook\n\nGood.\n"

    structure = markdown_structure(text)

    assert structure.title == "Report"
    assert [block.headings for block in structure.blocks] == [
        ("Report",),
        ("Report", "Costs and gains"),
        ("Report", "Outlook"),
    ]
    assert _texts(structure, text) == ["Intro.", "High.", "Good."]


def test_table_rows_and_list_items_are_units() -> None:
    text = "- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"

    units = [
        [text[start:end] for start, end in block.units] for block in markdown_structure(text).blocks
    ]

    assert units == [["- one", "- two"], ["| 1 | 2 |"]]


def test_each_row_of_a_table_is_a_block_with_the_names_of_its_columns() -> None:
    text = (
        "# Prices\n\n| Item | **Price** |\n|---|--:|\n| Lamp | 39.90 |\n| Desk |\n\n"
        "After.\n\n| only | names |\n|---|---|\n"
    )

    blocks = markdown_structure(text).blocks

    assert [(text[block.start : block.end], block.columns) for block in blocks] == [
        ("| Lamp | 39.90 |", ("Item", "Price")),
        ("| Desk |", ("Item", "Price")),
        ("After.", ()),
        ("| only | names |", ()),
    ]
    assert {block.headings for block in blocks} == {("Prices",)}


def test_a_heading_without_text_below_it_is_a_block() -> None:
    text = "# Only\n\n## A heading\n"

    assert _texts(markdown_structure(text), text) == ["# Only", "## A heading"]


@pytest.mark.parametrize(
    ("fields", "title"),
    [
        ("title: The  report", "The report"),
        ("title: [a, list]", None),
        ("title: ''", None),
        ("other: x", None),
        ("- a list", None),
        ("title: 'unclosed", None),
        ("date: !!timestamp nonsense", None),
        ("count: !!int ''", None),
        ("flag: !!bool nonsense", None),
        ('title: "lone \\ud800 surrogate"', None),
        ('title: "a \\0 NUL"', None),
        ("d: 2024-99-99", None),
    ],
)
def test_front_matter_gives_the_title_or_is_ignored(fields: str, title: str | None) -> None:
    structure = markdown_structure(f"---\n{fields}\n---\nText.\n")

    assert structure.title == title
    assert len(structure.blocks) == 1


@given(st.one_of(ANY, st.text(alphabet="ab:!-&*<>[]{}|'\"\\\n 019.u~")))
def test_any_front_matter_is_parsed_or_ignored(fields: str) -> None:
    title = markdown_structure(f"---\n{fields}\ntitle: !!str {fields}\n---\nText.\n").title

    assert title is None or title.encode()


def test_the_front_matter_title_stands_above_the_headings() -> None:
    structure = markdown_structure("---\ntitle: Memo\n---\n# Aims\n\nText.\n")

    assert structure.title == "Memo"
    assert structure.blocks[0].headings == ("Memo", "Aims")


def test_yaml_aliases_of_front_matter_are_never_expanded() -> None:
    levels = "\n".join(
        f"l{level}: &l{level} {{<<: [{', '.join([f'*l{level - 1}'] * 9)}]}}"
        for level in range(1, 12)
    )

    assert (
        markdown_structure(f"---\nl0: &l0 {{a: 1}}\n{levels}\ntitle: Small\n---\nText.\n").title
        == "Small"
    )


def test_deeply_nested_items_are_all_kept() -> None:
    text = "\n".join(f"{'  ' * level}- item {level}" for level in range(40))

    [block] = markdown_structure(text).blocks

    assert len(block.units) == 40


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("date: 2024-03-01", "2024-03-01"),
        ("date: 2024-03-01T10:00:00Z", "2024-03-01"),
        ("date: '20240301'", "2024-03-01"),
        ("date: 2024-03-01\nupdated: 2025-01-02", "2025-01-02"),
        ("date: 1 March", None),
        ("date: 2024-13-45", None),
        ("date: [2024-03-01]", None),
        ("title: 2024-03-01", None),
    ],
)
def test_front_matter_gives_the_date(text: str, day: str | None) -> None:
    assert markdown_structure(f"---\n{text}\n---\n\nRain.").date == day


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("2024-03-01-report.md", "2024-03-01"),
        ("minutes_20240301.txt", "2024-03-01"),
        ("v2024-03.txt", None),
        ("0202403019.txt", None),
    ],
)
def test_a_file_name_may_hold_a_date(name: str, day: str | None) -> None:
    assert day_in(name) == day


def test_empty_table_rows_are_no_blocks() -> None:
    text = "| Item | Price |\n|---|---|\n|  |  |\n| Lamp | 39.90 |\n| | |\n"

    assert [text[block.start : block.end] for block in markdown_structure(text).blocks] == [
        "| Lamp | 39.90 |"
    ]
    form = "| Name | Age |\n|---|---|\n| | |"
    assert [form[block.start : block.end] for block in markdown_structure(form).blocks] == [form]
