"""Tests of the blocks of Markdown: paragraphs, lists, tables and headings with their ranges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.document import Block
from index.text.markdown import markdown_structure
from index.text.metadata import day_in
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


def _entries(block: Block, text: str) -> list[tuple[str, str]]:
    return [(text[slice(*label)], text[slice(*content)]) for label, content in block.entries]


def _in_order(blocks: tuple[Block, ...], size: int) -> bool:
    ends = [0, *(at for block in blocks for at in (block.start, block.end)), size]
    units = [
        (block.start, *(at for unit in block.units for at in unit), block.end) for block in blocks
    ]
    return ends == sorted(ends) and all(list(each) == sorted(each) for each in units)


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


def test_markdown_blocks_have_their_heading_path() -> None:
    text = "# Report\n\nIntro.\n\n## Costs *and* `gains`\n\nHigh.\n\n## Outlook\n\nGood.\n"

    structure = markdown_structure(text)

    assert structure.title == "Report"
    assert [(block.kind, block.level, block.headings) for block in structure.blocks] == [
        ("heading", 1, ("Report",)),
        ("paragraph", 0, ("Report",)),
        ("heading", 2, ("Report", "Costs and gains")),
        ("paragraph", 0, ("Report", "Costs and gains")),
        ("heading", 2, ("Report", "Outlook")),
        ("paragraph", 0, ("Report", "Outlook")),
    ]
    assert _texts(structure, text)[::2] == ["# Report", "## Costs *and* `gains`", "## Outlook"]


def test_items_are_units_without_their_marks() -> None:
    text = "- one\n- two\n  1. inner\n\n     more\n* other list\n"

    first, second = markdown_structure(text).blocks

    assert [text[slice(*unit)] for unit in first.units] == ["one", "two", "inner", "     more"]
    assert _entries(first, text) == [("-", "one"), ("-", "two\n  1. inner\n\n     more")]
    assert _entries(second, text) == [("*", "other list")]


def test_a_list_knows_its_lead_and_its_numbers() -> None:
    text = "Two things. Do this:\n\n1. stop\n2. start\n\n- free\n"

    _, steps, bullets = markdown_structure(text).blocks

    assert steps.numbered
    assert steps.lead is not None
    assert text[slice(*steps.lead)] == "Do this:"
    assert _entries(steps, text) == [("1.", "stop"), ("2.", "start")]
    assert not bullets.numbered
    assert bullets.lead is None


def test_a_table_has_a_header_columns_and_rows() -> None:
    text = (
        "# Prices\n\n| Item | **Price** |\n|---|--:|\n| Lamp | 39.90 |\n| Desk |\n\n"
        "After.\n\n| only | names |\n|---|---|\n"
    )

    _, table, after, bare = markdown_structure(text).blocks

    assert (table.kind, table.columns) == ("table", ("Item", "Price"))
    assert _entries(table, text) == [("", "| Lamp | 39.90 |"), ("", "| Desk |")]
    assert [text[slice(*unit)] for unit in table.units] == [
        "| Item | **Price** |",
        "| Lamp | 39.90 |",
        "| Desk |",
    ]
    assert after.kind == "paragraph"
    assert (bare.columns, bare.entries, bare.kind) == ((), (), "table")
    assert {block.headings for block in (table, after, bare)} == {("Prices",)}


@pytest.mark.parametrize(
    ("rows", "pairs"),
    [
        (
            "| Date | 11 March 2026 |\n| Jobs affected | 1,312 |",
            [("Date", "11 March 2026"), ("Jobs affected", "1,312")],
        ),
        (
            "| Claim # | SF-1008 | Make | Jeep |",
            [("Claim #", "SF-1008"), ("Make", "Jeep")],
        ),
        ("| 1 | 2 |\n| 3 | 4 |", None),
    ],
)
def test_a_table_of_labels_and_values_is_read_as_pairs(
    rows: str, pairs: list[tuple[str, str]] | None
) -> None:
    width = rows.partition("\n")[0].count("|") - 1
    text = f"{'| ' * width}|\n{'|---' * width}|\n{rows}\n"

    [block] = markdown_structure(text).blocks

    assert block.kind == ("table" if pairs is None else "pairs")
    assert pairs is None or _entries(block, text) == pairs


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
    assert structure.blocks[1].headings == ("Memo", "Aims")


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


def test_empty_table_rows_are_left_out() -> None:
    text = "| Item | Price |\n|---|---|\n|  |  |\n| Lamp | 39.90 |\n| | |\n"
    form = "| Name | Age |\n|---|---|\n| | |"

    [table] = markdown_structure(text).blocks
    [empty] = markdown_structure(form).blocks

    assert _entries(table, text) == [("", "| Lamp | 39.90 |")]
    assert (form[empty.start : empty.end], empty.entries) == (form, ())


def test_a_numbered_list_goes_on_behind_its_listings() -> None:
    text = (
        "# A\n\n1. Stop it:\n\n```sh\nhalt\n```\n\n2. Look.\n\nIt takes long.\n\n3. End.\n\n"
        "## B\n\n4. Other.\n\n```\nx\n```\n\n1. Another.\n"
    )

    steps, *others = (block for block in markdown_structure(text).blocks if block.kind == "list")

    assert _entries(steps, text) == [
        ("1.", "Stop it:\n\n```sh\nhalt\n```"),
        ("2.", "Look.\n\nIt takes long."),
        ("3.", "End."),
    ]
    assert [len(block.entries) for block in others] == [1, 1]
