"""Write the same five tables as PDF with every installed program, in up to 32 files.

    python benchmarks/pdf_files.py DIR

Uses those of these that are installed: chromium, LibreOffice (soffice) with python-docx, LaTeX
(pdflatex), groff, and from pip weasyprint, reportlab, typst, fpdf2.

The tables: 5 rows with cells of several lines and an empty one, 8 rows of numbers, 5 rows of text
over several lines, 4 terms with their meaning, 60 members of staff over several pages. Each is
written ruled, ruled between rows only, with shaded rows, or without any line, as the program can.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

Table = list[list[str]]
# Each row of these texts is a row of a table; a backslash continues it on the next line.
BERTHS = """Berth|Description|Depth|Rate per day
North 1|For container vessels with a length of up to three hundred metres, with two cranes and \
shore power|14 m|4,200
North 2|Ferries||1,150
South|Bulk carriers, only by day, when a pilot is on board and the wind stays below twelve metres \
a second|11 m|2,900 plus pilot and tugs as needed
Old basin|Fishing boats|4 m|80
Outer pier|Tankers that have been declared free of gas by the chemist of the port, and no others \
at any time of the year|16 m|6,750"""
RULES = """Situation|What to do|Whom to call
A container has fallen into the water|Close the gate, switch on the red light and wait until the \
diver has come; nobody goes near|The harbour master by radio
Smoke in the warehouse|Leave the building at once by the nearest door|Fire brigade
Oil on the water|Lay out the boom that lies in shed four, then note the time and the direction of \
the wind|The coast guard, day and night
A visitor is lost|Ask at the gate|Reception
The power has failed|Start the second generator by hand as its plate says, and take the lifts out \
of service for ten minutes|Electrician on duty"""
TERMS = """Term|Meaning
Demurrage|What is paid for a ship that lies longer in the port than the contract between the owner \
and the shipper allows for loading
Fairway|The part of a river in which ships can go
Lay time|The days that a ship may lie in port to be loaded or unloaded without anything more to \
pay for it, counted from the notice
Draught|How deep a ship lies in the water"""
NAMES = (
    "Anna Berg",
    "Tom Falk",
    "Ida Holm",
    "Per Lund",
    "Eva Dahl",
    "Max Roth",
    "Lea Kern",
    "Jan Vos",
    "Kai Brand",
    "Nora Stein",
)
CHANCE = Random(5)
FIGURES = [["Year", "Revenue", "Costs", "Profit", "Staff"]] + [
    [
        str(2015 + at),
        *(f"{CHANCE.randint(1, 900)}.{CHANCE.randint(0, 9)}" for _ in range(3)),
        f"{CHANCE.randint(1000, 9999):,}",
    ]
    for at in range(8)
]
STAFF = [["Number", "Name", "Grade", "Hired"]] + [
    [
        str(1001 + at),
        f"{NAMES[at % 10]} {'ABCDEF'[at // 10]}",
        CHANCE.choice("ABC"),
        f"{CHANCE.randint(1, 28)}.5.20{at % 26:02}",
    ]
    for at in range(60)
]
TABLES: list[Table] = [
    *([line.split("|") for line in text.split("\n")] for text in (BERTHS, RULES, TERMS)),
    FIGURES,
    STAFF,
]
TITLES = (
    "Rates of the harbour",
    "When something goes wrong",
    "Terms of the trade",
    "Figures of the company",
    "Members of the staff",
)
PROSE = (
    "What follows holds for everybody who works in the port, and also for visitors "
    "and for the crews of the ships that lie there."
)
CSS = {
    "grid": "td,th{border:1px solid #777}",
    "tight": "td,th{border:1px solid #777;padding:1px !important;vertical-align:middle}",
    "rows": "td,th{border-bottom:1px solid #aaa}",
    "book": "table{border-top:2px solid;border-bottom:2px solid} thead th{border-bottom:1px solid}",
    "shaded": "tr:nth-child(even) td{background:#eee} th{background:#246;color:#fff}",
    "none": "",
}


def web_page(style: str) -> str:
    """Return all tables as HTML."""
    rows = [
        [f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in table[1:]]
        for table in TABLES
    ]
    heads = [
        f"<thead><tr>{''.join(f'<th>{name}</th>' for name in table[0])}</tr></thead>"
        for table in TABLES
    ]
    parts = zip(TITLES, heads, rows, strict=True)
    body = "".join(
        f"<h2>{title}</h2><p>{PROSE}<table>{head}<tbody>{''.join(row)}</table><p>{PROSE}"
        for title, head, row in parts
    )
    shape = (
        "body{font:10.5pt serif} table{border-collapse:collapse;width:100%} "
        "td,th{padding:4px 6px;vertical-align:top;text-align:left}"
    )
    sheet = f"@page{{margin:2cm}} {shape} {CSS[style]}"
    return f"<html><meta charset=utf-8><style>{sheet}</style><body>{body}</body></html>"


def by_chromium(folder: Path) -> None:
    """Write printed web pages."""
    quiet = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--no-pdf-header-footer",
    ]
    for style in CSS:
        page = folder / f"{style}.html"
        page.write_text(web_page(style))
        ran(["chromium", *quiet, f"--print-to-pdf={folder}/chromium-{style}.pdf", str(page)])
        page.unlink()


def by_weasyprint(folder: Path) -> None:
    """Write the same web pages with WeasyPrint."""
    import weasyprint

    for style in CSS:
        weasyprint.HTML(string=web_page(style)).write_pdf(folder / f"weasyprint-{style}.pdf")


def by_libreoffice(folder: Path) -> None:
    """Write Word documents converted by LibreOffice."""
    import docx

    for name, style in (
        ("grid", "Table Grid"),
        ("none", "Normal Table"),
        ("list", "Light List Accent 1"),
    ):
        document = docx.Document()
        for title, rows in zip(TITLES, TABLES, strict=True):
            document.add_heading(title, 1)
            document.add_paragraph(PROSE)
            table = document.add_table(len(rows), len(rows[0]), style=style)
            for at, row in enumerate(rows):
                for column, cell in enumerate(row):
                    table.cell(at, column).text = cell
            document.add_paragraph(PROSE)
        target = folder / f"libreoffice-{name}.docx"
        document.save(str(target))
        ran(["soffice", "--headless", "--convert-to", "pdf", "--outdir", str(folder), str(target)])
        target.unlink()


def by_reportlab(folder: Path) -> None:
    """Write ReportLab's tables."""
    from reportlab.lib import colors
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Table, TableStyle

    text, whole = getSampleStyleSheet()["BodyText"], ((0, 0), (-1, -1))
    shades = [colors.white, colors.lightgrey]
    styles = {
        "grid": ("GRID", 0.5),
        "rows": ("LINEBELOW", 0.5),
        "shaded": ("ROWBACKGROUNDS", shades),
        "none": None,
    }
    for name, drawn in styles.items():
        more = (
            [(drawn[0], *whole, drawn[1], *([] if name == "shaded" else [colors.grey]))]
            if drawn
            else []
        )
        style = TableStyle([("VALIGN", *whole, "TOP"), *more])
        story = []
        for title, rows in zip(TITLES, TABLES, strict=True):
            cells = [[Paragraph(cell, text) for cell in row] for row in rows]
            table = Table(
                cells, colWidths=[470 / len(rows[0])] * len(rows[0]), style=style, repeatRows=1
            )
            story += [Paragraph(title, text), Paragraph(PROSE, text), table, Paragraph(PROSE, text)]
        SimpleDocTemplate(str(folder / f"reportlab-{name}.pdf")).build(story)


