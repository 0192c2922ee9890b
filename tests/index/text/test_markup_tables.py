"""Tables of markup are rows with the names of their columns; what is not shown is not quoted."""

from __future__ import annotations

import pytest
import regex

from index.document import Block
from index.rendering import cells, render_row
from index.text.light_markup import asciidoc_structure, latex_structure, org_structure
from index.text.light_markup import rst_structure as rst
from index.text.markdown import markdown_structure
from index.text.structure import Structure


def tables(structure: Structure) -> list[Block]:
    """Return the blocks that are tables."""
    return [block for block in structure.blocks if block.kind == "table"]


def rendered(text: str, block: Block) -> list[str]:
    """Return the rows below the header as the reader sees them."""
    rows = [text[entry.content[0] : entry.content[1]] for entry in block.entries]
    return [render_row(row, block.columns).text for row in rows]


def quoted(text: str, structure: Structure) -> str:
    """Return all units of a text, one a line."""
    return "\n".join(text[start:end] for block in structure.blocks for start, end in block.units)


ORG = "* Prices\n| Item | Price |\n|------+-------|\n| Lamp | 3     |\n| Desk | 9     |\n"
RST = "Prices\n======\n\n+------+-------+\n| Item | Price |\n+======+=======+\n| Lamp | 3     |\n"
RST += "+------+-------+\n| Desk | 9     |\n+------+-------+\n"
ADOC = "= Prices\n\n|===\n|Item |Price\n\n|Lamp |3\n|Desk |9\n|===\n"
ADOC_CELLS = '= Prices\n\n[cols="1,2"]\n|===\n|Item |Price\n\n|Lamp\n|3\n\n|Desk\n|9\n|===\n'
SIMPLE = "Prices\n======\n\n====  =====\nItem  Price\n====  =====\nLamp  3\nDesk  9\n====  =====\n"
LATEX = r"""\section{Prices}
\begin{tabular}{|l|p{3cm}|} \toprule
\textbf{Item} & Price \\ \midrule
Lamp & 3 \\[2pt]
Desk & 9 \\ \hline
\end{tabular}
"""
HTML = (
    "# Prices\n\n<table>\n<tr><th><b>Item</b></th><th>Price</th></tr>\n"
    "<tr><td>Lamp</td>\n  <td><b>3</b></td></tr>\n<tr><td>Desk<td>9\n</table>\nAfter it.\n"
)


@pytest.mark.parametrize(
    ("text", "structure_of"),
    [
        pytest.param(ORG, org_structure, id="org"),
        pytest.param(RST, rst, id="rst"),
        pytest.param(SIMPLE, rst, id="simple rst"),
        pytest.param(LATEX, latex_structure, id="latex"),
        pytest.param(ADOC, asciidoc_structure, id="asciidoc"),
        pytest.param(ADOC_CELLS, asciidoc_structure, id="asciidoc, a cell a line"),
        pytest.param(HTML, markdown_structure, id="html in markdown"),
    ],
)
def test_rows_name_their_columns(text: str, structure_of: object) -> None:
    assert callable(structure_of)
    [table] = tables(structure_of(text))

    assert table.columns == ("Item", "Price")
    assert rendered(text, table) == ["Item: Lamp; Price: 3", "Item: Desk; Price: 9"]
    assert table.headings == ("Prices",)


def test_text_around_tables_stays() -> None:
    assert quoted(HTML, markdown_structure(HTML)).endswith("After it.")
    text = "Before.\n\n" + ORG + "\nAfter.\n"
    assert quoted(text, org_structure(text)).startswith("Before.\n")
    assert quoted(text, org_structure(text)).endswith("\nAfter.")


@pytest.mark.parametrize(
    "text",
    [
        "| one bar alone\n| and another\n",  # a line block of reStructuredText
        "|a |b\n|c\n",
        "| a | b |\n",
    ],
)
def test_bars_alone_are_no_table(text: str) -> None:
    assert tables(rst(text)) == []


def test_cells_of_html_are_without_tags_at_their_ends() -> None:
    row = "<tr class=x><td> <i>a <b>c</b></i></td><th>d</th><td></td><td>e</tr>"

    assert [row[start:end] for start, end in cells(row)] == ["a <b>c", "d", "", "e"]


