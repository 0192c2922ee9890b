"""Assembly of a PDF's lines into text: headings, paragraphs, notes, programs and tables.

Headings are known by the size of their font. Paragraphs and tables go on over the ends of columns
and pages, words over the ends of lines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import regex

from index.document import Place
from index.formats.pdf.borderless_tables import continues_row
from index.formats.pdf.paragraphs import Paragraph, group_paragraphs
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
from index.text.english_words import english_words

HEADING_SIZE = 1.12
"""Factor by which a heading's font is larger than the body's; one as large is bold."""
LONGEST_HEADING = 150
"""Largest number of characters of a heading."""
NOTE_SIZE = 0.92
"""Factor below which a font is that of footnotes, in body sizes."""

_LINE_END_HYPHEN = regex.compile(r"(?<=\p{L})[-‐]$")
_WORD = regex.compile(r"[\p{L}\p{M}]+(?:[-‐][\p{L}\p{M}]+)*")
_HYPHEN = regex.compile(r"[-‐]")
_FIRST_WORD = regex.compile(r"\p{Ll}[\p{L}\p{M}]*(?:[-‐][\p{L}\p{M}]+)*")
_TWO_LETTERS = regex.compile(r"\p{L}{2}")
_YEAR = regex.compile(r"[12]\d{3}")
_SENTENCE_END = regex.compile(r"""[.!?:;…]["”’»)\]]*$""")
_JOINING_MARKS = ("-", "‐", "–", "/")
"""Marks at the end of a line after which a word goes on without a space."""
_DASHES = (" -", " –")
"""Marks between two words, which have a space on both sides."""


@dataclass(frozen=True, slots=True)
class Typography:
    """The fonts of a document and what they are used for.

    `body_size` is the font size in points of most characters. `levels` maps the rounded sizes of
    headings to their levels, 1 for the largest. `has_programs` is false where most of the text is
    fixed-width: that of a typewriter tells no program from prose.
    """

    body_size: float
    levels: dict[int, int]
    has_programs: bool

    @classmethod
    def of(cls, lines: Sequence[Line]) -> Typography:
        """Return the typography of a document with these lines; there is at least one."""
        characters_by_size: Counter[float] = Counter()
        fixed = 0
        for line in lines:
            characters = len(line.text)
            characters_by_size[round(line.size, 1)] += characters
            if line.fixed:
                fixed += characters
        body_size = characters_by_size.most_common(1)[0][0]
        large = {round(line.size) for line in lines if line.size >= HEADING_SIZE * body_size}
        levels = {size: level for level, size in enumerate(sorted(large, reverse=True), start=1)}
        return cls(body_size, levels, has_programs=2 * fixed < characters_by_size.total())

    def heading_level(self, paragraph: Paragraph) -> int | None:
        """Return the level of a paragraph that is a heading, else None.

        A bold heading in the body's size has the level below all larger ones.
        """
        if not _may_be_heading(" ".join(line.text for line in paragraph.lines)):
            return None
        if paragraph.size >= HEADING_SIZE * self.body_size:
            return self.levels.get(round(paragraph.size), len(self.levels))
        is_bold = all(line.bold for line in paragraph.lines) and len(paragraph.lines) <= 2
        return len(self.levels) + 1 if is_bold and not self.is_note(paragraph) else None

    def is_note(self, paragraph: Paragraph) -> bool:
        """Return True if a paragraph is set in the small font of footnotes."""
        return paragraph.size < NOTE_SIZE * self.body_size

    def is_program(self, paragraph: Paragraph) -> bool:
        """Return True if a paragraph is the lines of a program."""
        return self.has_programs and paragraph.is_fixed


def _may_be_heading(text: str) -> bool:
    """Return True if a text is short, has a word, and neither begins nor ends like a sentence."""
    return (
        len(text) <= LONGEST_HEADING
        and not text[:1].islower()
        and bool(_TWO_LETTERS.search(text))
        and not _SENTENCE_END.search(text)
    )


SHORTEST_HALF = 3
"""Letters of the halves of a compound; shorter ones are syllables more often."""


