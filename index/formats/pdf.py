"""PDF (pypdfium2, BSD and Apache): text in reading order with page numbers, without running headers and footers, hyphenated words joined."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import regex

from index.days import day_in
from index.errors import DamagedFile, EmptyFile, EncryptedFile, ExtractionLimit, LoadingError, ScannedFile
from index.formats import ocr
from index.formats.extracted import Extracted
from index.formats.pdf_composition import Composition
from index.formats.pdf_furniture import without_furniture
from index.formats.pdf_glyphs import rotation_of, segments
from index.formats.pdf_grids import Grids
from index.formats.pdf_layout import Line, lines_of, regions
from index.formats.pdf_rows import with_rows
from index.formats.pdf_rules import rules_of
from index.formats.pdf_scans import RECOGNISE, is_pictured, recognised, remark

MAX_PAGES = 20_000

_JUNK_TITLE = regex.compile(
    r"(?i)(?:microsoft word|microsoft powerpoint|untitled|document\d*$|.*\.(?:docx?|dvi|tex|indd|qxd|pdf|pptx?|odt|xlsx?)$|\W*$)"
)
_DATE = regex.compile(r"D:(\d{4})(\d\d)(\d\d)")


def extract(data: bytes, more_time: Callable[[int], None] | None = None) -> Extracted:
    """The text of all pages; those that are images are recognised if `more_time` is there to hear for how many seconds. Raises EncryptedFile,
    DamagedFile, ScannedFile, EmptyFile or ExtractionLimit.
    """
    document = opened(data)
    try:
        pages = [list(_page_regions(document, number)) for number in range(len(document))]
        textless = not any(pages)
        images = [number for number, page in enumerate(pages) if not page and is_pictured(document, number, shapes=textless)]
        unread = images
        title, date = _properties(document)
        if more_time is not None and 0 < len(images) <= ocr.MAX_PAGES:
            more_time(len(images) * ocr.PAGE_SECONDS)
            for number in images:
                pages[number] = recognised(document[number], number + 1)
            unread = []
    finally:
        document.close()
    kept = without_furniture(pages)
    if not any(kept):
        raise _nothing(len(pages), len(images), len(unread), can_recognise=more_time is not None)
    return replace(Composition(kept, title).written(date), remark=remark([number + 1 for number in unread]))


def _nothing(pages: int, images: int, unread: int, *, can_recognise: bool) -> LoadingError:
    """What is wrong with a file without text."""
    held = f"{pages:,} page{'s' if pages != 1 else ''}"
    if not images:
        return EmptyFile(f"holds {held} without text but page numbers, and without images")
    if unread and can_recognise:
        return ScannedFile(f"holds images of {held} and no text, the limit of text recognition is {ocr.MAX_PAGES}: split it")
    if can_recognise:
        return ScannedFile(f"holds images of {held} in which no text was recognised")
    return ScannedFile(f"holds images of {held} and no text: {RECOGNISE}")


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
    text_page = page.get_textpage()
    try:
        rotation = rotation_of(text_page, page)
        rules = rules_of(page, rotation)
        grids = Grids(rules)
        parts = grids.with_rows(segments(text_page, page, rotation, grids.cell))
    finally:
        text_page.close()
    for region in regions(parts):
        yield with_rows(lines_of(region, number), [*rules.level, *rules.shades])
