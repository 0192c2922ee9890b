"""PDF (pypdfium2, BSD and Apache): text in reading order with page numbers.

The steps: glyphs -> segments, with ruled tables and form fields -> regions of one column -> lines,
with borderless tables as rows -> running headers removed -> headings, paragraphs and tables.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import regex

from index.document import PageCounts
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
from index.formats.pdf import layers
from index.formats.pdf.assembly import DocumentAssembler
from index.formats.pdf.borderless_tables import merge_rows
from index.formats.pdf.forms import FormPage, form_page_of, is_xfa_placeholder, load_form
from index.formats.pdf.garbled_fonts import garbled_fonts, without_fonts
from index.formats.pdf.glyphs import read_segments, text_orientation
from index.formats.pdf.reading_order import Line, column_regions, lines_of, stand_side_by_side
from index.formats.pdf.ruled_tables import RuledTables
from index.formats.pdf.ruling_lines import read_ruling_lines
from index.formats.pdf.running_headers import remove_running_headers
from index.formats.pdf.scanned_pages import (
    RECOGNISE,
    has_images,
    pages_remark,
    recognised_regions,
)
from index.formats.pdf.visibility import unseen_characters
from index.formats.text_builder import ExtractedText
from index.text.metadata import day_in
from index.text.unseen import joined_remarks

MAX_PAGES = 20_000
PRINT = "print it to a PDF"
"""Advice on how fields that cannot be read become text."""

LEFT_OUT = "it is left out"

_JUNK_TITLE = regex.compile(
    r"(?i)(?:microsoft word|microsoft powerpoint|untitled|document\d*$"
    r"|.*\.(?:docx?|dvi|tex|indd|qxd|pdf|pptx?|odt|xlsx?)$|\W*$)"
)
"""Titles that programs write where the author gave none."""
_TWO_LETTERS = regex.compile(r"\p{L}{2}")
_DATE = regex.compile(r"D:(\d{4})(\d\d)(\d\d)")

Regions = list[list[Line]]
"""The lines of each region of a page, in reading order."""
RequestTime = Callable[[int], None]
"""Asks for so many more seconds, to recognise text."""
PageListener = Callable[[int, int], None]
"""Receives how many pages were read, and how many there are."""


@dataclass(frozen=True, slots=True)
class PageContent:
    """The regions of a page as they are read, and its height in points.

    `has_unseen` is true if some text cannot be seen, `is_garbled` if fonts do not say which
    letters they draw. Both kinds of text are left out.
    """

    regions: Regions
    height: float = 0.0
    has_unseen: bool = False
    is_garbled: bool = False


@dataclass(frozen=True, slots=True)
class _Page:
    """The content of a page.

    `has_text` is true if it has text of its own, not only in fields and notes. `is_unread` is true
    if it has fields or notes that cannot be read.
    """

    content: PageContent
    has_text: bool = False
    is_unread: bool = False

    @property
    def regions(self) -> Regions:
        """The lines of each region of the page, in reading order."""
        return self.content.regions


@dataclass(frozen=True, slots=True)
class _ReadDocument:
    """The pages of a document as they were read, in their order.

    `images` are the numbers, counted from 0, of pages that are images, and `unrecognised` those of
    them whose text was not recognised. `title` and `date` are those of its properties.
    """

    pages: list[_Page]
    images: list[int]
    unrecognised: list[int]
    title: str | None
    date: str | None


def extract(
    data: bytes,
    more_time: RequestTime | None = None,
    on_page: PageListener = lambda _read, _pages: None,
) -> ExtractedText:
    """Return the text of all pages of a PDF, telling `on_page` of each.

    Pages that are images are recognised if `more_time` can be asked for the seconds that this
    takes. Raises EncryptedFile, DamagedFile, UnsupportedFormat, ScannedFile, EmptyFile or
    ExtractionLimit.
    """
    document = open_document(data)
    try:
        if is_xfa_placeholder(document):
            raise UnsupportedFormat(
                "is a form in Adobe's XFA alone, which only Adobe's programs show: "
                f"open it there, {PRINT}, and index that"
            )
        may_hide_layers = layers.may_hide_layers(data)
        read = _read_document(document, more_time, on_page, may_hide_layers=may_hide_layers)
    finally:
        document.close()
    pages = remove_running_headers(
        [page.regions for page in read.pages], [page.content.height for page in read.pages]
    )
    if not _has_words(pages, read):
        raise _no_text_error(read, can_recognise=more_time is not None)
    extracted = DocumentAssembler(pages, read.title).assemble(read.date)
    remark = joined_remarks(_remark(read), extracted.remark)
    return replace(extracted, remark=remark, pages=_page_counts(pages, read))


def _page_counts(pages: Sequence[Regions], read: _ReadDocument) -> PageCounts:
    """Return the numbers of pages by how they were read."""
    return PageCounts(
        pages=len(pages),
        without_text=sum(not any(regions) for regions in pages),
        in_columns=sum(stand_side_by_side(regions) for regions in pages),
        recognised=len(read.images) - len(read.unrecognised),
    )


def _has_words(pages: Sequence[Regions], read: _ReadDocument) -> bool:
    """Return True if there is text; besides garbled fonts there has to be a word."""
    if not any(page.content.is_garbled for page in read.pages):
        return any(pages)
    lines = (line.text for regions in pages for region in regions for line in region)
    return any(_TWO_LETTERS.search(line) for line in lines)


def open_document(data: bytes) -> Any:  # noqa: ANN401 - pypdfium2 is not typed
    """Return a pypdfium2 document, which the caller closes.

    Raises EncryptedFile, DamagedFile or ExtractionLimit.
    """
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


def _read_document(
    document: Any,  # noqa: ANN401
    more_time: RequestTime | None,
    on_page: PageListener,
    *,
    may_hide_layers: bool,
) -> _ReadDocument:
    pages = []
    for number in range(len(document)):
        pages.append(_read_page(document, number, may_hide_layers=may_hide_layers))
        on_page(number + 1, len(document))
    images = _image_pages(document, pages)
    title, date = _properties(document)
    unrecognised = images
    if more_time is not None and 0 < len(images) <= ocr.MAX_PAGES:
        more_time(len(images) * ocr.PAGE_SECONDS)
        for number in images:
            page = document[number]
            recognised = PageContent(recognised_regions(page, number + 1), page.get_size()[1])
            pages[number] = replace(pages[number], content=recognised)
        unrecognised = []
    return _ReadDocument(pages, images, unrecognised, title, date)


def _read_page(document: Any, number: int, *, may_hide_layers: bool) -> _Page:  # noqa: ANN401
    import pypdfium2

    try:
        sheet = form_page_of(document, number)
        content = read_content(sheet, number + 1, may_hide_layers=may_hide_layers)
        has_text = bool(content.regions) and not sheet.is_all_filled
        page = _Page(content, has_text, sheet.is_unread)
        sheet.close()
    except pypdfium2.PdfiumError:  # one page that is damaged; the others can be read
        return _Page(PageContent([]))
    return page


def read_content(sheet: FormPage, number: int, *, may_hide_layers: bool = False) -> PageContent:
    """Return the lines of each region of a page, in reading order.

    The lines of tables are put together to rows. `may_hide_layers` is that of the document. Raises
    pypdfium2.PdfiumError.
    """
    text_page = sheet.page.get_textpage()
    try:
        orientation = text_orientation(text_page, sheet.page)
        ruling = read_ruling_lines(sheet.bare, orientation)
        tables = RuledTables(ruling)
        unseen = unseen_characters(sheet.page, text_page, may_hide_layers=may_hide_layers)
        characters = read_segments(text_page, sheet.page, orientation, tables.cell_at, unseen)
        garbled = garbled_fonts(characters)
        legible = without_fonts(characters, garbled) if garbled else characters
        with_fields = sheet.with_marks(text_page, legible, orientation, tables.cell_at)
        segments = tables.merge_rows(with_fields)
    finally:
        text_page.close()
    rules = [*ruling.level, *ruling.shades]
    regions = [merge_rows(lines_of(each, number), rules) for each in column_regions(segments)]
    return PageContent(
        regions, orientation.height_of(sheet.page), bool(unseen), is_garbled=bool(garbled)
    )


def _image_pages(document: Any, pages: Sequence[_Page]) -> list[int]:  # noqa: ANN401
    """Return the numbers, counted from 0, of the pages without text that are images.

    Drawn shapes count as images only if no page has text: they may be its letters.
    """
    is_textless = not any(page.regions for page in pages)
    return [
        number
        for number, page in enumerate(pages)
        if not page.has_text and has_images(document, number, shapes=is_textless)
    ]


def _properties(document: Any) -> tuple[str | None, str | None]:  # noqa: ANN401
    """Return the title and the date (YYYY-MM-DD) of a document's properties."""
    properties = document.get_metadata_dict()
    title = properties.get("Title") or ""
    date = _DATE.match(properties.get("ModDate") or properties.get("CreationDate") or "")
    return (
        None if _JUNK_TITLE.match(title) else title,
        day_in("-".join(date.groups())) if date else None,
    )


