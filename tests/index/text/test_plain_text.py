"""Tests of the blocks of plain text with hard line breaks."""

from __future__ import annotations

import textwrap
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.document import Block
from index.text.plain_text import plain_structure
from tests.index.text.test_markdown import ANY

LINES = st.sampled_from(
    [
        "Things that are found are kept at the porter's lodge for 90",
        "days. Glasses and hearing aids are kept for six months.",
        "7 Lost property",
        "LOST PROPERTY",
        "Lost property",
        "-------------",
        "  * an item that goes on in the line below, which is",
        "    indented to its text",
        "  1. first",
        "  2. second",
        "a) letter",
        "b) letter",
        "       -c, --config FILE",
        "              read FILE instead of the usual one",
        "Key: value",
        "Other key: another value",
        "0      success",
        "2      wrong usage",
        "Claim # | SF-1008 | Make | Jeep",
        "> quoted",
        "\tindented by a tab",
        "",
        "",
        "\u2028é👩‍👩‍👧\x1f",
    ]
)
TEXT = st.one_of(ANY, st.lists(LINES, max_size=25).map("\n".join))


def _blocks(text: str, kind: str | None = None) -> list[Block]:
    return [block for block in plain_structure(text).blocks if kind in {None, block.kind}]


def _shown(text: str) -> list[tuple[str, str]]:
    """Return kind and text of all blocks, white space folded."""
    return [
        (block.kind, " ".join(text[block.start : block.end].split())) for block in _blocks(text)
    ]


def _entries(text: str) -> list[tuple[str, str]]:
    """Return labels and contents of all blocks, white space folded."""
    return [
        (text[slice(*label)], " ".join(text[slice(*content)].split()))
        for block in _blocks(text)
        for label, content in block.entries
    ]


@given(TEXT)
def test_blocks_hold_every_letter_once_and_in_order(text: str) -> None:
    blocks = _blocks(text)
    covered = [at for block in blocks for at in range(block.start, block.end)]

    assert all(before.end <= after.start for before, after in pairwise(blocks))
    assert all(at in set(covered) for at, each in enumerate(text) if each.isalnum())
    for block in blocks:
        units = [at for unit in block.units for at in unit]
        assert units == sorted(units)
        assert block.start <= units[0] < units[-1] == block.end
        for label, content in block.entries:
            assert block.start <= label[0] <= label[1] <= content[0] <= content[1] <= block.end
        assert block.lead is None or block.lead[1] <= block.start


@given(TEXT)
def test_the_same_text_has_the_same_blocks(text: str) -> None:
    assert plain_structure(text) == plain_structure(text)


def test_a_paragraph_is_one_block_below_a_heading() -> None:
    text = (
        "7 Lost property\nThings that are found are kept at the porter's lodge for 90 days.\n"
        "Glasses and hearing aids are kept for six months. The lodge is open from\n"
        "06:00 to 22:00.\n"
    )

    heading, paragraph = _blocks(text)

    assert (heading.kind, paragraph.kind) == ("heading", "paragraph")
    assert paragraph.headings == heading.headings == ("7 Lost property",)
    assert text[paragraph.start : paragraph.end] == text[len("7 Lost property\n") : -1]


@pytest.mark.parametrize(
    "heading",
    ["ANIMALS", "5 Animals", "5.1 Animals", "Animals", "Animals\n-------", "Animals\n=======\n"],
)
def test_headings_of_plain_text(heading: str) -> None:
    text = (
        "Some text comes first, of which the line is as long\nas all the others here.\n\n"
        f"{heading}\n"
        "Assistance dogs may come into all areas except one,\nwhich is haematology.\n"
    )

    [*_, found, paragraph] = _blocks(text)

    assert found.kind == "heading"
    assert paragraph.headings == (heading.partition("\n")[0],)
    assert text[paragraph.start : paragraph.end].startswith("Assistance")


@pytest.mark.parametrize(
    "line",
    [
        "Dear Anna,",
        "It rained.",
        "5 November 2026, room 2.17",
        "The following holds:",
        "THE SOFTWARE IS PROVIDED AS IS, WITHOUT WARRANTY OF ANY KIND,",
    ],
)
def test_lines_that_are_no_headings(line: str) -> None:
    text = (
        f"{line}\nAssistance dogs may come into all of the areas except for one,\n"
        "which is haematology.\n"
    )

    assert not _blocks(text, "heading")


def test_headings_hold_the_headings_below_them() -> None:
    text = "RULES\n\n1 Visits\n\nFrom two on.\n\n1.1 Children\n\nFrom six.\n\n2 Food\n\nNone.\n"

    assert [block.headings for block in _blocks(text, "paragraph")] == [
        ("RULES", "1 Visits"),
        ("RULES", "1 Visits", "1.1 Children"),
        ("RULES", "2 Food"),
    ]
    assert [block.level for block in _blocks(text, "heading")] == [1, 2, 3, 2]


