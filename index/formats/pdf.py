"""PDF (pypdfium2, BSD and Apache): text in reading order with page numbers, without running headers and footers, hyphenated words joined."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import regex

from index.document import Place
from index.errors import DamagedFile, EncryptedFile, ExtractionLimit, ScannedFile
from index.formats.extracted import Extracted, Writer
from index.formats.pdf_furniture import without_furniture
from index.formats.pdf_glyphs import segments
from index.formats.pdf_layout import Line, Paragraph, lines_of, paragraphs, regions
from index.formats.tables import table_lines
from index.structure import day_in

MAX_PAGES = 20_000
RECOGNISE = "install tesseract and `pip install 'quoted-qa[ocr]'`, or run it through a program for text recognition first"
HEADING_SIZE = 1.12
"""A heading's font is larger than the text's by this factor, or bold."""
LONGEST_HEADING = 150
NOTE_SIZE = 0.92
"""The font of footnotes is smaller than the text's by this factor."""

_BREAK = regex.compile(r"(?<=\p{L})[-‐]$")
_WORD = regex.compile(r"[\p{L}\p{M}]+(?:[-‐][\p{L}\p{M}]+)*")
_FIRST_WORD = regex.compile(r"\p{Ll}[\p{L}\p{M}]*")
_ENDED = regex.compile(r"""[.!?:;…]["”’»)\]]*$""")
_JUNK_TITLE = regex.compile(
    r"(?i)(?:microsoft word|microsoft powerpoint|untitled|document\d*$|.*\.(?:docx?|dvi|tex|indd|qxd|pdf|pptx?|odt|xlsx?)$|\W*$)"
)
_DATE = regex.compile(r"D:(\d{4})(\d\d)(\d\d)")


def extract(data: bytes) -> Extracted:
    """The text of all pages. Raises EncryptedFile, DamagedFile, ScannedFile or ExtractionLimit."""
    document = opened(data)
    try:
        pages = [list(_page_regions(document, number)) for number in range(len(document))]
        title, date = _properties(document)
        if not any(region for page in pages for region in page):
            raise ScannedFile(f"holds images of {len(document)} page{'s' if len(document) != 1 else ''} and no text: {RECOGNISE}")
    finally:
        document.close()
    return _Composition(without_furniture(pages), title).written(date)


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
        parts = segments(page)
        page.close()
    except pypdfium2.PdfiumError:  # one page that is damaged; the others can be read
        return
    for region in regions(parts):
        yield lines_of(region, number + 1)


class _Composition:
    """Writes the pages: headings by font size, paragraphs joined over the ends of columns and pages, words over the ends of lines."""

    def __init__(self, pages: Sequence[list[list[Line]]], title: str | None) -> None:
        lines = [line for page in pages for region in page for line in region]
        if not lines:
            raise ScannedFile("holds no text but page numbers: " + RECOGNISE)
        self._pages = pages
        self._words = Counter(word for line in lines for word in _WORD.findall(line.text.casefold()))
        sizes: Counter[float] = Counter()
        for line in lines:
            sizes[round(line.size, 1)] += len(line.text)
        self._body = sizes.most_common(1)[0][0]
        large = {round(line.size) for line in lines if line.size >= HEADING_SIZE * self._body}
        self._levels = {size: level for level, size in enumerate(sorted(large, reverse=True), start=1)}
        self._writer = Writer(title)
        self._open: list[Paragraph] = []
        self._notes: list[Paragraph] = []

    def written(self, date: str | None) -> Extracted:
        """The document."""
        for page in self._pages:
            for region in page:
                for paragraph in paragraphs(region):
                    self._take(paragraph)
        self._close()
        return self._writer.finished(date=date)

    def _take(self, paragraph: Paragraph) -> None:
        if paragraph.is_rows:
            self._close()
            self._rows(paragraph)
        elif (level := self._level(paragraph)) is not None:
            self._close()
            self._writer.at(Place(page=paragraph.lines[0].page))
            self._writer.heading(level, self._joined([line.text for line in paragraph.lines]))
        elif self._open and self._is_note(paragraph) and not self._is_note(self._open[-1]):
            self._notes.append(paragraph)
        elif self._open and self._goes_on(self._open[-1], paragraph):
            self._open.append(paragraph)
        else:
            self._close()
            self._open = [paragraph]

    def _level(self, paragraph: Paragraph) -> int | None:
        text = " ".join(line.text for line in paragraph.lines)
        if len(text) > LONGEST_HEADING or text[:1].islower() or not regex.search(r"\p{L}{2}", text) or _ENDED.search(text):
            return None
        if paragraph.size >= HEADING_SIZE * self._body:
            return self._levels.get(round(paragraph.size), len(self._levels))
        bold = all(line.bold for line in paragraph.lines) and len(paragraph.lines) <= 2  # noqa: PLR2004 - a heading over two lines
        return len(self._levels) + 1 if bold and paragraph.size >= NOTE_SIZE * self._body else None

    def _is_note(self, paragraph: Paragraph) -> bool:
        return paragraph.size < NOTE_SIZE * self._body

    def _goes_on(self, before: Paragraph, paragraph: Paragraph) -> bool:
        """Whether a paragraph goes on in the next column or page: no sentence ends before, none begins after."""
        last, first = before.lines[-1], paragraph.lines[0]
        moved = first.page != last.page or first.bottom > last.bottom
        alike = abs(before.size - paragraph.size) < 1
        return moved and alike and not _ENDED.search(last.text) and (first.text[:1].islower() or bool(_BREAK.search(last.text)))

    def _close(self) -> None:
        opened, notes, self._open, self._notes = self._open, self._notes, [], []
        if opened:
            self._paragraph([line for paragraph in opened for line in paragraph.lines])
        for note in notes:
            self._paragraph(note.lines)

    def _paragraph(self, lines: Sequence[Line]) -> None:
        """One paragraph; a word that is divided at the end of a page stands whole on the first."""
        parts: list[tuple[list[str], int]] = []
        for line in lines:
            if not parts or parts[-1][1] != line.page:
                parts.append(([], line.page))
                if len(parts) > 1 and _BREAK.search(parts[-2][0][-1]):
                    word, _, rest = line.text.partition(" ")
                    parts[-2][0].append(word)
                    parts[-1][0].append(rest)
                    continue
            parts[-1][0].append(line.text)
        self._writer.continued((self._joined(texts), Place(page=page)) for texts, page in parts)

    def _rows(self, paragraph: Paragraph) -> None:
        self._writer.at(Place(page=paragraph.lines[0].page))
        self._writer.rows(text for _, text in table_lines([line.cells for line in paragraph.lines]))

    def _joined(self, texts: Sequence[str]) -> str:
        """Lines as one text; a hyphen at the end of a line goes, unless the document writes the word with it elsewhere."""
        joined = texts[0]
        for text in texts[1:]:
            following = _FIRST_WORD.match(text)
            if following and _BREAK.search(joined):
                joined = joined if self._keeps_hyphen(joined, following[0]) else joined[:-1]
                joined += text
            elif joined.endswith(("-", "‐", "–", "/")) and text[:1].isalnum() and not joined.endswith((" -", " –")):
                joined += text
            else:
                joined += f" {text}"
        return joined

    def _keeps_hyphen(self, before: str, after: str) -> bool:
        first = _WORD.findall(before[:-1].casefold())[-1:] or [""]
        whole, divided = f"{first[0]}{after}".casefold(), f"{first[0]}-{after}".casefold()
        return self._words[divided] > self._words[whole]
