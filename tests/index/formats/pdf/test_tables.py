"""PDF tables: ruled, half ruled and not ruled at all.

Their cells have several lines, and they continue on other pages. Some layouts only look like one.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from fpdf import FPDF
from fpdf.enums import VAlign
from hypothesis import example, given, settings
from hypothesis import strategies as st

from index.errors import EmptyFile, ScannedFile
from index.formats.pdf.extract import extract, open_document
from index.formats.pdf.glyphs import Orientation
from index.formats.pdf.ruling_lines import MAX_OBJECTS, MAX_POINTS, read_ruling_lines
from index.formats.tables import row_text
from tests.index.formats.test_text_builder import assert_sound
from tests.support.quoting import quotable_lines

HEADER = ["Berth", "Description", "Depth", "Rate per day"]
ROWS = [
    [
        "North 1",
        "For container vessels with a length of up to three hundred metres and two cranes",
        "14 m",
        "4,200",
    ],
    ["North 2", "Ferries", "", "1,150"],
    [
        "South",
        "Bulk carriers, only by day, when a pilot is on board",
        "11 m",
        "2,900 plus pilot and tugs as they are needed",
    ],
    ["Old basin", "Fishing boats", "4 m", "80"],
]
PROSE = (
    "All rates hold from the first of January and are given in euros for each day that a vessel "
    "lies at the quay."
)


def table(
    rows: Sequence[Sequence[str]],
    *,
    borders: str = "ALL",
    padding: float = 0.0,
    height: float | None = None,
) -> bytes:
    """Return a PDF with a paragraph, a table and a paragraph."""
    paper = FPDF()
    if height:
        paper.set_auto_page_break(auto=True, margin=297 - height)
    paper.add_page()
    paper.set_font("Helvetica", size=11)
    paper.multi_cell(0, 6, PROSE, new_x="LMARGIN", new_y="NEXT")
    paper.ln(4)
    with paper.table(
        borders_layout=borders, line_height=6, padding=padding, v_align=VAlign.T
    ) as made:
        for row in rows:
            line = made.row()
            for cell in row:
                line.cell(cell)
    paper.ln(4)
    paper.multi_cell(0, 6, PROSE.upper(), new_x="LMARGIN", new_y="NEXT")
    return bytes(paper.output())


def lines(data: bytes) -> list[str]:
    """Return the lines of the extracted text that can be quoted."""
    return quotable_lines(extract(data))


@pytest.mark.parametrize(
    ("borders", "padding"),
    [
        ("ALL", 0.0),
        ("ALL", 2.0),
        ("INTERNAL", 1.0),
        ("MINIMAL", 2.0),
        ("HORIZONTAL_LINES", 1.5),
        ("NONE", 2.0),
    ],
)
def test_each_row_names_its_values_with_every_kind_of_ruling(borders: str, padding: float) -> None:
    assert lines(table([HEADER, *ROWS], borders=borders, padding=padding)) == [
        PROSE,
        *(row_text(row, HEADER) for row in ROWS),
        PROSE.upper(),
    ]


def test_a_number_in_the_first_column_is_a_cell() -> None:
    rows = [[str(2015 + at), f"{at}37.4", f"{at}94.5"] for at in range(6)]

    assert lines(table([["Year", "Revenue", "Costs"], *rows], borders="NONE"))[1:-1] == [
        row_text(row, ["Year", "Revenue", "Costs"]) for row in rows
    ]


def test_a_table_keeps_its_header_on_the_next_page() -> None:
    rows = [[str(1001 + at), f"Person {at}", "ABC"[at % 3]] for at in range(80)]
    found = extract(table([["Number", "Name", "Grade"], *rows]))

    expected = [row_text(row, ["Number", "Name", "Grade"]) for row in rows]
    assert quotable_lines(found)[1:-1] == expected
    assert [str(found.places.at(found.text.index(name))) for name in ("Person 0", "Person 79")] == [
        "page 1",
        "page 2",
    ]


def test_a_row_that_is_split_by_a_page_break_is_one_row() -> None:
    paper = FPDF()
    paper.set_font("Helvetica", size=11)
    for cells in (["Oil on the water", "Lay out the boom that lies"], ["", "in shed four"]):
        paper.add_page()
        for at, row in enumerate(
            [["Situation", "What to do", "Call"], [*cells, "guard" if cells[0] else ""]]
        ):
            for column, cell in enumerate(row):
                paper.text(20 + 60 * column, 30 + 9 * at, cell)

    assert lines(bytes(paper.output())) == [
        (
            "Situation: Oil on the water; "
            "What to do: Lay out the boom that lies in shed four; Call: guard"
        )
    ]


def test_rows_without_space_between_begin_where_the_first_column_has_text() -> None:
    paper = FPDF()
    paper.add_page()
    paper.set_font("Helvetica", size=11)
    texts = [
        ["Term", "Meaning", "No."],
        ["Demurrage", "What is paid for a ship", "1"],
        ["", "that lies too long", ""],
        ["Draught", "How deep it lies", "2"],
    ]
    for at, row in enumerate(texts):
        for column, cell in enumerate(row):
            paper.text(20 + 50 * column, 30 + 5 * at, cell)

    assert lines(bytes(paper.output())) == [
        "Term: Demurrage; Meaning: What is paid for a ship that lies too long; No.: 1",
        "Term: Draught; Meaning: How deep it lies; No.: 2",
    ]


def write_rows(
    paper: FPDF,
    rows: Sequence[Sequence[str]],
    *,
    top: float = 30,
    right: Sequence[int] = (),
    bold: Sequence[int] = (),
) -> None:
    """Write rows of cells without any ruling line, 5 mm apart.

    The columns in `right` are aligned to the right; the rows in `bold` are bold.
    """
    for at, row in enumerate(rows):
        paper.set_font("Helvetica", "B" if at in bold else "", 10)
        for column, cell in enumerate(row):
            paper.text(
                20 + 45 * column - (paper.get_string_width(cell) if column in right else 0),
                top + 5 * at,
                cell,
            )


@pytest.mark.parametrize("bold", [(), (0,)])
def test_columns_may_be_aligned_to_the_right(bold: Sequence[int]) -> None:
    paper = FPDF()
    paper.add_page()
    rows = [
        ["Item", "Price", "Stock"],
        ["Lamp", "39.90", "5"],
        ["Desk", "1,120.00", "2"],
        ["Chair", "80.00", "117"],
    ]
    write_rows(paper, rows, right=(1, 2), bold=bold)

    assert lines(bytes(paper.output())) == [row_text(row, rows[0]) for row in rows[1:]]


def test_numbers_below_each_other_are_of_different_rows() -> None:
    paper = FPDF()
    paper.add_page()
    rows = [
        ["Qty", "Article", "Unit price", "Amount"],
        ["2", "Lamp", "39.90", "79.80"],
        ["1", "Desk made of", "120.00", "120.00"],
        ["", "oak and ash", "", ""],
        ["", "Subtotal", "", "199.80"],
        ["", "Total", "", "249.75"],
    ]
    write_rows(paper, rows, right=(2, 3), bold=(0, 5))
    whole = [*rows[1:2], ["1", "Desk made of oak and ash", "120.00", "120.00"], *rows[4:]]

    assert lines(bytes(paper.output())) == [row_text(row, rows[0]) for row in whole]


def test_rows_of_text_close_together_stay_rows_above_a_bold_one() -> None:
    paper = FPDF()
    paper.add_page()
    rows = [
        ["Person", "Room", "Task"],
        ["Anna", "North", "Radio"],
        ["Tom", "South", "Lamps"],
        ["Ida", "West", "Boats"],
        ["All", "East", "Fire"],
    ]
    write_rows(paper, rows, bold=(0, 4))

    assert lines(bytes(paper.output())) == [row_text(row, rows[0]) for row in rows[1:]]


def test_a_cell_over_several_rows_stands_in_each() -> None:
    paper = FPDF()
    paper.add_page()
    paper.set_font("Helvetica", size=11)
    with paper.table(line_height=8) as made:
        made.row(["Port", "Berth", "Depth"])
        row = made.row()
        row.cell("Hamburg", rowspan=2)
        row.cell("North")
        row.cell("14 m")
        made.row(["South", "11 m"])
        made.row(["Bremen", "Quay", "9 m"])

    assert lines(bytes(paper.output())) == [
        "Port: Hamburg; Berth: North; Depth: 14 m",
        "Port: Hamburg; Berth: South; Depth: 11 m",
        "Port: Bremen; Berth: Quay; Depth: 9 m",
    ]


def test_ruled_tables_beside_each_other_and_text_beside_them() -> None:
    paper = FPDF()
    paper.add_page()
    paper.set_font("Helvetica", size=10)
    tables = (
        [["Item", "Price"], ["Lamp", "39.90"], ["Desk", "120.00"]],
        [["Person", "Age"], ["Anna", "31"], ["Tom", "45"]],
    )
    for left, rows in zip((20, 110), tables, strict=True):
        for at in range(4):
            paper.line(left, 30 + 8 * at, left + 60, 30 + 8 * at)
        for at in range(3):
            paper.line(left + 30 * at, 30, left + 30 * at, 54)
        for at, row in enumerate(rows):
            for column, cell in enumerate(row):
                paper.text(left + 2 + 30 * column, 36 + 8 * at, cell)
    paper.text(175, 44, "See the list.")

    assert lines(bytes(paper.output())) == [
        "Item: Lamp; Price: 39.90",
        "Item: Desk; Price: 120.00",
        "Person: Anna; Age: 31",
        "Person: Tom; Age: 45",
        "See the list.",
    ]


@pytest.mark.parametrize(("font", "style"), [("Courier", ""), ("Helvetica", "B")])
def test_a_line_that_begins_in_another_font_is_of_its_paragraph(font: str, style: str) -> None:
    paper = FPDF()
    paper.add_page()
    for word, text in (
        ("All", "that is said of the harbour and its quays holds for"),
        ("anchor", "and chain as well, and for rope"),
    ):
        paper.set_font(*((font, style) if word == "anchor" else ("Helvetica", "")), 10)
        paper.write(6, f"{word} ")
        paper.set_font("Helvetica", "", 10)
        paper.write(6, f"{text}\n")

    assert len(lines(bytes(paper.output()))) == 1


def test_text_at_the_edge_of_a_table_stands_in_its_last_column() -> None:
    paper = FPDF()
    paper.add_page()
    paper.set_font("Helvetica", size=8)
    for at in range(4):
        paper.line(20, 30 + 8 * at, 120, 30 + 8 * at)
    for at, end in ((20, 54), (70, 46), (120, 54)):
        paper.line(at, 30, at, end)
    for at, cells in enumerate((("Item", "Note"), ("Lamp", "new"), ("both", ""))):
        for column, cell in enumerate(cells):
            paper.text(22 + 50 * column, 36 + 8 * at, cell)
    paper.text(119.4, 52, "i")

    assert lines(bytes(paper.output())) == ["Item: Note", "Lamp: new", "both: i"]


def test_numbers_below_each_other_in_a_ruled_field_are_of_different_rows() -> None:
    paper = FPDF()
    paper.add_page()
    paper.set_font("Helvetica", size=10)
    for at in (30, 38, 56, 64):
        paper.line(20, at, 120, at)
    for at in (20, 70, 120):
        paper.line(at, 30, at, 64)
    rows = [
        ("Item", "Price", 35),
        ("Lamp", "39.90", 43),
        ("Desk of oak", "120.00", 48),
        ("and ash", "", 53),
        ("Total", "159.90", 61),
    ]
    for first, second, at in rows:
        paper.text(22, at, first)
        paper.text(72, at, second)

    assert lines(bytes(paper.output())) == [
        "Item: Lamp; Price: 39.90",
        "Item: Desk of oak and ash; Price: 120.00",
        "Item: Total; Price: 159.90",
    ]


def test_a_header_of_two_rows_names_each_column_whole() -> None:
    paper = FPDF()
    paper.add_page()
    paper.set_font("Helvetica", size=11)
    with paper.table(line_height=8, num_heading_rows=2) as made:
        row = made.row()
        row.cell("Region", rowspan=2)
        row.cell("Sales", colspan=2)
        row.cell("Costs", colspan=2)
        made.row(["first", "second", "first", "second"])
        made.row(["North", "5", "7", "3", "4"])

    assert lines(bytes(paper.output())) == [
        "Region: North; Sales first: 5; Sales second: 7; Costs first: 3; Costs second: 4"
    ]


def test_a_row_below_a_wide_cell_is_no_header_if_something_stands_beside_it() -> None:
    paper = FPDF()
    paper.add_page()
    paper.set_font("Helvetica", size=11)
    with paper.table(line_height=8) as made:
        row = made.row()
        row.cell("Name", colspan=2)
        row.cell("Age")
        made.row(["Anna", "Berg", "31"])
        made.row(["Tom", "Falk", "45"])

    assert lines(bytes(paper.output())) == ["Name: Anna; Berg; Age: 31", "Name: Tom; Falk; Age: 45"]


def test_a_row_of_one_spanning_cell_is_a_title_and_no_value() -> None:
    paper = FPDF()
    paper.add_page()
    paper.set_font("Helvetica", size=11)
    with paper.table(line_height=8) as made:
        made.row(["Item", "Size", "Price"])
        made.row().cell("Lights", colspan=3)
        made.row(["Lamp", "S", "39.90"])
        made.row(["Torch", "L", "9.90"])
        made.row(["Spare bulb", "M", "1.90"])

    assert lines(bytes(paper.output()))[:2] == ["Lights", "Item: Lamp; Size: S; Price: 39.90"]


FIRST = [
    ["Item", "Price", "Stock"],
    ["Lamp", "39.90", "5"],
    ["Desk", "120.00", "2"],
    ["Chair", "80.00", "7"],
]
SECOND = [["Person", "Age", "Room"], ["Anna", "31", "B12"], ["Tom", "45", "C2"]]
BOTH = [row_text(row, names) for names, *rows in (FIRST, SECOND) for row in rows]


@pytest.mark.parametrize(("gap", "bold"), [(25, ()), (25, (0,)), (5, (0,))])
def test_borderless_tables_above_each_other_have_their_own_headers(
    gap: int, bold: Sequence[int]
) -> None:
    paper = FPDF()
    paper.add_page()
    write_rows(paper, FIRST, bold=bold)
    write_rows(paper, SECOND, top=45 + gap, bold=bold)

    assert lines(bytes(paper.output())) == BOTH


@pytest.mark.parametrize("broken", [False, True])
def test_ruled_tables_above_each_other_have_their_own_headers(*, broken: bool) -> None:
    paper = FPDF()
    paper.add_page()
    for rows in (FIRST, SECOND):
        paper.set_font("Helvetica", size=11)
        with paper.table(line_height=8) as made:
            for row in rows:
                made.row(row)
        if broken:
            paper.add_page()
        paper.ln(10)

    assert lines(bytes(paper.output())) == BOTH


@pytest.mark.parametrize(
    "rows",
    [
        [
            ["Name: Bob Smith", "Date: 5 May", "Place: Oslo"],
            ["Age: 31", "Phone: 555 123", "Room: B12"],
        ],
        [["Customer:", "ACME", "Contact:", "Bob"], ["Address:", "5 Main St", "Phone:", "555 123"]],
    ],
)
def test_labels_beside_their_values_are_no_header(rows: Sequence[Sequence[str]]) -> None:
    paper = FPDF()
    paper.add_page()
    write_rows(paper, rows)

    assert lines(bytes(paper.output())) == [row_text(row, None) for row in rows]


def test_bold_labels_beside_their_values_are_no_header() -> None:
    paper = FPDF()
    paper.add_page()
    for at, cells in enumerate((("Name", "Bob Smith"), ("Founded", "1999"), ("Employees", "120"))):
        for column, cell in enumerate(cells):
            paper.set_font("Helvetica", "" if column else "B", 10)
            paper.text(20 + 50 * column, 30 + 5 * at, cell)

    assert lines(bytes(paper.output())) == ["Name: Bob Smith", "Founded: 1999", "Employees: 120"]


def test_a_bold_row_of_one_cell_below_the_header() -> None:
    paper = FPDF()
    paper.add_page()
    rows = [
        ["Item", "Size", "Price"],
        ["Lights", "", ""],
        ["Lamp", "S", "39.90"],
        ["Torch", "L", "9.90"],
    ]
    write_rows(paper, rows, bold=(0, 1), right=(2,))

    assert lines(bytes(paper.output())) == [row_text(row, rows[0]) for row in rows[1:]]


def test_columns_below_a_title_over_several_are_not_merged() -> None:
    paper = FPDF()
    paper.add_page()
    paper.set_font("Helvetica", size=10)
    paper.text(20, 30, "Depths and rates of the ports of the west and the north")
    paper.text(130, 30, "in euros for a day")
    rows = [
        ["Port", "Depth", "Rate"],
        ["Brest", "14.0", "4,200"],
        ["Roscoff", "8.5", "950"],
        ["Lorient", "11.2", "1,150"],
    ]
    write_rows(paper, rows, top=35)

    assert lines(bytes(paper.output()))[1:] == [row_text(row, rows[0]) for row in rows[1:]]


def test_text_that_begins_again_in_the_first_column_begins_a_row() -> None:
    paper = FPDF()
    paper.add_page()
    rows = [
        ["Term", "Meaning"],
        ["Demurrage", "What is paid for a ship that lies"],
        ["", "longer than it may"],
        ["Fairway", "The part of a river"],
        ["", "for ships"],
    ]
    write_rows(paper, rows)
    paper.line(20, 31, 120, 31)
    paper.line(20, 51, 120, 51)
    write_rows(paper, [["Total", "two terms"]], top=55)

    assert lines(bytes(paper.output()))[1:3] == [
        "Demurrage: What is paid for a ship that lies longer than it may",
        "Fairway: The part of a river for ships",
    ]


def test_a_row_with_the_same_text_twice_is_no_header() -> None:
    paper = FPDF()
    paper.add_page()
    rows = [
        ["Region", "2023", "2024", "2023"],
        ["North", "5", "7", "3"],
        ["South", "15", "17", "13"],
    ]
    write_rows(paper, rows, bold=(0,))

    assert lines(bytes(paper.output())) == [row_text(row, None) for row in rows]


def test_a_frame_and_the_grid_of_a_chart_are_no_tables() -> None:
    paper = FPDF()
    paper.add_page()
    paper.set_font("Helvetica", size=11)
    paper.rect(8, 8, 190, 40)
    paper.multi_cell(0, 6, PROSE, new_x="LMARGIN", new_y="NEXT")
    for at in range(8):
        paper.line(20, 60 + 10 * at, 90, 60 + 10 * at)
        paper.line(20 + 10 * at, 60, 20 + 10 * at, 130)
    paper.text(33, 77, "peak")
    paper.text(63, 107, "low")

    assert lines(bytes(paper.output())) == [PROSE, "peak low"]


def test_lines_of_a_drawing_are_ignored() -> None:
    paper = FPDF()
    paper.add_page()
    paper.set_font("Helvetica", size=11)
    paper.multi_cell(0, 6, PROSE, new_x="LMARGIN", new_y="NEXT")
    for at in range(MAX_OBJECTS + 10):
        paper.line(20, 60 + at / 50, 60, 60 + at / 50)

    assert lines(bytes(paper.output())) == [PROSE]


def test_the_curves_of_a_drawing_hide_no_table() -> None:
    paper = FPDF()
    paper.add_page()
    for at in range(MAX_OBJECTS // 4):
        paper.ellipse(20 + at % 50, 150 + at / 50, 30, 40)
    paper.set_font("Helvetica", size=11)
    with paper.table(line_height=8, padding=1) as made:
        for row in (
            [" ", "Price"],
            [
                "Lamp of brass for a desk, with a switch and a cord of two metres and a half",
                "39.90",
            ],
            ["Desk", "120.00"],
        ):
            made.row(row)

    assert lines(bytes(paper.output()))[-1] == "Desk; Price: 120.00"


@pytest.mark.parametrize(("points", "found"), [(MAX_POINTS // 2, 1), (MAX_POINTS + 10, 0)])
def test_a_map_of_many_points_is_ignored(points: int, found: int) -> None:
    paper = FPDF()
    paper.add_page()
    paper.line(20, 20, 90, 20)
    paper.polyline([(20 + 30 * (at % 2), 60 + 30 * (at % 2)) for at in range(points)])

    with open_document(bytes(paper.output())) as document:
        assert len(read_ruling_lines(document[0], Orientation(0)).level) == found


def test_justified_lines_of_few_words_are_no_rows() -> None:
    paper = FPDF()
    paper.add_page()
    paper.set_font("Helvetica", size=11)
    text = (
        "In those days the characteristically inhospitable Oklahoma City was settled by "
        "incomprehensibly disinterested people"
    )
    paper.multi_cell(52, 5, text, align="J", new_x="LMARGIN", new_y="NEXT")

    assert lines(bytes(paper.output())) == [text]


def test_the_lines_of_a_program_stay_lines() -> None:
    paper = FPDF()
    paper.add_page()
    paper.set_font("Helvetica", size=11)
    paper.multi_cell(0, 6, PROSE, new_x="LMARGIN", new_y="NEXT")
    paper.ln(4)
    paper.set_font("Courier", size=10)
    paper.multi_cell(0, 5, "def open_gate(n):\n    return n", new_x="LMARGIN", new_y="NEXT")

    assert lines(bytes(paper.output())) == [PROSE, "def open_gate(n):", "return n"]


words = st.lists(st.text("abcdefgh", min_size=1, max_size=9), min_size=1, max_size=12).map(" ".join)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(3, 4).flatmap(
        lambda width: st.lists(
            st.lists(words, min_size=width, max_size=width), min_size=2, max_size=6
        )
    )
)
def test_ruled_rows_are_complete_for_any_cells(rows: list[list[str]]) -> None:
    header = [f"Column {'ABCD'[at]}" for at in range(len(rows[0]))]

    assert lines(table([header, *rows], padding=1.0))[1:-1] == [
        row_text(row, header) for row in rows
    ]


def test_a_cell_of_very_many_lines_stays_in_its_row() -> None:
    paper = FPDF(format=(210, 900))
    paper.add_page()
    paper.set_font("Helvetica", size=11)
    words = [f"which goes on with word {at}" for at in range(70)]
    for at, (first, second) in enumerate(
        [("Term", "Meaning"), ("Demurrage", "What is paid"), *(("", text) for text in words)]
    ):
        paper.text(20, 30 + 5 * at, first)
        paper.text(70, 30 + 5 * at, second)

    assert f"Demurrage: What is paid {' '.join(words)}" in lines(bytes(paper.output()))


PAGE_NUMBERS = {"...", "1,200"}
"""Texts that alone on page 1 are taken for its number: "1,200" looks like "1 of 200".