@pytest.mark.parametrize("gap", ["\n", "\n\n"])
def test_a_heading_holds_its_numbered_clauses(gap: str) -> None:
    text = (
        "3. Belay devices\n\nNo figure of eight may be used.\n\n"
        f"4. Lockers and lost property{gap}"
        "4.1 Lockers take a coin.\n4.2 Lost property is kept for eight weeks.\n"
    )

    assert [block.headings for block in _blocks(text, "paragraph")] == [
        ("3. Belay devices",),
        ("4. Lockers and lost property",),
        ("4. Lockers and lost property",),
    ]


def test_a_part_holds_the_heading_that_stands_right_below_it() -> None:
    text = "1. General\n\n1.1 Scope\n\nThese rules apply to guests.\n\n2. Food\n\nNone.\n"

    assert [block.headings for block in _blocks(text, "paragraph")] == [
        ("1. General", "1.1 Scope"),
        ("2. Food",),
    ]


def test_a_table_of_contents_has_no_headings() -> None:
    text = "1. General\n1.1 Scope\n1.2 Terms\n2. Food\n2.1 Drinks\n3. End\n"

    assert not _blocks(text, "heading")


def test_a_heading_with_a_year_is_no_date() -> None:
    text = "3. Prices 2027\nThe prices stay as they are.\n\n3. October 2027\nAll came.\n"

    assert [block.headings for block in _blocks(text, "heading")] == [("3. Prices 2027",)]


@pytest.mark.parametrize("part", ["SECTION 4: First aid", "Article II - First aid", "§ 4. Help"])
def test_a_part_with_its_kind_and_number_is_a_heading(part: str) -> None:
    text = (
        "SECTION 3: Hazards\nSignal word: Warning\nH315 Causes skin irritation.\n\n"
        f"{part}\nEyes: Rinse with water.\nSkin: Wash with soap.\n"
    )

    [pairs] = _blocks(text, "pairs")

    assert pairs.headings == (part,)
    assert _entries(text)[-2:] == [
        ("Eyes", "Rinse with water."),
        ("Skin", "Wash with soap."),
    ]


def test_bullets_are_a_list_and_the_text_below_them_a_paragraph() -> None:
    text = (
        "61 of 140 users have answered.\n"
        "    - What they like best: bundles that can be found again\n"
        "      and again.\n    - Most wanted: jobs that depend on each other.\n"
        "The group stays with its decision not to build a workflow engine.\n"
    )

    _, items, after = _blocks(text)

    assert _entries(text) == [
        ("-", "What they like best: bundles that can be found again and again."),
        ("-", "Most wanted: jobs that depend on each other."),
    ]
    assert not items.numbered
    assert text[after.start :] == text.splitlines(keepends=True)[-1]


def test_steps_are_numbered_and_know_their_lead() -> None:
    text = (
        "A needle has hurt you. Do this:\n\n1. Let the wound bleed.\n\n2. Rinse it.\n\n"
        "   Use running water.\n\n3. Call 4990.\n\nNothing else helps.\n"
    )

    _, steps, _ = _blocks(text)

    assert steps.numbered
    assert steps.lead is not None
    assert text[slice(*steps.lead)] == "Do this:"
    assert _entries(text) == [
        ("1.", "Let the wound bleed."),
        ("2.", "Rinse it. Use running water."),
        ("3.", "Call 4990."),
    ]


def test_nested_items_belong_to_the_item_around_them() -> None:
    text = "  * debian/control:\n    ** Update it.\n    - Depend on more.\n  * Upload.\n"

    assert [label for label, _ in _entries(text)] == ["*", "*"]
    assert len(_blocks(text)[0].units) == 3


def test_a_number_by_chance_at_the_beginning_of_a_line_is_no_item() -> None:
    text = (
        "The meeting of the clinic was moved from the fifth day of the month to the\n"
        "12. of the same month, since the room was taken, as is so often the case in\n"
        "autumn. A. Smith agrees.\n"
    )

    assert [block.kind for block in _blocks(text)] == ["paragraph"]