class LineJoiner:
    """Joins the lines of a paragraph, with words that are divided at the end of a line made whole.

    A hyphen at the end of a line goes, unless it is that of a compound: the document writes the
    word with it more often than without, or the word has other hyphens ("state-of-the-art"), or it
    is no English word and both of its halves are ("well-known").
    """

    def __init__(self, lines: Sequence[Line]) -> None:
        """Count the words of a document with these lines, and the pairs in its compounds."""
        self._words: Counter[str] = Counter()
        for line in lines:
            for word in _WORD.findall(line.text.casefold()):
                parts = _HYPHEN.split(word)
                self._words[word] += 1
                if len(parts) > 2:
                    self._words.update(f"{first}-{second}" for first, second in pairwise(parts))

    def join(self, texts: Sequence[str]) -> str:
        """Return lines as one text; there is at least one."""
        joined = texts[0]
        for text in texts[1:]:
            rest = _FIRST_WORD.match(text)
            if rest and _LINE_END_HYPHEN.search(joined):
                if not self._keeps_hyphen(joined, rest[0]):
                    joined = joined[:-1]
                joined += text
            elif _ends_within_word(joined) and text[:1].isalnum():
                joined += text
            else:
                joined += f" {text}"
        return joined

    def _keeps_hyphen(self, before: str, rest: str) -> bool:
        """Return True if the hyphen between the end of a line and a word is that of a compound."""
        words = _WORD.findall(before[:-1].casefold())
        *others, first = _HYPHEN.split(words[-1]) if words else [""]
        second, *more = _HYPHEN.split(rest.casefold())
        whole, hyphenated = self._words[f"{first}{second}"], self._words[f"{first}-{second}"]
        if hyphenated or whole:
            return hyphenated > whole
        return bool(others or more) or _are_two_words(first, second)


def _are_two_words(first: str, second: str) -> bool:
    """Return True if two English words would be none without the hyphen between them."""
    if min(len(first), len(second)) < SHORTEST_HALF:
        return False
    known = english_words()
    return first in known and second in known and f"{first}{second}" not in known


def _ends_within_word(text: str) -> bool:
    """Return True if a line ends in a mark that joins two words or numbers, and is no dash."""
    return text.endswith(_JOINING_MARKS) and not text.endswith(_DASHES)


class DocumentAssembler:
    """Writes the pages of a document, paragraph by paragraph.

    What may go on in the next column or page stays open: a paragraph, with the notes that stand
    below its first part, or a table. It is written when something else begins.
    """

    def __init__(self, pages: Sequence[list[list[Line]]], title: str | None) -> None:
        """Take the regions of each page, with at least one line, and the title of the file."""
        lines = [line for page in pages for region in page for line in region]
        self._pages = pages
        self._typography = Typography.of(lines)
        self._joiner = LineJoiner(lines)
        self._builder = TextBuilder(title)
        self._open: list[Paragraph] = []
        self._notes: list[Paragraph] = []
        self._table: list[Line] = []

    def assemble(self, date: str | None) -> ExtractedText:
        """Return the document; raises EmptyFile if nothing of it is text."""
        for page in self._pages:
            for region in page:
                for paragraph in group_paragraphs(region, programs=self._typography.has_programs):
                    self._add(paragraph)
        self._close()
        return self._builder.build(date=date)

    def _add(self, paragraph: Paragraph) -> None:
        if paragraph.is_rows:
            self._add_rows(paragraph.lines)
            return
        if self._table:
            self._close()
        if self._typography.is_program(paragraph):
            self._add_program(paragraph)
            return
        level = self._typography.heading_level(paragraph)
        if level is not None:
            self._add_heading(level, paragraph)
        else:
            self._add_prose(paragraph)

    def _add_rows(self, lines: list[Line]) -> None:
        """Add rows to the open table if they go on with it, else begin another."""
        if not (self._table and _is_continued(self._table, lines)):
            self._close()
        elif lines[0].page > self._table[-1].page:
            lines = self._add_over_page_end(lines)
        self._table += lines

    def _add_over_page_end(self, lines: list[Line]) -> list[Line]:
        """Return the rows that remain on a new page of the open table.

        A header that is repeated there goes. A first row that is the rest of the last one on the
        page before is joined to it.
        """
        is_repeated_header = lines[0].cells == self._table[0].cells
        if is_repeated_header:
            lines = lines[1:]
        if lines and continues_row(self._table[-1].cells, lines[0].cells):
            self._table[-1] = _join_rows(self._table[-1], lines[0])
            lines = lines[1:]
        return lines

    def _add_program(self, paragraph: Paragraph) -> None:
        self._close()
        self._builder.set_place(Place(page=paragraph.lines[0].page))
        self._builder.lines(line.text for line in paragraph.lines)

    def _add_heading(self, level: int, paragraph: Paragraph) -> None:
        self._close()
        self._builder.set_place(Place(page=paragraph.lines[0].page))
        self._builder.heading(level, self._joiner.join([line.text for line in paragraph.lines]))

    def _add_prose(self, paragraph: Paragraph) -> None:
        """Add a paragraph to the open one if it goes on with it, or to the notes, or open it."""
        is_note = self._typography.is_note
        if self._open and is_note(paragraph) and not is_note(self._open[-1]):
            self._notes.append(paragraph)
        elif self._open and _continues(self._open[-1], paragraph):
            self._open.append(paragraph)
        else:
            self._close()
            self._open = [paragraph]

    def _close(self) -> None:
        """Write what is open: a table, or a paragraph and then the notes below its parts."""
        table, paragraphs, notes = self._table, self._open, self._notes
        self._table, self._open, self._notes = [], [], []
        if table:
            self._write_table(table)
        if paragraphs:
            self._write_paragraph([line for paragraph in paragraphs for line in paragraph.lines])
        for note in notes:
            self._write_paragraph(note.lines)

    def _write_paragraph(self, lines: Sequence[Line]) -> None:
        parts = _parts_by_page(lines)
        self._builder.paragraph_across_places(
            (self._joiner.join(texts), Place(page=page)) for page, texts in parts
        )

    def _write_table(self, lines: Sequence[Line]) -> None:
        rows = [[self._joiner.join(cell.split("\n")) for cell in line.cells] for line in lines]
        for start, end in pairwise([*table_starts(lines, rows), len(lines)]):
            texts = _row_texts(lines[start:end], rows[start:end])
            self._builder.placed_rows(
                (text, Place(page=lines[start + number].page)) for number, text in texts
            )