@pytest.mark.parametrize(
    "hidden",
    [
        "<!-- the secret is 4 -->",
        '<span style="display:none">the secret is 4</span>',
        "<div hidden>the secret is 4</div>",
        "<p style='color:red; visibility: hidden'>the secret is 4</p>",
    ],
)
def test_markdown_does_not_quote_what_html_hides(hidden: str) -> None:
    text = f"The limit is 6 bar.\n\n{hidden}\n\nThe rest `<b hidden>code</b>` is seen.\n"

    lines = quoted(text, markdown_structure(text))

    assert "secret" not in lines
    assert "The limit is 6 bar." in lines
    assert "<b hidden>code</b>" in lines


def test_parts_that_org_does_not_export() -> None:
    text = "* Seen\nText.\n* COMMENT Draft\nsecret\n** Below\nsecret\n* Last\nEnd.\n"

    assert quoted(text, org_structure(text)) == "Seen\nText.\nLast\nEnd."


def test_latex_that_is_switched_off() -> None:
    text = "Seen. \\iffalse secret \\fi Also seen.\n"

    assert "secret" not in quoted(text, latex_structure(text))
    assert "Also seen." in quoted(text, latex_structure(text))


@pytest.mark.parametrize(
    "text",
    [
        "====  ====\na     b\n      c\n====  ====\n",  # a cell of two lines
        "====  ====\n",
        "====  ====\na b c d\n",
    ],
)
def test_simple_tables_that_stay_text(text: str) -> None:
    assert tables(rst(text)) == []
    assert all(word in quoted(text, rst(text)) for word in regex.findall(r"\w", text))


def test_text_around_source_tables_stays() -> None:
    after = f"{LATEX}\\caption{{All prices}}\nAfter.\n"

    assert quoted(after, latex_structure(after)).endswith("\\caption{All prices}\nAfter.")
    assert quoted(f"{SIMPLE}\nAfter.\n", rst(f"{SIMPLE}\nAfter.\n")).endswith("After.")


@pytest.mark.parametrize("name", ["verbatim", "comment"])
def test_tables_in_listings_and_comments_are_none(name: str) -> None:
    text = f"\\begin{{{name}}}\n{LATEX}\\end{{{name}}}\nAfter.\n"

    assert tables(latex_structure(text)) == []
    assert quoted(text, latex_structure(text)).endswith("After.")


def test_spanning_cells_of_latex_have_no_names() -> None:
    text = (
        "\\begin{tabular}{ll}\n\\multicolumn{2}{c}{Both} \\\\ \\hline\na & b \\\\\n\\end{tabular}"
    )

    [table] = tables(latex_structure(text))

    assert table.columns == ()


def test_two_sentences_are_one_cell() -> None:
    row = "It stands below a table.  It is text."

    assert [row[start:end] for start, end in cells(row)] == [row]


@pytest.mark.parametrize(
    ("attributes", "cells_of_table"),
    [
        ('[cols="3*", options="header"]', "|Item\n|Price\n|Unit\n|Lamp\n|3\n|piece"),
        ("[%header,cols=3*]", "|Item\n|Price\n|Unit\n|Lamp |3\n|piece"),
    ],
)
def test_the_columns_that_a_table_of_asciidoc_tells(attributes: str, cells_of_table: str) -> None:
    text = f"{attributes}\n|===\n{cells_of_table}\n|===\n"

    [table] = tables(asciidoc_structure(text))

    assert rendered(text, table) == ["Item: Lamp; Price: 3; Unit: piece"]


@pytest.mark.parametrize("row", ["2+|Lamp\n|3\n|piece", "|Lamp\n|3", "a|Lamp\n|3\n|x"])
def test_a_table_of_asciidoc_that_cannot_be_read_stays_text(row: str) -> None:
    text = f"[cols=3*]\n|===\n|Item\n|Price\n|Unit\n\n{row}\n|===\n"

    assert not tables(asciidoc_structure(text))
    assert "Lamp" in quoted(text, asciidoc_structure(text))