def test_terms_and_definitions_are_pairs() -> None:
    text = (
        "OPTIONS\n       -c, --config FILE\n"
        "              read FILE instead of the usual one, as long\n"
        "              as it can be read\n\n       stop ID...\n              stop jobs.\n\n"
        "              A second paragraph about it stands here.\n\n       -q     print errors\n"
        "              only\n\nBUGS\n       None are known.\n"
    )

    assert _entries(text) == [
        ("-c, --config FILE", "read FILE instead of the usual one, as long as it can be read"),
        ("stop ID...", "stop jobs."),
        ("-q", "print errors only"),
    ]
    [second, last] = _blocks(text, "paragraph")
    assert second.headings == ("OPTIONS", "stop ID...")
    assert last.headings == ("BUGS",)


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        (
            "Present: Yewande Castellanos, Ruben\n   Halloway\nAbsent: nobody\n",
            [("Present", "Yewande Castellanos, Ruben Halloway"), ("Absent", "nobody")],
        ),
        (":Author: Mirela\n:Version: 3.2\n", [("Author", "Mirela"), ("Version", "3.2")]),
        (
            "Claim # | SF-1008 | Make | Jeep\nDate | 4 May | Model | CJ\n",
            [("Claim #", "SF-1008"), ("Make", "Jeep"), ("Date", "4 May"), ("Model", "CJ")],
        ),
        (
            "Severity\n1\nAuthor\nYewande Castellanos\nDuration\n85 minutes\n",
            [("Severity", "1"), ("Author", "Yewande Castellanos"), ("Duration", "85 minutes")],
        ),
        ("0      success\n75     try again\n", [("0", "success"), ("75", "try again")]),
    ],
)
def test_keys_and_values_are_pairs(text: str, pairs: list[tuple[str, str]]) -> None:
    assert [block.kind for block in _blocks(text)] == ["pairs"]
    assert _entries(text) == pairs


def test_rows_with_cells_are_a_table() -> None:
    text = "08:00 | opening | hall\n09:30 | first talk | room 2\n"

    [table] = _blocks(text)

    assert table.kind == "table"
    assert [content for _, content in _entries(text)] == text.splitlines()


def test_indented_commands_are_code_with_their_lead() -> None:
    text = (
        "If the documentation is installed on the system, then\nthe command is:\n\n"
        "    info tar\n    info gzip\n\nIt gives access to the manual.\n"
    )

    _, code, _ = _blocks(text)

    assert code.kind == "code"
    assert code.lead is not None
    assert [text[slice(*unit)] for unit in code.units] == ["info tar", "info gzip"]


def test_each_line_of_a_feed_is_a_paragraph() -> None:
    text = "Amazon invests $25 billion.\nStocks rose on Monday, says the US Depart…\nRain."

    assert _shown(text) == [("paragraph", line) for line in text.split("\n")]


def test_blank_lines_separate_paragraphs() -> None:
    text = (
        "A line that was wrapped at a margin by\nits author, who had little space on\n"
        "the screen.\n\n \nNext."
    )

    assert [shown for _, shown in _shown(text)] == [
        " ".join(text.partition("\n\n")[0].split()),
        "Next.",
    ]


@pytest.mark.parametrize("indent", ["", "    ", "\t"])
@pytest.mark.parametrize("width", [40, 64, 79])
def test_wrapped_paragraphs_come_back_whole(indent: str, width: int) -> None:
    paragraphs = [
        (
            "The certificate is renewed by a timer on the machine heronry. The timer had failed "
            "since 5 August, since the disk of heronry was full. Its mails went to the address of "
            "a colleague who had left in June. Nobody of the Data Tools Group had read them."
        ),
        (
            "Dr. Smith paid $2.7 million to Kestrane Pumpworks in Norsund. The seal of HX-40 is "
            "made of FKM instead of EPDM, since EPDM is attacked by mineral oil and by the agents "
            "of dairies."
        ),
    ]
    text = "\n\n".join(
        textwrap.fill(each, width, initial_indent=indent, subsequent_indent=indent)
        for each in paragraphs
    )

    assert _shown(text) == [("paragraph", each) for each in paragraphs]


def test_an_unspaced_script_is_wrapped_too() -> None:
    text = "東京都は日本の首都であり、世界最大の都市圏のひとつです。人\n口は千四百万人です。\n"

    assert len(_blocks(text)) == 1


@pytest.mark.parametrize(
    "line",
    [
        "word " * 10,
        "x" * 50,
        "- item that is one of many",
        "Key: value of a key",
        "a    b",
        "a | b | c | d",
        "A TITLE",
        "    deep",
        ">" * 40 + " quoted",
        "1. one",
        "-----",
        "Term\n  meaning",
    ],
)
def test_time_grows_with_the_length_of_the_text(line: str) -> None:
    def seconds(lines: int) -> float:
        text = f"{line}\n" * lines
        started = time.process_time()
        plain_structure(text)
        return time.process_time() - started

    seconds(10)  # what is loaded once
    short = min(seconds(500) for _ in range(3))
    long = min(seconds(5_000) for _ in range(3))

    # Ten times the lines: 10 if it is linear, 100 if it is quadratic.
    assert long < 50 * short + 0.2