def by_typst(folder: Path) -> None:
    """Write Typst's tables."""
    import typst

    shades = "stroke: none, fill: (_, y) => if calc.odd(y) { luma(230) },"
    for name, style in (
        ("grid", ""),
        ("rows", "stroke: (bottom: 0.5pt),"),
        ("none", "stroke: none,"),
        ("shaded", shades),
    ):
        source = "#set page(margin: 2cm)\n#set text(10.5pt)\n"
        for title, rows in zip(TITLES, TABLES, strict=True):
            head = ",".join(f"[*{cell}*]" for cell in rows[0])
            body = ",".join(f"[{cell}]" for row in rows[1:] for cell in row)
            columns = f"columns: ({'1fr,' * len(rows[0])})"
            table = f"#table({columns}, {style} table.header({head}), {body})"
            source += f"= {title}\n{PROSE}\n\n{table}\n{PROSE}\n"
        (folder / f"typst-{name}.pdf").write_bytes(typst.compile(source.encode()))


def by_fpdf2(folder: Path) -> None:
    """Write fpdf2's tables, whose cells are centred vertically and stand close together."""
    from fpdf import FPDF

    layouts = {
        "grid": "ALL",
        "rows": "HORIZONTAL_LINES",
        "none": "NONE",
        "book": "SINGLE_TOP_LINE",
        "minimal": "MINIMAL",
    }
    for name, layout in layouts.items():
        paper = FPDF()
        paper.add_page()
        paper.set_font("Helvetica", size=11)
        for title, rows in zip(TITLES, TABLES, strict=True):
            paper.multi_cell(0, 6, f"{title}\n{PROSE}\n\n", new_x="LMARGIN", new_y="NEXT")
            with paper.table(borders_layout=layout, line_height=6) as table:
                for row in rows:
                    table.row(row)
            paper.multi_cell(0, 6, f"\n{PROSE}\n", new_x="LMARGIN", new_y="NEXT")
        paper.output(str(folder / f"fpdf2-{name}.pdf"))


