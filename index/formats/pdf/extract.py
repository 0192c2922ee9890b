"""PDF (pypdfium2, BSD and Apache): text in reading order with page numbers, without running headers
and footers, hyphenated words joined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import regex

from index.errors import (
    DamagedFile,
    EmptyFile,
    EncryptedFile,
    ExtractionLimit,
    LoadingError,
    ScannedFile,
    UnsupportedFormat,
)
from index.formats import ocr
from index.formats.pdf.assembly import Composition
from index.formats.pdf.borderless_tables import merge_rows
from index.formats.pdf.forms import FormPage, form_page_of, is_xfa_placeholder, load_form
from index.formats.pdf.glyphs import rotation_of, segments
from index.formats.pdf.reading_order import Line, lines_of, regions
from index.formats.pdf.ruled_tables import RuledTables
from index.formats.pdf.ruling_lines import rules_of
from index.formats.pdf.running_headers import remove_running_headers
from index.formats.pdf.scanned_pages import RECOGNISE, is_pictured, recognised, remark
from index.formats.text_builder import ExtractedText
from index.text.metadata import day_in

MAX_PAGES = 20_000
PRINT = "print it to a PDF"

_JUNK_TITLE = regex.compile(
    r"(?i)(?:microsoft word|microsoft powerpoint|untitled|document\d*$|.*\.(?:docx?|dvi|tex|indd|qxd|pdf|pptx?|odt|xlsx?)$|\W*$)"
)
_DATE = regex.compile(r"D:(\d{4})(\d\d)(\d\d)")


def extract(data: bytes, more_time: Callable[[int], None] | None = None) -> ExtractedText:
    """The text of all pages; those that are images are recognised if `more_time` is there to hear
    for how many seconds. Raises EncryptedFile, DamagedFile, ScannedFile, EmptyFile or
    ExtractionLimit.
    """
    document = opened(data)
    try:
        if is_xfa_placeholder(document):
            raise UnsupportedFormat(
                f"is a form in Adobe's XFA alone, which only Adobe's programs show: open it there, {PRINT}, and index that"
            )
        read = [_page(document, number) for number in range(len(document))]
        pages = [page.regions for page in read]
        textless = not any(pages)
        images = [
            number
            for number, page in enumerate(read)
            if not page.has_text and is_pictured(document, number, shapes=textless)
        ]
        unread = images
        title, date = _properties(document)
        if more_time is not None and 0 < len(images) <= ocr.MAX_PAGES:
            more_time(len(images) * ocr.PAGE_SECONDS)
            for number in images:
                pages[number] = recognised(document[number], number + 1)
            unread = []
    finally:
        document.close()
    kept = remove_running_headers(pages)
    if not any(kept):
        raise _nothing(len(pages), len(images), len(unread), can_recognise=more_time is not None)
    fields = [number for number, page in enumerate(read, start=1) if page.is_unread]
    images_left = remark("images without text", [number + 1 for number in unread], RECOGNISE)
    remarks = (images_left, remark("fields or notes that cannot be read", fields, PRINT))
    return replace(Composition(kept, title).written(date), remark="; ".join(filter(None, remarks)))


def _nothing(pages: int, images: int, unread: int, *, can_recognise: bool) -> LoadingError:
    """What is wrong with a file without text."""
    held = f"{pages:,} page{'s' if pages != 1 else ''}"
    if not images:
        return EmptyFile(f"holds {held} without text but page numbers, and without images")
    if unread and can_recognise:
        return ScannedFile(
            f"holds images of {held} and no text, the limit of text recognition is {ocr.MAX_PAGES}: split it"
        )
    if can_recognise:
        return ScannedFile(f"holds images of {held} in which no text was recognised")
    return ScannedFile(f"holds images of {held} and no text: {RECOGNISE}")


def opened(data: bytes) -> Any:  # noqa: ANN401 - pypdfium2 is not typed
    """The document, to be closed; raises EncryptedFile, DamagedFile or ExtractionLimit."""
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
        load_form(document)
        count = len(document)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise EncryptedFile("is a PDF with a password: save it without one") from error
        raise DamagedFile(
            f"expected a PDF, got one that cannot be opened ({error}): open and save it again"
        ) from error
    if count > MAX_PAGES:
        raise ExtractionLimit(f"has {count:,} pages, the limit is {MAX_PAGES:,}: split it")
    return document


def _properties(document: Any) -> tuple[str | None, str | None]:  # noqa: ANN401
    found = document.get_metadata_dict()
    day = _DATE.match(found.get("ModDate") or found.get("CreationDate") or "")
    title = found.get("Title") or ""
    return (None if _JUNK_TITLE.match(title) else title), (
        day_in("-".join(day.groups())) if day else None
    )


@dataclass(frozen=True, slots=True)
class _Page:
    """What is read of a page: `has_text` says that it has text of its own, `is_unread` that it has
    fields that are not read.
    """

    regions: list[list[Line]]
    has_text: bool = False
    is_unread: bool = False


def _page(document: Any, number: int) -> _Page:  # noqa: ANN401
    import pypdfium2

    try:
        sheet = form_page_of(document, number)
        regions = list(sheet_regions(sheet, number + 1))
        found = _Page(regions, bool(regions) and not sheet.is_all_filled, sheet.is_unread)
        sheet.close()
    except pypdfium2.PdfiumError:  # one page that is damaged; the others can be read
        return _Page([])
    return found


def sheet_regions(sheet: FormPage, number: int) -> Iterator[list[Line]]:
    """The lines of each region of a page in reading order, those of tables put together to rows;
    raises pypdfium2.PdfiumError.
    """
    text_page = sheet.page.get_textpage()
    try:
        rotation = rotation_of(text_page, sheet.page)
        rules = rules_of(sheet.bare, rotation)
        grids = RuledTables(rules)
        characters = segments(text_page, sheet.page, rotation, grids.cell_at)
        parts = grids.merge_rows(sheet.with_marks(text_page, characters, rotation, grids.cell_at))
    finally:
        text_page.close()
    for region in regions(parts):
        yield merge_rows(lines_of(region, number), [*rules.level, *rules.shades])
