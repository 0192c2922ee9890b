"""Files by real writers of every format become documents with all their parts."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from index.document import Document
from index.errors import EncryptedFile, LoadingError
from index.formats import epub, html, rtf
from index.formats.detection import KINDS, SUFFIXES
from index.formats.mail import eml
from index.formats.mail.eml import ATTACHMENT_SECONDS
from index.formats.mail.eml import extract as extract_mail
from index.formats.office import docx, odt, pptx
from index.formats.office import spreadsheet as sheets
from index.formats.text_builder import ExtractedText
from index.parsing.loader import load
from index.parsing.sandbox import Extraction
from index.parsing.sandbox_worker import extract as extract_any
from index.text.structure import content_blocks
from index.text.text_formats import STRUCTURES
from tests.index.formats.test_text_builder import assert_sound
from tests.support.quoting import quotable_lines
from tests.support.writers import (
    CELLS,
    LINES,
    PARAGRAPH,
    archive,
    book,
    mail,
    opendocument,
    pdf,
    rich_text,
    samples,
    slides,
    word,
    workbook,
)


def parts(extracted: ExtractedText | Document) -> list[tuple[str, str]]:
    """Return (innermost heading, text without its first mark) of each block of content."""
    return [
        ((block.headings or ("",))[-1], extracted.text[block.units[0][0] : block.end])
        for block in content_blocks(extracted.blocks)
    ]


@pytest.fixture(scope="module")
def extraction() -> Iterator[Extraction]:
    with Extraction() as process:
        yield process


@pytest.mark.parametrize("name", samples())
def test_every_format_becomes_a_document_that_can_be_quoted(
    tmp_path: Path, extraction: Extraction, name: str
) -> None:
    (tmp_path / name).write_bytes(samples()[name])

    document = load(tmp_path / name, tmp_path, extract=extraction)
    again = load(tmp_path / name, tmp_path)

    assert document == again, "the same bytes give the same text, in any process"
    assert_sound(ExtractedText(document.text, document.blocks, places=document.places))
    assert PARAGRAPH in document.text or all(line in document.text for line in LINES)
    assert document.source.extractor.startswith(
        next(kind.name for kind in KINDS.values() if f".{name[6:]}" in kind.suffixes) + "/"
    )
    assert document.title.lower().startswith("tides")
    known = (document.source.sha256, document.source.extractor)
    assert load(tmp_path / name, tmp_path, known=known, extract=extraction) is None
    assert (
        load(
            tmp_path / name, tmp_path, known=(document.source.sha256, "older/1"), extract=extraction
        )
        == document
    )


def test_word() -> None:
    extracted = docx.extract(word())

    assert parts(extracted) == [
        ("Tables", PARAGRAPH),
        ("Tables", "Spring tides\n- Neap tides"),
        *(("Ports", line) for line in LINES),
        ("Tides", "Harbour office"),
    ]
    assert (extracted.title, extracted.date) == ("Tides", None), (
        "the date is that of python-docx's template"
    )


def _word_with(body: str) -> bytes:
    from io import BytesIO
    from zipfile import ZipFile

    with ZipFile(BytesIO(word())) as container:
        files = {name: container.read(name) for name in container.namelist()}
    before, _, rest = files["word/document.xml"].decode().partition("<w:body>")
    files["word/document.xml"] = (
        f"{before}<w:body>{body}<w:sectPr{rest.rpartition('<w:sectPr')[2]}".encode()
    )
    return archive(files)


def test_word_reads_insertions_controls_and_boxes_and_no_deletions() -> None:
    body = (
        "<w:sdt><w:sdtContent><w:p><w:r><w:t>In a control.</w:t></w:r></w:p></w:sdtContent></w:sdt>"
        "<w:p><w:r><w:t xml:space='preserve'>Kept </w:t></w:r>"
        "<w:ins><w:r><w:t>new</w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText>old</w:delText></w:r></w:del>"
        "<w:r><w:tab/><w:t>tab</w:t><w:br/><w:t>line</w:t>"
        "<w:instrText>PAGE</w:instrText></w:r></w:p>"
        "<w:p><w:r><w:pict><w:txbxContent><w:p><w:r><w:t>In a box.</w:t></w:r></w:p>"
        "</w:txbxContent></w:pict></w:r></w:p>"
    )

    assert [text for _, text in parts(docx.extract(_word_with(body)))][:3] == [
        "In a control.",
        "Kept new tab\nline",
        "In a box.",
    ]


def test_presentations() -> None:
    extracted = pptx.extract(slides())

    assert parts(extracted) == [
        ("Tides", PARAGRAPH),
        ("Ports", "Spring tides\n- Neap tides"),
        *(("Ports", line) for line in LINES),
        ("Notes", "Mention the lighthouse."),
    ]
    assert [
        str(extracted.places.at(extracted.text.index(word)))
        for word in ("Hydrographic", "lighthouse")
    ] == ["slide 1", "slide 2"]


def test_workbooks() -> None:
    from datetime import date, datetime

    extracted = sheets.extract_workbook(
        workbook(
            {
                "Prices": [
                    ("Prices", None, None),
                    (),
                    ("Item", "Price", "Since"),
                    ("Lamp", 39.9, date(2024, 5, 6)),
                    ("Desk", 120.0, datetime.fromisoformat("2024-05-07T08:30")),
                ],
                "Ports": CELLS,
            }
        )
    )

    assert parts(extracted) == [
        ("Prices", "Prices"),
        ("Prices", "Item: Lamp; Price: 39.9; Since: 2024-05-06"),
        ("Prices", "Item: Desk; Price: 120; Since: 2024-05-07 08:30"),
        *(("Ports", line) for line in LINES),
    ]
    assert [
        str(extracted.places.at(extracted.text.index(word))) for word in ("Lamp", "Desk", "Roscoff")
    ] == [
        "sheet Prices, row 4",
        "sheet Prices, row 5",
        "sheet Ports, row 3",
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_tables_with_any_delimiter(delimiter: str) -> None:
    text = "\r\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in CELLS)

    extracted = sheets.extract_csv(text.encode("utf-16"))

    assert extracted.text == "\n".join([" | ".join(CELLS[0]), *LINES])
    assert quotable_lines(extracted) == list(LINES)
    assert (str(extracted.places.at(len(extracted.text) - 1)), extracted.encoding) == (
        "row 3",
        "utf-16-le",
    )


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("# made 1 May, by Ann\n#\nItem,Price\nPump,480\n", ["# made 1 May, by Ann", "#"]),
        ("# a, b\nItem,Price\nPump,480\n", ["# a, b"]),
        ("Item,Price\nPump,480\n", []),
        ("'Item','Price'\n'Pump','480'\n", []),
        ("#Item,Price\nPump,480\n", None),
    ],
)
def test_comments_before_a_table_and_single_quotes(text: str, lines: list[str] | None) -> None:
    found = sheets.extract_csv(text.encode()).text.splitlines()

    if lines is None:
        assert found == ["#Item: Price", "#Item: Pump; Price: 480"]
    else:
        assert found == [*lines, "Item: Price", "Item: Pump; Price: 480"]


def test_a_delimiter_inside_the_cells_of_a_column_is_none_of_the_table() -> None:
    text = "Name,Tags\nPump,a;b;c\nHose,d;e;f\nValve,g;h;i\n"

    assert "Name: Hose; Tags: d;e;f" in sheets.extract_csv(text.encode()).text


def test_cells_may_hold_lines_and_delimiters() -> None:
    extracted = sheets.extract_csv(b'Item,Note\nLamp,"two\nlines, one cell"\n')

    assert quotable_lines(extracted) == ["Item: Lamp; Note: two lines, one cell"]


def test_opendocument() -> None:
    assert parts(odt.extract(opendocument())) == [
        ("Tables", PARAGRAPH),
        ("Tables", "Spring tides\n- Neap tides"),
        *(("Tables", line) for line in LINES),
    ]


def test_books_are_read_in_the_order_of_their_spine() -> None:
    extracted = epub.extract(
        book(
            {
                "z.xhtml": "<h1>One</h1><p>First&#160;text.</p>",
                "a.xhtml": "<h1>Two</h1><p>Second &nbsp; text.<br>More.</p>",
            }
        )
    )

    assert parts(extracted) == [("One", "First text."), ("Two", "Second text.\nMore.")]
    assert (extracted.title, extracted.date) == ("Tides", "2024-05-06")


def test_rich_text() -> None:
    assert parts(rtf.extract(rich_text())) == [
        ("Tides", PARAGRAPH),
        *(("Tides", line) for line in LINES),
        ("Tides", "Café – bar"),
    ]


@pytest.mark.parametrize("is_page", [False, True])
def test_mails(is_page: bool) -> None:  # noqa: FBT001
    extracted = extract_any("eml", mail(html=is_page))

    head, *rest = [text for _, text in parts(extracted)]
    assert head.startswith("From: Anna Berg <anna@example.org>\nTo: port@example.org\n")
    assert rest == ["Hello,", PARAGRAPH, *LINES]
    assert (extracted.title, extracted.date) == ("Tides in März", "2024-05-06")
    assert extracted.remark == ""
    assert extracted.blocks[-1].headings == ("Tides in März", "Attached: heights.csv")
    assert str(extracted.places.at(extracted.text.index("Roscoff"))) == "row 3"


def test_attachments_keep_their_places_and_those_that_cannot_be_read_are_named() -> None:
    message = EmailMessage()
    message["From"], message["Subject"] = "anna@example.org", "Files"
    message.set_content("See below.")
    message.add_attachment(
        pdf([["First page."], ["# Depth", "Second page, fourteen metres."]]),
        maintype="application",
        subtype="pdf",
        filename="plan.pdf",
    )
    message.add_attachment(
        b"%PDF-1.7 broken", maintype="application", subtype="pdf", filename="broken.pdf"
    )
    message.add_attachment(
        b"MZ\x90", maintype="application", subtype="octet-stream", filename="setup.exe"
    )
    message.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="logo.png")
    message.add_attachment("Bring boots.", filename="note.txt")
    extracted = extract_any("eml", message.as_bytes())

    assert [text for _, text in parts(extracted)][1:] == [
        "See below.",
        "First page.",
        "Second page, fourteen metres.",
        "Bring boots.",
    ]
    assert next(content_blocks(extracted.blocks[5:])).headings == (
        "Files",
        "Attached: plan.pdf",
        "Depth",
    )
    assert [
        str(extracted.places.at(extracted.text.index(word)))
        for word in ("See", "First", "fourteen", "boots")
    ] == [
        "",
        "page 1",
        "page 2",
        "",
    ]
    assert extracted.remark.startswith(
        "has attachments that are not read, or not whole: broken.pdf expected a "
    )
    assert extracted.remark.endswith("; setup.exe has a format that is not read")
    assert_sound(extracted)


def multipart(kind: str, *parts: bytes) -> bytes:
    """Return a multipart part with the given parts in it."""
    bound = f"b{len(b''.join(parts))}".encode()
    inside = b"".join(b"--" + bound + b"\n" + part + b"\n" for part in parts)
    return (
        b"Content-Type: multipart/"
        + kind.encode()
        + b"; boundary="
        + bound
        + b"\n\n"
        + inside
        + b"--"
        + bound
        + b"--\n"
    )


TEXT, PAGE = b"Content-Type: text/plain\n\n", b"Content-Type: text/html\n\n"
LIST = (
    b"Content-Type: text/csv; name=rates.csv\n"
    b"Content-Disposition: inline; filename=rates.csv\n\n"
    b"Item,Price\nLamp,39.90\n"
)


@pytest.mark.parametrize(
    ("mail", "shown"),
    [
        (
            multipart("mixed", multipart("mixed", TEXT + b"Hello.", LIST), TEXT + b"The footer."),
            ["Hello.", "Item: Lamp; Price: 39.90", "The footer."],
        ),
        (
            multipart("mixed", TEXT + b"Before.", LIST, TEXT + b"After."),
            ["Before.", "Item: Lamp; Price: 39.90", "After."],
        ),
        (
            multipart(
                "alternative",
                TEXT + b"Hello.",
                multipart("mixed", PAGE + b"<p>Hello.", LIST, PAGE + b"<p>Bye."),
            ),
            ["Hello.", "Item: Lamp; Price: 39.90"],
        ),
        (
            multipart(
                "mixed", multipart("alternative", TEXT + b"Hello.", PAGE + b"<p>Hello."), LIST
            ),
            ["Hello.", "Item: Lamp; Price: 39.90"],
        ),
    ],
)
def test_parts_of_mails_inside_each_other(mail: bytes, shown: list[str]) -> None:
    extracted = extract_any("eml", b"From: anna@example.org\nMIME-Version: 1.0\n" + mail)

    assert [text for _, text in parts(extracted)][1:] == shown
    assert extracted.remark == ""
    assert_sound(extracted)


def test_the_remark_repeats_those_of_attachments() -> None:
    inner = EmailMessage()
    inner["From"] = "tom@example.org"
    inner.set_content("See below.")
    inner.add_attachment(
        b"MZ\x90", maintype="application", subtype="octet-stream", filename="setup.exe"
    )

    def read(name: str, data: bytes) -> ExtractedText:
        return ExtractedText(name, (), remark=f"has {len(data)} bytes")

    assert (
        eml.extract(inner.as_bytes(), read).remark
        == "has attachments that are not read, or not whole: setup.exe has 3 bytes"
    )


def test_a_suffix_names_a_text_or_another_format() -> None:
    assert not set(STRUCTURES) & set(SUFFIXES)


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("utf-8", "utf-8"),
        ("iso-8859-1", "cp1252"),
        ("windows-1251", "cp1251"),
        ("shift_jis", "cp932"),
    ],
)
def test_pages_are_decoded_as_they_declare(name: str, encoding: str) -> None:
    text = {"cp1251": "Прилив", "cp932": "潮汐"}.get(
        encoding, "Marée “haute”" if encoding == "cp1252" else "潮 Marée"
    )

    extracted = html.extract(
        f"<html><head><meta charset='{name}'></head><body><p>{text}</p></body></html>".encode(
            encoding
        )
    )

    assert extracted.text == text


PAGE = f"""<!doctype html><html><head><title>Tides - Port</title>
<meta property="article:modified_time" content="2024-05-06T10:00"></head><body>
<nav><ul><li><a href="/">Home</a></ul></nav><header><p>Slogan</p></header>
<div class="sidebar"><p>Related pages</p></div><div id="cookie-banner">We use cookies</div>
<main><h1>Tables</h1><p>{PARAGRAPH}<script>var x = "<p>no</p>";</script>
<p style="display: none">Hidden<p hidden>Hidden
<table><caption>Ports</caption><thead><tr>{"".join(f"<th>{cell}" for cell in CELLS[0])}</thead>
{"".join("<tr>" + "".join(f"<td>{cell}" for cell in row) for row in CELLS[1:])}</table>
<ul><li>Spring<ul><li>after full moon</ul><li>Neap</ul>
<dl><dt>Ebb<dd>Falling water<dt>Flood<dd>Rising water</dl>
<pre>line 1
  line 2</pre></main><footer>Imprint</footer></body></html>"""


def test_pages_without_their_menus() -> None:
    extracted = html.extract(PAGE.encode())

    assert [text for _, text in parts(extracted)] == [
        PARAGRAPH,
        "Ports",
        *LINES,
        "Spring\n- after full moon\n- Neap",
        "Ebb: Falling water",
        "Flood: Rising water",
        "line 1\nline 2",
    ]
    assert (extracted.title, extracted.date, parts(extracted)[0][0]) == (
        "Tides - Port",
        "2024-05-06",
        "Tables",
    )


def test_a_page_that_is_all_menu_is_read_whole() -> None:
    assert (
        "Home"
        in html.extract(b"<body><nav><a href=/>Home is where the tide is</a></nav></body>").text
    )


@pytest.mark.parametrize(
    ("extract", "data"),
    [
        (
            odt.extract,
            archive({"META-INF/manifest.xml": "<m><encryption-data/></m>", "content.xml": "x"}),
        ),
        (
            epub.extract,
            archive(
                {
                    "META-INF/encryption.xml": '<e xmlns:x="y">'
                    '<x:EncryptionMethod Algorithm="aes"/></e>'
                }
            ),
        ),
    ],
)
def test_encrypted_files_are_refused(extract: object, data: bytes) -> None:
    with pytest.raises(EncryptedFile, match=r"password|rights"):
        extract(data)  # type: ignore[operator]


def test_the_signature_outweighs_the_suffix(tmp_path: Path, extraction: Extraction) -> None:
    files = samples()
    for name, other in (
        ("a.txt", "tides.pdf"),
        ("b.pdf", "tides.docx"),
        ("c.docx", "tides.html"),
        ("d.xls", "tides.xlsx"),
        ("e.doc.rtf", "tides.odt"),
    ):
        (tmp_path / name).write_bytes(
            files[other] if other != "tides.html" else b"<!DOCTYPE html>" + files[other]
        )

        extracted = load(tmp_path / name, tmp_path, extract=extraction)

        assert (
            extracted.source.extractor
            == KINDS[{"xlsx": "sheet"}.get(other[6:], other[6:])].extractor
        )


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.txt", archive({"a.bin": "x"}), "zip archive"),
        (
            "a.docx",
            bytes.fromhex("d0cf11e0a1b11ae1") + "EncryptedPackage".encode("utf-16-le"),
            "password",
        ),
        (
            "a.docx",
            bytes.fromhex("d0cf11e0a1b11ae1") + "WordDocument".encode("utf-16-le"),
            "old Office file",
        ),
        ("a.docx", b"", "truncated"),
        ("a.rtf", b"plain", "Rich Text"),
        ("a.eml", b"\n\nno headers", "headers"),
        ("a.html", b"", "no element"),
        ("a.csv", b"\n\n", "no text"),
    ],
)
def test_files_that_are_not_what_their_suffix_says_are_refused(
    tmp_path: Path, extraction: Extraction, name: str, data: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(data)

    with pytest.raises(LoadingError, match=message):
        load(tmp_path / name, tmp_path, extract=extraction)


def test_slow_attachments_do_not_cost_the_text_of_a_mail() -> None:
    message = EmailMessage()
    message["From"] = "anna@example.org"
    message.set_content("See below.")
    for name in ("one.txt", "two.txt"):
        message.add_attachment("Bring boots.", filename=name)
    seconds = iter((0.0, ATTACHMENT_SECONDS - 1, ATTACHMENT_SECONDS + 1))

    extracted = extract_mail(
        message.as_bytes(), lambda _, data: extract_any("html", data), lambda: next(seconds)
    )

    assert [text for _, text in parts(extracted)][1:] == ["See below.", "Bring boots."]
    assert extracted.remark.endswith("two.txt is left out, as those before it took too long")


@pytest.mark.parametrize(
    ("footer", "is_content"),
    [
        ("<p>Last change: 3 August by Ann Bell, facilities.</p>", True),
        ("<p>© Acme. All rights reserved by Acme.</p>", False),
        ("<a>A</a> <a>B</a> <a>C</a> <a>D</a> We are here for you.", False),
        ("<p>Imprint</p>", False),
    ],
)
def test_a_footer_that_says_something_stands_under_no_heading(
    footer: str, *, is_content: bool
) -> None:
    page = f"<h1>Keys</h1><p>{PARAGRAPH}</p><footer>{footer}</footer>"

    extracted = html.extract(page.encode())

    assert ("Ann Bell" in extracted.text) == is_content
    assert (extracted.blocks[-1].headings == ()) == is_content
