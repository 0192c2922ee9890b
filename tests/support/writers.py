"""Files as real programs write them, made with the libraries that people use for it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from email.message import EmailMessage
from io import BytesIO
from typing import Any

import docx
import odfdo
import openpyxl
import pptx
from fpdf import FPDF
from pptx.util import Inches

PARAGRAPH = (
    "The Hydrographic Office of Brest published its first table of tides in 1839. "
    "It has been published every year since then."
)
CELLS = (("Port", "Height", "Time"), ("Brest", "6.1 m", "04:12"), ("Roscoff", "8.2 m", "05:01"))
LINES = ("Port: Brest; Height: 6.1 m; Time: 04:12", "Port: Roscoff; Height: 8.2 m; Time: 05:01")
"""Lines that the rows of CELLS become."""


def saved(document: Any) -> bytes:
    """Return the bytes that a document's `save` writes."""
    target = BytesIO()
    document.save(target)
    return target.getvalue()


def word(title: str = "Tides") -> bytes:
    """Return a Word document: title, heading, paragraph, list, table, page header."""
    document = docx.Document()
    document.core_properties.title = title
    document.add_heading("Tables", 1)
    document.add_paragraph(PARAGRAPH)
    for item in ("Spring tides", "Neap tides"):
        document.add_paragraph(item, style="List Bullet")
    document.add_heading("Ports", 2)
    table = document.add_table(0, 3)
    for cells in CELLS:
        for cell, text in zip(table.add_row().cells, cells, strict=True):
            cell.text = text
    document.sections[0].header.paragraphs[0].text = "Harbour office"
    return saved(document)


def slides() -> bytes:
    """Return a presentation: a slide with text, one with points, a table and notes."""
    presentation = pptx.Presentation()
    first = presentation.slides.add_slide(presentation.slide_layouts[0])
    first.shapes.title.text, first.placeholders[1].text = "Tides", PARAGRAPH
    second = presentation.slides.add_slide(presentation.slide_layouts[1])
    second.shapes.title.text, second.placeholders[1].text = "Ports", "Spring tides\nNeap tides"
    shape = second.shapes.add_table(3, 3, Inches(1), Inches(4), Inches(6), Inches(2))
    for row, cells in enumerate(CELLS):
        for column, text in enumerate(cells):
            shape.table.cell(row, column).text = text
    second.notes_slide.notes_text_frame.text = "Mention the lighthouse."
    return saved(presentation)


def workbook(sheets: Mapping[str, Iterable[Sequence[object]]]) -> bytes:
    """Return a spreadsheet of these sheets."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    return saved(book)


def opendocument() -> bytes:
    """Return an OpenDocument text: heading, paragraph, list, table."""
    document = odfdo.Document("text")
    document.meta.title = "Tides"
    body = document.body
    body.clear()
    body.append(odfdo.Header(1, "Tables"))
    body.append(odfdo.Paragraph(PARAGRAPH))
    body.append(odfdo.List(["Spring tides", "Neap tides"]))
    table = odfdo.Table("Ports", width=3, height=3)
    for row, cells in enumerate(CELLS):
        for column, text in enumerate(cells):
            table.set_value((column, row), text)
    body.append(table)
    return saved(document)


def pdf(
    pages: Sequence[Sequence[str]], *, header: str = "", password: str = "", title: str = ""
) -> bytes:
    """Return a PDF with these paragraphs on each page; "# " begins a heading."""

    class Paper(FPDF):
        def header(self) -> None:
            if header:
                self.set_font("Helvetica", size=9)
                self.cell(0, 10, header, new_x="LMARGIN", new_y="NEXT")

        def footer(self) -> None:
            if header:
                self.set_y(-15)
                self.cell(0, 10, f"Page {self.page_no()}", align="C")

    paper = Paper()
    paper.set_title(title)
    for paragraphs in pages:
        paper.add_page()
        for text in paragraphs:
            heading = text.startswith("# ")
            paper.set_font("Helvetica", "B" if heading else "", 16 if heading else 11)
            paper.multi_cell(0, 6, text.removeprefix("# "), new_x="LMARGIN", new_y="NEXT")
            paper.ln(4)
    if password:
        paper.set_encryption(owner_password=password + password, user_password=password)
    return bytes(paper.output())


def columns(left: Sequence[str], right: Sequence[str], heading: str = "") -> bytes:
    """Return a PDF of one page with lines in two columns.

    They are written line by line across both columns, as some programs do.
    """
    paper = FPDF()
    paper.add_page()
    paper.set_font("Helvetica", size=16)
    paper.text(20, 20, heading)
    paper.set_font("Helvetica", size=9)
    for at, (first, second) in enumerate(zip(left, right, strict=True)):
        paper.text(20, 30 + 5 * at, first)
        paper.text(110, 30 + 5 * at, second)
    return bytes(paper.output())


def picture() -> bytes:
    """Return a PDF that holds an image alone, as a scanner makes it."""
    from PIL import Image

    paper = FPDF()
    paper.add_page()
    paper.image(Image.new("L", (200, 100), 200), w=100)
    return bytes(paper.output())


def scan(text: bytes, *, pages: int = 1) -> bytes:
    """Return a PDF that holds images of another PDF's first page, as a scanner makes it."""
    import pypdfium2

    image = pypdfium2.PdfDocument(text)[0].render(scale=200 / 72).to_pil()
    paper = FPDF()
    for _ in range(pages):
        paper.add_page()
        paper.image(image, x=0, y=0, w=paper.w)
    return bytes(paper.output())


def joined(*parts: bytes) -> bytes:
    """Return a PDF with the pages of others."""
    from pypdfium2 import PdfDocument

    document = PdfDocument.new()
    for part in parts:
        document.import_pages(PdfDocument(part))
    return saved(document)