def _remark(read: _ReadDocument) -> str:
    """Return the remark on what of a document was not read, or an empty text."""
    unrecognised = [number + 1 for number in read.unrecognised]
    unread = [number for number, page in enumerate(read.pages, start=1) if page.is_unread]
    unseen = [number for number, page in enumerate(read.pages, 1) if page.content.has_unseen]
    garbled = [number for number, page in enumerate(read.pages, 1) if page.content.is_garbled]
    remarks = (
        pages_remark("images without text", unrecognised, RECOGNISE),
        pages_remark("fields or notes that cannot be read", unread, PRINT),
        pages_remark("text that a reader cannot see", unseen, LEFT_OUT),
        pages_remark("text in fonts that do not say which letters they draw", garbled, RECOGNISE),
    )
    return joined_remarks(*remarks)


def _no_text_error(read: _ReadDocument, *, can_recognise: bool) -> LoadingError:
    """Return the error that says why a document has no text."""
    count = len(read.pages)
    pages = f"{count:,} page{'s' if count != 1 else ''}"
    if any(page.content.is_garbled for page in read.pages):
        return UnsupportedFormat(
            f"holds text in fonts that do not say which letters they draw: {RECOGNISE}"
        )
    if any(page.content.has_unseen for page in read.pages):
        return EmptyFile(f"holds {pages} without text that a reader can see")
    if not read.images:
        return EmptyFile(f"holds {pages} without text but page numbers, and without images")
    if not can_recognise:
        return ScannedFile(f"holds images of {pages} and no text: {RECOGNISE}")
    if read.unrecognised:
        return ScannedFile(
            f"holds images of {pages} and no text, the limit of text recognition is "
            f"{ocr.MAX_PAGES} pages: split it"
        )
    return ScannedFile(f"holds images of {pages} in which no text was recognised")
