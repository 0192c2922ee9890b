"""The text extracted from a file, and the builder that every format composes it with.

The builder counts the offsets of blocks and places while it writes, so no format computes its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import regex

from index.document import NOWHERE, Block, Place, Places, TextRange
from index.errors import EmptyFile, ExtractionLimit
from index.rendering import ROWS_ALONE

MAX_CHARACTERS = 32 * 1024 * 1024
"""Characters of extracted text.

10,000 pages have 30 million; a small file that yields more is no document.
"""
DASH = "-"
"""Marker of a list item without a number."""
BINARY = "binary"
"""Encoding of formats that are not text."""

_PARAGRAPH_BREAK = "\n\n"

# Control characters, soft hyphens and zero-width marks: invisible, and in the way of a search.
_INVISIBLE = regex.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b\u2060\ufeff\ufffe\uffff]")
_SURROGATE = regex.compile(r"\p{Cs}")
_SPACES = regex.compile(r"[^\S\n]+")
_AROUND_LINE_FEED = regex.compile(r" ?\n ?")
_BLANK_LINES = regex.compile(r"\n{2,}")


@dataclass(frozen=True, slots=True)
class ExtractedText:
    """The text of a file with its blocks and places.

    `title` and `date` (YYYY-MM-DD) are what the author gave the file, None if there is none.
    `bom_size` and `crlf` are those of `SourceBytes`, and `tags` those of the front matter; only
    files that are text have them. `remark` continues a sentence that begins with the file's name
    and says what of the file is not in the text; empty if nothing is missing.
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
        """Return JSON types, which `from_plain` reads back."""
        return {
            "text": self.text,
            "blocks": [
                [block.start, block.end, block.units, block.headings] for block in self.blocks
            ],
            "title": self.title,
            "date": self.date,
            "places": places_to_plain(self.places),
            "encoding": self.encoding,
            "remark": self.remark,
        }

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Self:
        """Return the text that `to_plain` turned into JSON types."""
        blocks = tuple(
            Block(start, end, tuple((first, last) for first, last in units), tuple(headings))
            for start, end, units, headings in plain["blocks"]
        )
        return cls(
            text=plain["text"],
            blocks=blocks,
            title=plain["title"],
            date=plain["date"],
            places=places_from_plain(plain["places"]),
            encoding=plain["encoding"],
            remark=plain["remark"],
        )


def places_to_plain(places: Places) -> list[list[Any]]:
    """Return JSON types: [start, page, slide, sheet, row] of each place."""
    return [
        [start, *asdict(place).values()]
        for start, place in zip(places.starts, places.places, strict=True)
    ]


def places_from_plain(plain: Iterable[Sequence[Any]]) -> Places:
    """Return the places that `places_to_plain` turned into JSON types."""
    rows = list(plain)
    return Places(tuple(row[0] for row in rows), tuple(Place(*row[1:]) for row in rows))


def fold_whitespace(text: str) -> str:
    """Return a text as it is shown, without invisible characters.

    White space within a line becomes one space, none is left around line feeds, and CR, CRLF and
    vertical tab become line feeds. Lone surrogates become U+FFFD.
    """
    # Line ends come first: what follows drops the carriage return and the vertical tab.
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0b", "\n")
    text = _SURROGATE.sub("\ufffd", text)
    text = _INVISIBLE.sub("", text)
    text = _SPACES.sub(" ", text)
    return _AROUND_LINE_FEED.sub("\n", text).strip()


def fold_to_line(text: str) -> str:
    """Return a text as `fold_whitespace` does, on a single line."""
    return " ".join(fold_whitespace(text).split())