def archive(parts: Mapping[str, str | bytes]) -> bytes:
    """Return a zip container of these parts."""
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as container:
        for name, content in parts.items():
            container.writestr(name, content)
    return target.getvalue()


def book(chapters: Mapping[str, str]) -> bytes:
    """Return an EPUB with these XHTML bodies as chapters, in this order."""
    items = "".join(
        f'<item id="c{at}" href="{name}" media-type="application/xhtml+xml"/>'
        for at, name in enumerate(chapters)
    )
    spine = "".join(f'<itemref idref="c{at}"/>' for at in range(len(chapters)))
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0">'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<dc:title>Tides</dc:title><dc:date>2024-05-06</dc:date></metadata>"
        f"<manifest>{items}</manifest><spine>{spine}</spine></package>"
    )
    page = '<html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head><body>{}</body></html>'
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
        '<rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>'
    )
    pages = {f"OPS/{name}": page.format(body) for name, body in chapters.items()}
    return archive(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": container,
            "OPS/book.opf": package,
            **pages,
        }
    )


def mail(*, html: bool = False) -> bytes:
    """Return a mail with an attachment."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = (
        "Anna Berg <anna@example.org>",
        "port@example.org",
        "Tides in März",
    )
    message["Date"] = "Mon, 06 May 2024 10:00:00 +0200"
    message.set_content("plain text that the page replaces" if html else f"Hello,\n\n{PARAGRAPH}\n")
    if html:
        message.clear_content()
        message.set_content(f"<p>Hello,</p><p>{PARAGRAPH}</p>", subtype="html")
    table = "\n".join(",".join(row) for row in CELLS)
    message.add_attachment(table.encode(), maintype="text", subtype="csv", filename="heights.csv")
    return message.as_bytes()


def rich_text() -> bytes:
    """Return a file in Rich Text Format with a table."""
    rows = "".join(
        "\\trowd"
        + "".join(f"\\cellx{at}000" for at in (1, 2, 3))
        + "".join(f"{cell}\\cell " for cell in row)
        + "\\row\n"
        for row in CELLS
    )
    head = "{\\rtf1\\ansi{\\info{\\title Tides}}"
    tail = "\\pard Caf\\'e9 \\u8211? bar\\par}"
    return f"{head}\\pard {PARAGRAPH}\\par\n{rows}{tail}".encode()


def samples() -> dict[str, bytes]:
    """Return one file of each format by name, each with PARAGRAPH in it or the rows of CELLS."""
    return {
        "tides.pdf": pdf([["# Tables", PARAGRAPH]], title="Tides"),
        "tides.docx": word(),
        "tides.pptx": slides(),
        "tides.xlsx": workbook({"Ports": CELLS}),
        "tides.csv": "\n".join(map(";".join, CELLS)).encode(),
        "tides.html": f"<title>Tides</title><h1>Tables</h1><p>{PARAGRAPH}".encode(),
        "tides.epub": book({"one.xhtml": f"<h1>Tables</h1><p>{PARAGRAPH}</p>"}),
        "tides.odt": opendocument(),
        "tides.rtf": rich_text(),
        "tides.eml": mail(),
    }


def raw_pdf(*contents: str, characters: Mapping[str, str] | None = None) -> bytes:
    """Return a PDF with a page for each content stream, 612 by 792 points.

    Its font F1 is Helvetica. F2 is Times with a table that says of some letters that they stand for
    other `characters`, as the tables of embedded fonts do.
    """
    pairs = "\n".join(
        f"<{ord(code):02x}> <{character.encode('utf-16-be').hex()}>"
        for code, character in (characters or {}).items()
    )
    table = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /T def\n"
        "1 begincodespacerange <00> <ff> endcodespacerange\n"
        f"{len(characters or {})} beginbfchar\n{pairs}\nendbfchar endcmap end end"
    )
    font = "<< /Type /Font /Subtype /Type1 /Encoding /WinAnsiEncoding"
    numbers = range(6, 6 + 2 * len(contents), 2)
    kids = " ".join(f"{number} 0 R" for number in numbers)
    objects = {
        1: "<< /Type /Catalog /Pages 2 0 R >>",
        2: f"<< /Type /Pages /Kids [{kids}] /Count {len(contents)} >>",
        3: f"{font} /BaseFont /Helvetica >>",
        4: f"{font} /BaseFont /Times-Roman /ToUnicode 5 0 R >>",
        5: f"<< /Length {len(table)} >> stream\n{table}\nendstream",
    }
    for number, content in zip(numbers, contents, strict=True):
        objects[number] = (
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] "
            f"/Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> /Contents {number + 1} 0 R >>"
        )
        objects[number + 1] = f"<< /Length {len(content)} >> stream\n{content}\nendstream"
    return assembled_pdf(objects)


def assembled_pdf(objects: Mapping[int, str]) -> bytes:
    """Return a PDF of objects by their numbers, which have no gaps; the first is its catalogue."""
    data, offsets = "%PDF-1.4\n", []
    for number, body in sorted(objects.items()):
        offsets.append(len(data))
        data += f"{number} 0 obj\n{body}\nendobj\n"
    entries = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    trailer = f"trailer << /Size {len(offsets) + 1} /Root 1 0 R >>\nstartxref\n{len(data)}\n%%EOF"
    return f"{data}xref\n0 {len(offsets) + 1}\n0000000000 65535 f \n{entries}{trailer}".encode(
        "latin-1"
    )


def shown(text: str, x: float, y: float, *, font: str = "F1", size: float = 12) -> str:
    """Return the operators of a content stream that show a text at a place."""
    escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return f"BT /{font} {size} Tf {x} {y} Td ({escaped}) Tj ET\n"