So a page of nothing else has no text; a random page is one of these once in a while.
"""

places = st.tuples(st.sampled_from([15, 40, 41, 70, 110, 150]), st.integers(5, 280))
texts = st.sampled_from(
    ["Berth", "12.5", "1,200", "the harbour of", "2015", "x", "(a)", "Total:", "Depth: 14 m", "..."]
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(places, texts, st.sampled_from(["", "B"]), st.sampled_from([8, 11, 16])),
        max_size=60,
    ),
    st.lists(st.tuples(places, st.integers(0, 190), st.booleans()), max_size=20),
)
@example([((40, 100), "1,200", "", 11)], [])
@example([((40, 100), "1,200", "", 11), ((40, 200), "...", "B", 8)], [])
def test_any_page_is_read_or_has_no_text_but_page_numbers(
    written: list[tuple[tuple[int, int], str, str, int]],
    drawn: list[tuple[tuple[int, int], int, bool]],
) -> None:
    paper = FPDF()
    paper.add_page()
    for (x, y), text, style, size in written:
        paper.set_font("Helvetica", style, size)
        paper.text(x, y, text)
    for (x, y), length, is_level in drawn:
        paper.line(x, y, x + length * is_level, y + length * (not is_level))
    try:
        assert_sound(extract(bytes(paper.output())))
    except (EmptyFile, ScannedFile):
        assert all(text in PAGE_NUMBERS or text.isdigit() for _, text, *_ in written)
