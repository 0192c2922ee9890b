"""The text extracted from a file, and the builder that every format composes it with.

The builder counts the offsets of blocks and places while it writes, so no format computes its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import regex

from index.document import (
    NO_PAGES,
    NOWHERE,
    Block,
    BlockKind,
    Entry,
    PageCounts,
    Place,
    Places,
    TextRange,
)
from index.errors import EmptyFile, ExtractionLimit
from index.text.structure import blocks_from_plain, blocks_to_plain, with_leads, with_typed_lists
from index.text.unseen import joined_remarks, zero_width_remark, zero_width_words

MAX_CHARACTERS = 32 * 1024 * 1024
"""Characters of extracted text.

10,000 pages have 30 million; a small file that yields more is no document.
"""
DASH = "-"
"""Marker of a list item without a number."""
BINARY = "binary"
"""Encoding of formats that are not text."""

_PARAGRAPH_BREAK = "\n\n"
_SECTION_LEVEL = -100
"""Level of the first heading above those of the text itself."""

# Control characters, soft hyphens and zero-width marks: invisible, and in the way of a search.
_INVISIBLE = regex.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b\u2060\ufeff\ufffe\uffff]")
_SURROGATE = regex.compile(r"\p{Cs}")
_SPACES = regex.compile(r"[^\S\n]+")
_AROUND_LINE_FEED = regex.compile(r" ?\n ?")
_BLANK_LINES = regex.compile(r"\n{2,}")


class ColumnNames(str):
    """Line of a table's header, whose names the lines below it repeat.

    It stands in the text, where a reader sees it above the rows, and in no unit: it would be found
    in place of the values.
    """

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class ExtractedText:
    """The text of a file with its blocks and places.

    `title` and `date` (YYYY-MM-DD) are what the author gave the file, None if there is none.
    `bom_size` and `crlf` are those of `SourceBytes`, and `tags` those of the front matter; only
    files that are text have them. `remark` continues a sentence that begins with the file's name
    and says what of the file is not in the text; empty if nothing is missing. Formats with pages
    count them. `part` and `parts` are those of `Document`.
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
    pages: PageCounts = NO_PAGES
    part: str = ""
    parts: tuple[ExtractedText, ...] = ()

    def to_plain(self) -> dict[str, Any]:
        """Return JSON types, which `from_plain` reads back."""
        return {
            "text": self.text,
            "blocks": blocks_to_plain(self.blocks),
            "title": self.title,
            "date": self.date,
            "places": places_to_plain(self.places),
            "encoding": self.encoding,
            "remark": self.remark,
            "pages": asdict(self.pages),
            "part": self.part,
            "parts": [part.to_plain() for part in self.parts],
        }

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Self:
        """Return the text that `to_plain` turned into JSON types."""
        return cls(
            text=plain["text"],
            blocks=blocks_from_plain(plain["blocks"]),
            title=plain["title"],
            date=plain["date"],
            places=places_from_plain(plain["places"]),
            encoding=plain["encoding"],
            remark=plain["remark"],
            pages=PageCounts(**plain["pages"]),
            part=plain["part"],
            parts=tuple(map(cls.from_plain, plain["parts"])),
        )


def places_to_plain(places: Places) -> list[list[Any]]:
    """Return JSON types: [start, page, slide, sheet, row, mail] of each place."""
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


def as_parts(inner: ExtractedText, number: int, mail: str) -> Iterator[ExtractedText]:
    """Yield a mail inside a file, and the mails inside it, as parts of the file.

    `number` is its number among the mails of the file, and `mail` names it: that is where all of
    its places are.
    """

    def placed(places: Places) -> Places:
        starts, inside = places.starts, places.places
        if not starts or starts[0] > 0:
            starts, inside = (0, *starts), (Place(), *inside)
        named = (" > ".join(filter(None, (mail, place.mail))) for place in inside)
        moved = (replace(place, mail=name) for place, name in zip(inside, named, strict=True))
        return Places(starts, tuple(moved))

    for each in (inner, *inner.parts):
        part = f"{number}.{each.part}" if each.part else str(number)
        yield replace(each, part=part, parts=(), places=placed(each.places))