def _continues(before: Paragraph, paragraph: Paragraph) -> bool:
    """Return True if a paragraph goes on with the one before, in the next column or page.

    No sentence ends before it, and it begins with a small letter or the rest of a word.
    """
    last, first = before.lines[-1], paragraph.lines[0]
    has_moved = first.page != last.page or first.bottom > last.bottom
    if not has_moved or abs(before.size - paragraph.size) >= 1:
        return False
    if _SENTENCE_END.search(last.text):
        return False
    return first.text[:1].islower() or bool(_LINE_END_HYPHEN.search(last.text))


def _parts_by_page(lines: Sequence[Line]) -> list[tuple[int, list[str]]]:
    """Return (page, texts of the lines) of each part of a paragraph.

    A word that is divided at the end of a page stands whole on the first.
    """
    parts: list[tuple[int, list[str]]] = []
    for line in lines:
        text = line.text
        if not parts or parts[-1][0] != line.page:
            if parts and _LINE_END_HYPHEN.search(parts[-1][1][-1]):
                rest, _, text = text.partition(" ")
                parts[-1][1].append(rest)
            parts.append((line.page, []))
        parts[-1][1].append(text)
    return parts


def _is_continued(table: Sequence[Line], lines: Sequence[Line]) -> bool:
    """Return True if rows go on with a table, on the next page or directly below it."""
    last, first = table[-1], lines[0]
    is_near = first.page <= last.page + 1 and abs(last.left - first.left) < 2 * last.size
    return is_near and len(last.cells) == len(first.cells)


def _join_rows(last: Line, first: Line) -> Line:
    """Return one row of two that a page's end divides, with line feeds in its cells."""
    cells = ["\n".join(filter(None, pair)) for pair in zip(last.cells, first.cells, strict=True)]
    return replace(last, cells=cells)


def _row_texts(lines: Sequence[Line], rows: Sequence[Row]) -> Iterator[tuple[int, str]]:
    """Return (number, text) of the rows of one table.

    A form's labels name the values below them. Rows that begin with their name have no header.
    A bold first row is a header if its texts may be names; else the texts of the rows decide.
    """
    if are_form_labels(lines, rows, 0):
        return labelled_lines(rows)
    if _is_keyed(lines[0]):
        return bare_lines(
            [
                pair_labels(row) if are_pairs(line) else row
                for line, row in zip(lines, rows, strict=True)
            ]
        )
    has_bold_header = len(lines) > 1 and lines[0].bold and not lines[1].bold
    return table_lines(rows, marked=0 if has_bold_header and _are_names(rows[0]) else None)


def _is_keyed(line: Line) -> bool:
    """Return True if a row has its name in itself.

    Its first cell alone is bold, so that it names the value beside it; or a cell was filled into a
    form.
    """
    if is_filled(line):
        return True
    if not line.fields or line.bold:
        return False
    first = line.fields[0]
    return bool(first) and all(segment.bold for segment in first)


def _are_names(row: Row) -> bool:
    """Return True if the texts of a row can name columns: distinct, no numbers but years."""
    names = [cell for cell in row if cell]
    are_distinct = len(set(names)) == len(names)
    return are_distinct and all(not is_numeric(name) or _YEAR.fullmatch(name) for name in names)
