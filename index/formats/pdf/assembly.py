"""The lines of a PDF's pages -> its text: headings by the size of their font, paragraphs and tables
over the ends of columns and pages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import regex

from index.document import Place
from index.formats.pdf.borderless_tables import continues_row
from index.formats.pdf.paragraphs import Paragraph, paragraphs
from index.formats.pdf.reading_order import Line
from index.formats.pdf.table_headers import are_form_labels, are_pairs, is_filled, table_starts
from index.formats.tables import (
    Row,
    bare_lines,
    is_numeric,
    labelled_lines,
    pair_labels,
    table_lines,
)
from index.formats.text_builder import ExtractedText, TextBuilder

HEADING_SIZE = 1.12
"""A heading's font is larger than the text's by this factor, or bold."""
LONGEST_HEADING = 150
NOTE_SIZE = 0.92
"""The font of footnotes is smaller than the text's by this factor."""

_BREAK = regex.compile(r"(?<=\p{L})[-‐]$")
_WORD = regex.compile(r"[\p{L}\p{M}]+(?:[-‐][\p{L}\p{M}]+)*")
_FIRST_WORD = regex.compile(r"\p{Ll}[\p{L}\p{M}]*")
_YEAR = regex.compile(r"[12]\d{3}")
_ENDED = regex.compile(r"""[.!?:;…]["”’»)\]]*$""")


def _is_continued(table: Sequence[Line], lines: Sequence[Line]) -> bool:
    """Whether rows go on with a table on the next page, or above each other without anything
    between.
    """
    last, first = table[-1], lines[0]
    near = first.page <= last.page + 1 and abs(last.left - first.left) < 2 * last.size
    return near and len(last.cells) == len(first.cells)


def _united(last: Line, first: Line) -> Line:
    cells = ["\n".join(filter(None, pair)) for pair in zip(last.cells, first.cells, strict=True)]
    return replace(last, cells=cells)


def _are_names(row: Row) -> bool:
    """Whether the texts of a bold row name columns: they are distinct, and no numbers but years."""
    names = [cell for cell in row if cell]
    return len(set(names)) == len(names) and all(
        not is_numeric(name) or _YEAR.fullmatch(name) for name in names
    )


def _is_keyed(line: Line) -> bool:
    """Whether the first cell of a row alone is bold: a name beside its value, not one of several
    names; or whether a cell was filled into a form.
    """
    if is_filled(line):
        return True
    return (
        bool(line.fields)
        and not line.bold
        and bool(line.fields[0])
        and all(part.bold for part in line.fields[0])
    )


def _texts(lines: Sequence[Line], rows: Sequence[Row]) -> Iterator[tuple[int, str]]:
    """(number, text) of the rows of one table."""
    if are_form_labels(lines, rows, 0):
        return labelled_lines(rows)
    if _is_keyed(lines[0]):
        return bare_lines(
            [
                pair_labels(row) if are_pairs(line) else row
                for line, row in zip(lines, rows, strict=True)
            ]
        )
    bold = len(lines) > 1 and lines[0].bold and not lines[1].bold
    return table_lines(rows, marked=0 if bold and _are_names(rows[0]) else None)


