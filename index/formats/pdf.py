"""PDF (pypdfium2, BSD and Apache): text in reading order with page numbers, without running headers and footers, hyphenated words joined."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import regex

from index.days import day_in
from index.errors import DamagedFile, EncryptedFile, ExtractionLimit, ScannedFile
from index.formats.extracted import Extracted
from index.formats.pdf_composition import Composition
from index.formats.pdf_furniture import without_furniture
from index.formats.pdf_glyphs import segments
from index.formats.pdf_grids import Grids
from index.formats.pdf_layout import Line, lines_of, regions
from index.formats.pdf_rows import with_rows
from index.formats.pdf_rules import rules_of

MAX_PAGES = 20_000
RECOGNISE = "install tesseract and `pip install 'quoted-qa[ocr]'`, or run it through a program for text recognition first"

_JUNK_TITLE = regex.compile(
    r"(?i)(?:microsoft word|microsoft powerpoint|untitled|document\d*$|.*\.(?:docx?|dvi|tex|indd|qxd|pdf|pptx?|odt|xlsx?)$|\W*$)"
)
_DATE = regex.compile(r"D:(\d{4})(\d\d)(\d\d)")


def extract(data: bytes) -> Extracted:
    """The text of all pages. Raises EncryptedFile, DamagedFile, ScannedFile or ExtractionLimit."""
    document = opened(data)
    try:
        pages = [list(_page_regions(document, number)) for number in range(len(document))]
        images = [number + 1 for number, page in enumerate(pages) if not page and _has_image(document, number)]
        title, date = _properties(document)
        if not any(region for page in pages for region in page):
            raise ScannedFile(f"holds images of {len(document)} page{'s' if len(document) != 1 else ''} and no text: {RECOGNISE}")
    finally:
        document.close()
    kept = without_furniture(pages)
    if not any(kept):
        raise ScannedFile(f"holds no text but page numbers: {RECOGNISE}")
    return replace(Composition(kept, title).written(date), remark=_remark(images))


def _remark(images: Sequence[int]) -> str:
    """What is said of pages that hold images and no text."""
    runs = [[number for _, number in run] for _, run in groupby(enumerate(images), key=lambda each: each[1] - each[0])]
    named = ", ".join(f"{run[0]}" if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)
    return f"has images without text on page{'s' if len(images) > 1 else ''} {named}: {RECOGNISE}" if images else ""


def _has_image(document: Any, number: int) -> bool:  # noqa: ANN401
    import pypdfium2
    import pypdfium2.raw as pdfium

    try:
        return any(document[number].get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE]))
    except pypdfium2.PdfiumError:
        return False


def opened(data: bytes) -> Any:  # noqa: ANN401 - pypdfium2 is not typed
    """The document, to be closed; raises EncryptedFile, DamagedFile or ExtractionLimit."""
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
        count = len(document)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise EncryptedFile("is a PDF with a password: save it without one") from error
        raise DamagedFile(f"expected a PDF, got one that cannot be opened ({error}): open and save it again") from error
    if count > MAX_PAGES:
        raise ExtractionLimit(f"has {count:,} pages, the limit is {MAX_PAGES:,}: split it")
    return document


def _properties(document: Any) -> tuple[str | None, str | None]:  # noqa: ANN401
    found = document.get_metadata_dict()
    day = _DATE.match(found.get("ModDate") or found.get("CreationDate") or "")
    title = found.get("Title") or ""
    return (None if _JUNK_TITLE.match(title) else title), (day_in("-".join(day.groups())) if day else None)


def _page_regions(document: Any, number: int) -> Iterator[list[Line]]:  # noqa: ANN401
    import pypdfium2

    try:
        page = document[number]
        found = list(page_regions(page, number + 1))
        page.close()
    except pypdfium2.PdfiumError:  # one page that is damaged; the others can be read
        return
    yield from found


def page_regions(page: Any, number: int) -> Iterator[list[Line]]:  # noqa: ANN401
    """The lines of each region of a page in reading order, those of tables put together to rows; raises pypdfium2.PdfiumError."""
    rules = rules_of(page)
    grids = Grids(rules)
    for region in regions(grids.with_rows(segments(page, grids.cell))):
        yield with_rows(lines_of(region, number), [*rules.level, *rules.shades])