def by_latex(folder: Path) -> None:
    """Write LaTeX's longtable with lines, and with those of booktabs."""
    for name in ("grid", "book"):
        lined = name == "grid"
        top, middle, bottom = (
            (r"\hline",) * 3 if lined else (r"\toprule", r"\midrule", r"\bottomrule")
        )
        source = (
            r"\documentclass{article}\usepackage{booktabs,longtable,array,geometry}"
            r"\geometry{margin=2cm}\begin{document}"
        )
        for title, rows in zip(TITLES, TABLES, strict=True):
            column = f">{{\\raggedright\\arraybackslash}}p{{{0.85 / len(rows[0]):.2f}\\textwidth}}"
            shape = "|".join(["", *[column] * len(rows[0]), ""]) if lined else column * len(rows[0])
            body = (r"\\ \hline " if lined else r"\\ ").join(" & ".join(row) for row in rows[1:])
            head = f"{top} {' & '.join(rows[0])} \\\\ {middle} \\endhead"
            table = f"\\begin{{longtable}}{{{shape}}}{head} {body} \\\\ {bottom}\\end{{longtable}}"
            source += f"\\section*{{{title}}}{PROSE}\n\n{table}{PROSE}\n\n"
        (folder / "t.tex").write_text(source + r"\end{document}")
        for _ in range(3):  # longtable finds its widths in the third run
            ran(
                [
                    "pdflatex",
                    "-interaction=batchmode",
                    "-output-directory",
                    str(folder),
                    str(folder / "t.tex"),
                ]
            )
        (folder / "t.pdf").rename(folder / f"latex-{name}.pdf")
        for suffix in ("tex", "aux", "log"):
            (folder / f"t.{suffix}").unlink()


def by_groff(folder: Path) -> None:
    """Write groff's tbl."""
    for name in ("grid", "none"):
        source = ""
        for title, rows in zip(TITLES, TABLES, strict=True):
            table = tbl_source(rows, "allbox " if name == "grid" else "")
            source += f".SH\n{title}\n.PP\n{PROSE}\n{table}\n.PP\n{PROSE}\n"
        command = ["groff", "-t", "-ms", "-Tpdf"]
        done = subprocess.run(command, input=source.encode(), capture_output=True, check=True)
        (folder / f"groff-{name}.pdf").write_bytes(done.stdout)


def tbl_source(rows: Table, box: str) -> str:
    """Return a table in the language of tbl, whose long cells are text blocks."""
    cells = [[f"T{{\n{cell}\nT}}" if len(cell) > 20 else cell for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    shape = " ".join("lx" if width > 20 else "l" for width in widths)
    lines = ["@".join(cells[0]), ".TH", *("@".join(row) for row in cells[1:])]
    return f".TS H\n{box}tab(@);\n{shape}.\n" + "\n".join(lines) + "\n.TE"


def ran(command: list[str]) -> None:
    """Run a program and ignore its output; raise CalledProcessError if it fails."""
    subprocess.run(command, check=True, capture_output=True)


WRITERS: tuple[Callable[[Path], None], ...] = (
    by_chromium, by_weasyprint, by_libreoffice, by_reportlab,
    by_typst, by_fpdf2, by_latex, by_groff,
)  # fmt: skip


def write(folder: Path) -> None:
    """Let every program that is installed write its files."""
    folder.mkdir(parents=True, exist_ok=True)
    for writer in WRITERS:
        try:
            writer(folder)
        except (ImportError, OSError, subprocess.CalledProcessError) as error:
            print(f"{writer.__name__}: not installed, or failed: {error}", file=sys.stderr)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    write(parser.parse_args().folder)
