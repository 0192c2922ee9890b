"""What is extracted from a file, and the writer that every format composes its text with, so that
the offsets are right by construction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import regex

from index.document import NOWHERE, Block, Place, Places, TextRange
from index.errors import EmptyFile, ExtractionLimit
from index.rendering import ROWS_ALONE

MAX_CHARACTERS = 32 * 1024 * 1024
"""Of extracted text: 10,000 pages have 30 million; a small file that makes more is no document."""
DASH = "-"
"""Marks an item of a list without a number."""
BINARY = "binary"
"""Stands for the encoding of a format that is no text."""

_DROPPED = regex.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b\u2060\ufeff\ufffe\uffff]")
"""Control characters, soft hyphens and marks without width: invisible, and in the way of a search.
"""
_SURROGATE = regex.compile(r"\p{Cs}")
_SPACES = regex.compile(r"[^\S\n]+")
_AROUND_LINES = regex.compile(r" ?\n ?")
_BLANK = regex.compile(r"\n{2,}")


@dataclass(frozen=True, slots=True)
class ExtractedText:
    """The text of a file with its blocks and places; `title` and `date` (YYYY-MM-DD) are what its
    author gave it, if any.

    `bom_size` and `crlf` are those of `SourceBytes`, and `tags` those of the front matter, of files
    that are text. `remark` follows on the file's name and says what of the file is not in the text.
    """

    text: str
    blocks: tuple[Block, ...]
    title: str | None = None
    date: str | None = None
    places: Places = NOWHERE
    encoding: str = BINARY
    bom_size: int = 0
    crlf: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    remark: str = ""

    def to_plain(self) -> dict[str, Any]:
        """JSON types, from which `extracted_of` makes the same again."""
        return {
            "text": self.text,
            "blocks": [
                [block.start, block.end, block.units, block.headings] for block in self.blocks
            ],
            "title": self.title,
            "date": self.date,
            "places": plain_places(self.places),
            "encoding": self.encoding,
            "remark": self.remark,
        }


def extracted_of(plain: dict[str, Any]) -> ExtractedText:
    """What `ExtractedText.to_plain` made plain."""
    blocks = tuple(
        Block(start, end, tuple((first, last) for first, last in units), tuple(headings))
        for start, end, units, headings in plain["blocks"]
    )
    places, remark = places_of(plain["places"]), plain["remark"]
    return ExtractedText(
        plain["text"],
        blocks,
        plain["title"],
        plain["date"],
        places,
        plain["encoding"],
        remark=remark,
    )


def plain_places(places: Places) -> list[list[Any]]:
    """JSON types: [start, page, slide, sheet, row] of each place."""
    return [
        [start, *asdict(place).values()]
        for start, place in zip(places.starts, places.places, strict=True)
    ]


def places_of(plain: Iterable[Sequence[Any]]) -> Places:
    """What `plain_places` made plain."""
    rows = list(plain)
    return Places(tuple(row[0] for row in rows), tuple(Place(*row[1:]) for row in rows))


def folded(text: str) -> str:
    """A text as it is shown: one space for any white space within a line, none around line feeds,
    no invisible characters.
    """
    text = _SURROGATE.sub(
        "\ufffd", text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0b", "\n")
    )
    return _AROUND_LINES.sub("\n", _SPACES.sub(" ", _DROPPED.sub("", text))).strip()


class TextBuilder:
    """Composes the text of a document from its parts in reading order; white space is folded, empty
    parts are left out.
    """

    def __init__(self, title: str | None = None) -> None:
        """`title` is that of the file's properties; it stands above all headings."""
        self.title = " ".join(folded(title or "").split()) or None
        self.first_heading: str | None = None
        self._parts: list[str] = []
        self._length = 0
        self._blocks: list[Block] = []
        self._path: list[tuple[int, str]] = []
        self._bare_heading: TextRange | None = None
        self._place = Place()
        self._starts: list[int] = []
        self._places: list[Place] = []

    @property
    def length(self) -> int:
        """Characters that have been written."""
        return self._length

    def at(self, place: Place) -> None:
        """What follows stands there."""
        self._place = place

    def heading(self, level: int, text: str) -> None:
        """A heading; those of the same and of deeper levels before it end."""
        name = " ".join(folded(text).split())
        if not name:
            return
        self._close_heading()
        self._bare_heading = self._write(name, "\n\n")
        self._path = [(depth, each) for depth, each in self._path if depth < level] + [
            (level, name)
        ]
        self.first_heading = self.first_heading or name

    def end_headings(self) -> None:
        """What follows stands under no heading."""
        self._close_heading()
        self._path = []

    def paragraph(self, text: str) -> None:
        """A paragraph, or several with blank lines between them."""
        for part in _BLANK.split(folded(text)):
            if part:
                self._block([self._write(part, "\n\n")])

    def items(self, items: Iterable[tuple[str, str]]) -> None:
        """A list of (mark, text), items without a mark having a dash; no quote begins with the
        mark.
        """
        self._units(
            (f"{' '.join(folded(mark).split()) or DASH} ", text, self._place)
            for mark, text in items
        )

    def lines(self, texts: Iterable[str]) -> None:
        """Lines that belong together: of a program, the head of a mail."""
        self._units(("", text, self._place) for text in texts)

    def rows(self, texts: Iterable[str]) -> None:
        """The rows of a table."""
        self.placed_rows((text, self._place) for text in texts)

    def placed_rows(self, rows: Iterable[tuple[str, Place]]) -> None:
        """The rows of a table, each with its place, and each a passage of its own if there are not
        too many.
        """
        self._units((("", text, place) for text, place in rows), alone=True)

    def continued(self, parts: Iterable[tuple[str, Place]]) -> None:
        """One paragraph whose parts stand in different places: over the end of a page."""
        spans: list[TextRange] = []
        for text, place in parts:
            self._place = place
            if one := " ".join(folded(text).split()):
                spans.append(self._write(one, " " if spans else "\n\n"))
        if spans:
            self._block([(spans[0][0], spans[-1][1])])

    def enclosed(self, name: str, found: ExtractedText) -> None:
        """Another document inside this one, under its name and its own headings, with its own
        places.
        """
        self.end_headings()
        self.heading(1, name)
        self._bare_heading, self._place = None, found.places.at(0)
        start, _ = self._write(found.text, "\n\n")
        for block in found.blocks:
            units = tuple((first + start, last + start) for first, last in block.units)
            headings = (*self._headings(self._path), *block.headings)
            self._blocks.append(
                Block(block.start + start, block.end + start, units, headings, block.columns)
            )
        inside = [
            (start + at, place)
            for at, place in zip(found.places.starts, found.places.places, strict=True)
            if at
        ]
        self._starts += [at for at, _ in inside]
        self._places += [place for _, place in inside]
        self._place = Place()
        self.end_headings()

    def finished(self, *, date: str | None = None, encoding: str = BINARY) -> ExtractedText:
        """The document; raises EmptyFile if nothing was written."""
        self._close_heading()
        text = "".join(self._parts)
        if not text:
            raise EmptyFile("holds no text")
        places = Places(tuple(self._starts), tuple(self._places))
        return ExtractedText(
            text, tuple(self._blocks), self.title or self.first_heading, date, places, encoding
        )

    def _units(self, texts: Iterable[tuple[str, str, Place]], *, alone: bool = False) -> None:
        """Of (mark, text, place)."""
        units: list[TextRange] = []
        for mark, text, place in texts:
            one = " ".join(folded(text).split())
            if one:
                self._place = place
                start, end = self._write(mark + one, "\n" if units else "\n\n")
                units.append((start + len(mark), end))
        if alone and len(units) <= ROWS_ALONE:
            for unit in units:
                self._block([unit])
        elif units:
            self._block(units)

    def _block(self, units: list[TextRange]) -> None:
        self._bare_heading = None
        self._blocks.append(
            Block(units[0][0], units[-1][1], tuple(units), self._headings(self._path))
        )

    def _close_heading(self) -> None:
        """A heading with nothing under it is a passage of its own, so that no text of the document
        is lost.
        """
        if self._bare_heading is not None:
            self._blocks.append(
                Block(*self._bare_heading, (self._bare_heading,), self._headings(self._path[:-1]))
            )
            self._bare_heading = None

    def _headings(self, path: list[tuple[int, str]]) -> tuple[str, ...]:
        names = [name for _, name in path]
        return tuple([self.title, *names] if self.title and self.title not in names else names)

    def _write(self, text: str, separator: str) -> TextRange:
        start = self._length + (len(separator) if self._parts else 0)
        if start + len(text) > MAX_CHARACTERS:
            raise ExtractionLimit(
                f"holds more than {MAX_CHARACTERS:,} characters of text: split it"
            )
        if self._place != (self._places[-1] if self._places else Place()):
            self._starts.append(start)
            self._places.append(self._place)
        self._parts += [separator, text] if self._parts else [text]
        self._length = start + len(text)
        return start, self._length