class Composition:
    """Writes the pages: headings by font size, paragraphs joined over the ends of columns and
    pages, words over the ends of lines.
    """

    def __init__(self, pages: Sequence[list[list[Line]]], title: str | None) -> None:
        lines = [line for page in pages for region in page for line in region]
        self._pages = pages
        self._words = Counter(
            word for line in lines for word in _WORD.findall(line.text.casefold())
        )
        sizes: Counter[float] = Counter()
        for line in lines:
            sizes[round(line.size, 1)] += len(line.text)
        self._body = sizes.most_common(1)[0][0]
        large = {round(line.size) for line in lines if line.size >= HEADING_SIZE * self._body}
        self._programs = 2 * sum(len(line.text) for line in lines if line.fixed) < sum(
            len(line.text) for line in lines
        )
        self._levels = {
            size: level for level, size in enumerate(sorted(large, reverse=True), start=1)
        }
        self._writer = TextBuilder(title)
        self._open: list[Paragraph] = []
        self._notes: list[Paragraph] = []
        self._table: list[Line] = []

    def written(self, date: str | None) -> ExtractedText:
        """The document."""
        for page in self._pages:
            for region in page:
                for paragraph in paragraphs(region, programs=self._programs):
                    self._take(paragraph)
        self._close()
        return self._writer.build(date=date)

    def _take(self, paragraph: Paragraph) -> None:
        if paragraph.is_rows:
            self._take_rows(paragraph.lines)
            return
        if self._table:
            self._close()
        if self._programs and paragraph.is_fixed:
            self._close()
            self._writer.set_place(Place(page=paragraph.lines[0].page))
            self._writer.lines(line.text for line in paragraph.lines)
        elif (level := self._level(paragraph)) is not None:
            self._close()
            self._writer.set_place(Place(page=paragraph.lines[0].page))
            self._writer.heading(level, self._joined([line.text for line in paragraph.lines]))
        elif self._open and self._is_note(paragraph) and not self._is_note(self._open[-1]):
            self._notes.append(paragraph)
        elif self._open and self._goes_on(self._open[-1], paragraph):
            self._open.append(paragraph)
        else:
            self._close()
            self._open = [paragraph]

    def _take_rows(self, lines: list[Line]) -> None:
        if not (self._table and _is_continued(self._table, lines)):
            self._close()
        elif lines[0].page > self._table[-1].page:
            lines = lines[lines[0].cells == self._table[0].cells :]
            if lines and continues_row(self._table[-1].cells, lines[0].cells):
                self._table[-1] = _united(self._table[-1], lines[0])
                lines = lines[1:]
        self._table += lines

    def _level(self, paragraph: Paragraph) -> int | None:
        text = " ".join(line.text for line in paragraph.lines)
        if (
            len(text) > LONGEST_HEADING
            or text[:1].islower()
            or not regex.search(r"\p{L}{2}", text)
            or _ENDED.search(text)
        ):
            return None
        if paragraph.size >= HEADING_SIZE * self._body:
            return self._levels.get(round(paragraph.size), len(self._levels))
        bold = all(line.bold for line in paragraph.lines) and len(paragraph.lines) <= 2
        return len(self._levels) + 1 if bold and paragraph.size >= NOTE_SIZE * self._body else None

    def _is_note(self, paragraph: Paragraph) -> bool:
        return paragraph.size < NOTE_SIZE * self._body

    def _goes_on(self, before: Paragraph, paragraph: Paragraph) -> bool:
        """Whether a paragraph goes on in the next column or page: no sentence ends before, none
        begins after.
        """
        last, first = before.lines[-1], paragraph.lines[0]
        moved = first.page != last.page or first.bottom > last.bottom
        alike = abs(before.size - paragraph.size) < 1
        return (
            moved
            and alike
            and not _ENDED.search(last.text)
            and (first.text[:1].islower() or bool(_BREAK.search(last.text)))
        )

    def _close(self) -> None:
        opened, notes, table, self._open, self._notes, self._table = (
            self._open,
            self._notes,
            self._table,
            [],
            [],
            [],
        )
        if table:
            self._rows(table)
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
        self._writer.paragraph_across_places(
            (self._joined(texts), Place(page=page)) for texts, page in parts
        )

    def _rows(self, lines: Sequence[Line]) -> None:
        rows = [[self._joined(cell.split("\n")) for cell in line.cells] for line in lines]
        for start, end in pairwise([*table_starts(lines, rows), len(lines)]):
            texts = _texts(lines[start:end], rows[start:end])
            self._writer.placed_rows(
                (text, Place(page=lines[start + at].page)) for at, text in texts
            )

    def _joined(self, texts: Sequence[str]) -> str:
        """Lines as one text; a hyphen at the end of a line goes, unless the document writes the
        word with it elsewhere.
        """
        joined = texts[0]
        for text in texts[1:]:
            following = _FIRST_WORD.match(text)
            if following and _BREAK.search(joined):
                joined = joined if self._keeps_hyphen(joined, following[0]) else joined[:-1]
                joined += text
            elif (
                joined.endswith(("-", "‐", "–", "/"))
                and text[:1].isalnum()
                and not joined.endswith((" -", " –"))
            ):
                joined += text
            else:
                joined += f" {text}"
        return joined

    def _keeps_hyphen(self, before: str, after: str) -> bool:
        first = _WORD.findall(before[:-1].casefold())[-1:] or [""]
        whole, divided = f"{first[0]}{after}".casefold(), f"{first[0]}-{after}".casefold()
        return self._words[divided] > self._words[whole]