def _clipped(block: Block, start: int, end: int) -> Block | None:
    """Return the part of a block inside [start, end), None if nothing of it is."""

    def clipped(ranges: Iterable[TextRange]) -> Iterator[TextRange]:
        for first, last in ranges:
            if max(first, start) < min(last, end):
                yield max(first, start), min(last, end)

    if start <= block.start and block.end <= end:
        return block
    units = tuple(clipped(block.units))
    if not units:
        return None
    return replace(
        block,
        start=max(block.start, start),
        end=min(block.end, end),
        units=units,
        lead=None,
        entries=tuple(
            entry for entry in block.entries if start <= entry.span[0] and entry.span[1] <= end
        ),
    )


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
        self._place = Place()
        self._place_starts: list[int] = []
        self._places: list[Place] = []
        self._zero_width_places = 0

    @property
    def length(self) -> int:
        """Number of characters written."""
        return self._length

    def set_place(self, place: Place) -> None:
        """Set the place of all that follows."""
        self._place = place

    def heading(self, level: int, text: str) -> None:
        """Write a heading, which ends those of the same and of deeper levels."""
        name = self._folded_line(text)
        if not name:
            return
        start, end = self._write(name, _PARAGRAPH_BREAK)
        outer = [(depth, above) for depth, above in self._open_headings if depth < level]
        self._open_headings = [*outer, (level, name)]
        self.first_heading = self.first_heading or name
        self._add_block([(start, end)], "heading", level=len(self._open_headings))

    def end_headings(self) -> None:
        """End all headings: what follows stands under none."""
        self.open_section(())

    def open_section(self, names: Sequence[str]) -> None:
        """End all headings; what follows stands under `names`, which are not written.

        A heading of any level stands below them.
        """
        self._open_headings = [
            (_SECTION_LEVEL + number, fold_to_line(name)) for number, name in enumerate(names)
        ]

    def section_heading(self, names: Sequence[str]) -> None:
        """Write the last of `names` as the heading of a section, which stands below the others."""
        self.open_section(names[:-1])
        self.heading(_SECTION_LEVEL + len(names) - 1, names[-1])

    def paragraph(self, text: str) -> None:
        """Write a paragraph, or several if blank lines separate them."""
        self._count_zero_width(text)
        for part in _BLANK_LINES.split(fold_whitespace(text)):
            if part:
                self._add_block([self._write(part, _PARAGRAPH_BREAK)])

    def items(self, items: Iterable[tuple[str, str]]) -> None:
        """Write a list of (marker, text); an empty marker becomes a dash.

        Markers are in the text but in no unit, so that no quote begins with one.
        """
        shown = [(marker, text) for marker, text in items if text and not text.isspace()]
        entries = self._write_lines(
            (f"{fold_to_line(marker) or DASH} ", text, self._place) for marker, text in shown
        )
        if entries:
            self._add_block(
                [entry.content for entry in entries],
                "list",
                start=entries[0].label[0],
                entries=entries,
                numbered=any(map(str.isalnum, shown[0][0])),
            )

    def lines(self, texts: Iterable[str]) -> None:
        """Write lines that belong together, as of a program."""
        entries = self._write_lines(("", text, self._place) for text in texts)
        if entries:
            self._add_block([entry.content for entry in entries], "code")

    def pairs(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Write lines "label: value", as of the head of a mail."""
        entries = self._write_lines(
            (f"{fold_to_line(label)}: ", value, self._place) for label, value in pairs
        )
        if entries:
            self._add_block([entry.span for entry in entries], "pairs", entries=entries)

    def rows(self, texts: Iterable[str]) -> None:
        """Write the rows of a table."""
        self.placed_rows((text, self._place) for text in texts)

    def placed_rows(self, rows: Iterable[tuple[str, Place]]) -> None:
        """Write the rows of a table, each with its place; `ColumnNames` are in no unit."""
        entries = self._write_lines(("", text, place) for text, place in rows)
        if entries:
            self._add_block([entry.content for entry in entries], "table", entries=entries)

    def paragraph_across_places(self, parts: Iterable[tuple[str, Place]]) -> None:
        """Write one paragraph whose parts have different places, as over the end of a page."""
        ranges: list[TextRange] = []
        for text, place in parts:
            self._place = place
            line = self._folded_line(text)
            if line:
                ranges.append(self._write(line, " " if ranges else _PARAGRAPH_BREAK))
        if ranges:
            self._add_block([(ranges[0][0], ranges[-1][1])])

    def mention(self, name: str) -> None:
        """Write the name of a document inside the file, a line that is in no passage.

        It would be found in place of the document.
        """
        line = self._folded_line(name)
        if line:
            self._write(line, _PARAGRAPH_BREAK)

    def embed(self, name: str, inner: ExtractedText) -> None:
        """Write another document under `name`, with its own headings and places."""
        self.end_headings()
        self.heading(1, name)
        self._place = inner.places.at(0)
        offset = self._append(inner.text, inner.blocks)
        for start, place in zip(inner.places.starts, inner.places.places, strict=True):
            if start:  # `_write` has recorded the place of the first character
                self._place_starts.append(offset + start)
                self._places.append(place)
        self._place = Place()
        self.end_headings()

    def excerpt(self, inner: ExtractedText, start: int, end: int) -> None:
        """Write the part [start, end) of another text, with its headings below the open ones."""
        blocks = [_clipped(block, start, end) for block in inner.blocks]
        kept = [block.moved(-start) for block in blocks if block is not None]
        self._append(inner.text[start:end], kept)
        names = (block.headings[-1] for block in kept if block.kind == "heading")
        self.first_heading = self.first_heading or next(names, None)

    def _append(self, text: str, blocks: Iterable[Block]) -> int:
        """Write a text whose blocks are known under the open headings; return its offset."""
        offset, _ = self._write(text, _PARAGRAPH_BREAK)
        headings = self._headings(self._open_headings)
        self._blocks.extend(block.moved(offset, headings) for block in blocks)
        return offset

    def build(
        self,
        *,
        date: str | None = None,
        encoding: str = BINARY,
        remark: str = "",
        parts: Sequence[ExtractedText] = (),
    ) -> ExtractedText:
        """Return the document. Raises EmptyFile if nothing was written.

        Characters without width inside words are added to the remark: they are not in the text.
        """
        text = "".join(self._parts)
        if not text:
            raise EmptyFile("holds no text")
        return ExtractedText(
            text=text,
            blocks=with_leads(text, with_typed_lists(text, self._blocks)),
            title=self.title or self.first_heading,
            date=date,
            places=Places(tuple(self._place_starts), tuple(self._places)),
            encoding=encoding,
            remark=joined_remarks(remark, zero_width_remark(self._zero_width_places)),
            parts=tuple(parts),
        )

    def _folded_line(self, text: str) -> str:
        self._count_zero_width(text)
        return fold_to_line(text)

    def _count_zero_width(self, text: str) -> None:
        if not text.isascii():
            self._zero_width_places += zero_width_words(text)

    def _write_lines(self, lines: Iterable[tuple[str, str, Place]]) -> list[Entry]:
        """Write lines of (label, text, place) and return their ranges.

        Empty texts are left out, and `ColumnNames` have no range.
        """
        entries: list[Entry] = []
        separator = _PARAGRAPH_BREAK
        for label, text, place in lines:
            line = self._folded_line(text)
            if not line:
                continue
            self._place = place
            start, end = self._write(label + line, separator)
            separator = "\n"
            if isinstance(text, ColumnNames):
                continue
            after_label = start + len(label.rstrip().removesuffix(":") if label else "")
            entries.append(Entry((start, after_label), (start + len(label), end)))
        return entries

    def _add_block(
        self,
        units: Sequence[TextRange],
        kind: BlockKind = "paragraph",
        *,
        start: int | None = None,
        level: int = 0,
        entries: Sequence[Entry] = (),
        numbered: bool = False,
    ) -> None:
        """Add what was written last as a block; `start` is before the mark of its first item."""
        self._blocks.append(
            Block(
                units[0][0] if start is None else start,
                units[-1][1],
                tuple(units),
                self._headings(self._open_headings),
                kind=kind,
                level=level,
                numbered=numbered,
                entries=tuple(entries),
            )
        )

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