class TextBuilder:
    """Composes the text of a document from its parts in reading order.

    Every part is folded as `fold_whitespace` does; empty parts are left out.
    """

    def __init__(self, title: str | None = None) -> None:
        """`title` is that of the file's properties; it stands above all headings."""
        self.title = fold_to_line(title or "") or None
        self.first_heading: str | None = None
        self._parts: list[str] = []
        self._length = 0
        self._blocks: list[Block] = []
        self._open_headings: list[tuple[int, str]] = []
        # The last heading while nothing stands under it.
        self._bare_heading: TextRange | None = None
        self._place = Place()
        self._place_starts: list[int] = []
        self._places: list[Place] = []

    @property
    def length(self) -> int:
        """Number of characters written."""
        return self._length

    def set_place(self, place: Place) -> None:
        """Set the place of all that follows."""
        self._place = place

    def heading(self, level: int, text: str) -> None:
        """Write a heading, which ends those of the same and of deeper levels."""
        name = fold_to_line(text)
        if not name:
            return
        self._flush_bare_heading()
        self._bare_heading = self._write(name, _PARAGRAPH_BREAK)
        outer = [(depth, above) for depth, above in self._open_headings if depth < level]
        self._open_headings = [*outer, (level, name)]
        self.first_heading = self.first_heading or name

    def end_headings(self) -> None:
        """End all headings: what follows stands under none."""
        self._flush_bare_heading()
        self._open_headings = []

    def paragraph(self, text: str) -> None:
        """Write a paragraph, or several if blank lines separate them."""
        for part in _BLANK_LINES.split(fold_whitespace(text)):
            if part:
                self._add_block([self._write(part, _PARAGRAPH_BREAK)])

    def items(self, items: Iterable[tuple[str, str]]) -> None:
        """Write a list of (marker, text); an empty marker becomes a dash.

        Markers are in the text but in no unit, so that no quote begins with one.
        """
        self._write_units(
            (f"{fold_to_line(marker) or DASH} ", text, self._place) for marker, text in items
        )

    def lines(self, texts: Iterable[str]) -> None:
        """Write lines that belong together, as of a program or of the head of a mail."""
        self._write_units(("", text, self._place) for text in texts)

    def rows(self, texts: Iterable[str]) -> None:
        """Write the rows of a table."""
        self.placed_rows((text, self._place) for text in texts)

    def placed_rows(self, rows: Iterable[tuple[str, Place]]) -> None:
        """Write the rows of a table, each with its place.

        Each row is a block of its own if there are at most `ROWS_ALONE`.
        """
        self._write_units((("", text, place) for text, place in rows), alone=True)

    def paragraph_across_places(self, parts: Iterable[tuple[str, Place]]) -> None:
        """Write one paragraph whose parts have different places, as over the end of a page."""
        ranges: list[TextRange] = []
        for text, place in parts:
            self._place = place
            line = fold_to_line(text)
            if line:
                ranges.append(self._write(line, " " if ranges else _PARAGRAPH_BREAK))
        if ranges:
            self._add_block([(ranges[0][0], ranges[-1][1])])

    def embed(self, name: str, inner: ExtractedText) -> None:
        """Write another document under `name`, with its own headings and places."""
        self.end_headings()
        self.heading(1, name)
        # The blocks of the inner document stand under `name`, so it is not bare.
        self._bare_heading, self._place = None, inner.places.at(0)
        offset, _ = self._write(inner.text, _PARAGRAPH_BREAK)
        for block in inner.blocks:
            units = tuple((first + offset, last + offset) for first, last in block.units)
            headings = (*self._headings(self._open_headings), *block.headings)
            self._blocks.append(
                Block(block.start + offset, block.end + offset, units, headings, block.columns)
            )
        for start, place in zip(inner.places.starts, inner.places.places, strict=True):
            if start:  # `_write` has recorded the place of the first character
                self._place_starts.append(offset + start)
                self._places.append(place)
        self._place = Place()
        self.end_headings()

    def build(self, *, date: str | None = None, encoding: str = BINARY) -> ExtractedText:
        """Return the document. Raises EmptyFile if nothing was written."""
        self._flush_bare_heading()
        text = "".join(self._parts)
        if not text:
            raise EmptyFile("holds no text")
        return ExtractedText(
            text=text,
            blocks=tuple(self._blocks),
            title=self.title or self.first_heading,
            date=date,
            places=Places(tuple(self._place_starts), tuple(self._places)),
            encoding=encoding,
        )

    def _write_units(self, units: Iterable[tuple[str, str, Place]], *, alone: bool = False) -> None:
        """Write lines of (prefix, text, place) as one block.

        With `alone` each line is a block, if there are at most `ROWS_ALONE`. Prefixes belong to no
        unit.
        """
        ranges: list[TextRange] = []
        for prefix, text, place in units:
            line = fold_to_line(text)
            if not line:
                continue
            self._place = place
            start, end = self._write(prefix + line, "\n" if ranges else _PARAGRAPH_BREAK)
            ranges.append((start + len(prefix), end))
        if alone and len(ranges) <= ROWS_ALONE:
            for unit in ranges:
                self._add_block([unit])
        elif ranges:
            self._add_block(ranges)

    def _add_block(self, units: list[TextRange]) -> None:
        self._bare_heading = None
        start, end = units[0][0], units[-1][1]
        self._blocks.append(Block(start, end, tuple(units), self._headings(self._open_headings)))

    def _flush_bare_heading(self) -> None:
        """Make a block of a heading with nothing under it, so that no text is lost."""
        if self._bare_heading is None:
            return
        # The heading is the block's own text, so only those above it are its headings.
        headings = self._headings(self._open_headings[:-1])
        self._blocks.append(Block(*self._bare_heading, (self._bare_heading,), headings))
        self._bare_heading = None

    def _headings(self, path: list[tuple[int, str]]) -> tuple[str, ...]:
        """Return the names of a path of headings, below the title of the document."""
        names = [name for _, name in path]
        if self.title and self.title not in names:
            return (self.title, *names)
        return tuple(names)

    def _write(self, text: str, separator: str) -> TextRange:
        """Append a text and return its range; `separator` stands before all but the first.

        Every part of the document passes here, so that the length and the places are exact.
        """
        start = self._length + (len(separator) if self._parts else 0)
        if start + len(text) > MAX_CHARACTERS:
            raise ExtractionLimit(
                f"holds more than {MAX_CHARACTERS:,} characters of text: split it"
            )
        place_before = self._places[-1] if self._places else Place()
        if self._place != place_before:
            self._place_starts.append(start)
            self._places.append(self._place)
        self._parts += [separator, text] if self._parts else [text]
        self._length = start + len(text)
        return start, self._length
