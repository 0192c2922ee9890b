"""A document, its blocks and its chunks.

Ranges are half-open and count code points of `Document.text`. For a text file, `Document.text` is
the decoded file without its byte order mark and with CRLF and CR replaced by LF; for other formats
it is what `index.formats` extracts. Any other normalisation happens where it is needed and never
reaches what is stored or quoted.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import regex

from index.rendering import Rendering, render_row

TextRange = tuple[int, int]
"""Half-open range [start, end) in code points of a document's text."""
DateSource = Literal["text", "name", "file"]
"""Origin of a document's date: its text, its name, or the properties of its file."""


BlockKind = Literal["heading", "paragraph", "list", "table", "code", "pairs"]
"""Kinds of blocks; `pairs` are terms with their definitions, keys with their values."""


_PART_URI = regex.compile(r"(?s)(?P<file>.+)#(?P<part>\d+(?:\.\d+)*)")


def part_id(file_id: str, part: str) -> str:
    """Return the id of a part of the file whose own document has the id `file_id`."""
    import hashlib  # OpenSSL takes 5 MB of the memory that a parser process may have

    return hashlib.sha256(f"{file_id}#{part}".encode()).hexdigest()[:16]


def part_uri(uri: str, part: str) -> str:
    """Return the uri of a part of a file: "mail.eml#2.1"."""
    return f"{uri}#{part}"


def split_uri(uri: str) -> tuple[str, str]:
    """Return the uri of the file and the part that a uri may name; "" for the file itself.

    The name of a file may end alike: such a file has no such part.
    """
    match = _PART_URI.fullmatch(uri)
    return (match["file"], match["part"]) if match else (uri, "")


def heading_path(headings: Sequence[str]) -> str | None:
    """Return headings, the outermost first, on one line; None without any."""
    return " › ".join(headings) or None


class Entry(NamedTuple):
    """Item of a list, row of a table, or pair: its label and its content.

    The label is the mark of an item ("2."), the key of a pair, and empty for a row and for a value
    without a key. An item holds the items inside it.
    """

    label: TextRange
    content: TextRange

    @property
    def span(self) -> TextRange:
        """Range of label and content together."""
        filled = [each for each in self if each[0] < each[1]] or [self.content]
        return min(start for start, _ in filled), max(end for _, end in filled)


@dataclass(frozen=True, slots=True)
class Block:
    """Heading, paragraph, list, table, code or pairs, under its headings.

    `units` are the parts of [start, end) that no sentence crosses: the one range of a paragraph,
    the items of a list, the rows of a table. The last of a heading's own `headings` is its name,
    and `level` its level, from 1. `columns` holds the column names of a Markdown table; the rows of
    other tables repeat theirs. `lead` is the sentence before a block that leads in to it ("The
    risks are:"). `numbered` is True for a list of numbers or letters. `entries` are the outermost
    items of a list, the rows of a table, the pairs.
    """

    start: int
    end: int
    units: tuple[TextRange, ...]
    headings: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    kind: BlockKind = "paragraph"
    level: int = 0
    lead: TextRange | None = None
    numbered: bool = False
    entries: tuple[Entry, ...] = ()

    @property
    def heading(self) -> str | None:
        """Heading path on one line, or None without headings."""
        return heading_path(self.headings)

    def moved(self, offset: int, headings: tuple[str, ...] = ()) -> Block:
        """Return the block as part of a text where it begins `offset` later, under headings."""

        def at(span: TextRange) -> TextRange:
            return span[0] + offset, span[1] + offset

        return replace(
            self,
            start=self.start + offset,
            end=self.end + offset,
            units=tuple(map(at, self.units)),
            headings=(*headings, *self.headings),
            lead=None if self.lead is None else at(self.lead),
            entries=tuple(Entry(at(label), at(content)) for label, content in self.entries),
        )


@dataclass(frozen=True, slots=True)
class SourceBytes:
    """Mapping from the characters of a text to the bytes of its file.

    `crlf` holds, in ascending order, the text offsets of the line feeds that were CR LF in the
    file. `extractor` is the name and version of the program that extracted the text where it is not
    a decoding of the bytes (a PDF); such characters have no bytes of their own. The same bytes and
    the same extractor give the same text.
    """

    sha256: str
    size: int
    encoding: str
    bom_size: int
    crlf: tuple[int, ...]
    extractor: str | None = None

    def offsets(self, text: str, positions: Sequence[int]) -> list[int]:
        """Return the byte offsets in the file of code point offsets of `text`."""
        carriage_return_size = len("\r".encode(self.encoding))

        def byte_offset(position: int) -> int:
            encoded_size = len(text[:position].encode(self.encoding))
            # Each CR LF before the position lost its carriage return when the text was decoded.
            removed_returns = bisect_left(self.crlf, position)
            return self.bom_size + encoded_size + carriage_return_size * removed_returns

        return [byte_offset(position) for position in positions]


@dataclass(frozen=True, slots=True)
class Place:
    """Location in a document in terms of its format: page, slide, sheet, row and mail.

    Numbers start at 1. A field is None if the format has no such unit. `mail` names a mail inside
    another, or in a mailbox, by its number and subject.
    """

    page: int | None = None
    slide: int | None = None
    sheet: str | None = None
    row: int | None = None
    mail: str | None = None

    def __str__(self) -> str:
        """Return the place in words: "page 3", "sheet Prices, row 4"; empty if unknown."""
        parts = (
            ("mail", self.mail),
            ("page", self.page),
            ("slide", self.slide),
            ("sheet", self.sheet),
            ("row", self.row),
        )
        return ", ".join(f"{name} {value}" for name, value in parts if value is not None)


@dataclass(frozen=True, slots=True)
class Places:
    """Places of the characters of a text.

    `places[i]` holds from offset `starts[i]` to the next start; `starts` ascend.
    """

    starts: tuple[int, ...] = ()
    places: tuple[Place, ...] = ()

    def at(self, offset: int) -> Place:
        """Return the place of the character at `offset`."""
        following = bisect_right(self.starts, offset)
        return self.places[following - 1] if following else Place()


NOWHERE = Places()
"""Places of a text whose format has no pages, slides or rows."""


@dataclass(frozen=True, slots=True)
class PageCounts:
    """Numbers of pages of a document: all, without text, in columns, recognised from images."""

    pages: int = 0
    without_text: int = 0
    in_columns: int = 0
    recognised: int = 0


NO_PAGES = PageCounts()
"""Counts of a format without pages."""


@dataclass(frozen=True, slots=True)
class Document:
    """Text of one file or of a part of it, with the metadata needed to cite it.

    `uri` is relative to the indexed folder and uses forward slashes. `title_is_real` is True for a
    title that the author wrote (front matter, heading) and False for one made of the first words,
    which is for display only. `date` is the document's date as `index.text.dates` stores it, and
    `date_source` its origin; both are None if it has none. `places` gives the page, slide or row
    of each character in formats that have them. `tags` come from the document itself. `remark`
    names the parts of the file that the text lacks. `pages` counts pages by how they were read.

    `parts` are the documents inside the file, as the mails in a mailbox, however deep; `part` is
    the number of such a document in the file ("2", "2.1"), empty for the file's own. They have the
    file's `source` and stay and go with it.
    """

    id: str
    uri: str
    title: str
    title_is_real: bool
    text: str
    blocks: tuple[Block, ...]
    source: SourceBytes
    language: str | None
    date: str | None = None
    date_source: DateSource | None = None
    places: Places = NOWHERE
    tags: tuple[str, ...] = ()
    remark: str = ""
    pages: PageCounts = NO_PAGES
    part: str = ""
    parts: tuple[Document, ...] = ()

    def named(self, identity: str, uri: str) -> Document:
        """Return the document with another id and uri, and its parts with those that follow."""
        parts = tuple(
            replace(each, id=part_id(identity, each.part), uri=part_uri(uri, each.part))
            for each in self.parts
        )
        return replace(self, id=identity, uri=uri, parts=parts)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Unit of storage and retrieval: consecutive sentences of a document.

    `document.text[start:end] == text`. `sentences` are ranges of the document's text. `columns`
    holds the column names if the chunk is one row of a Markdown table.
    """

    document_id: str
    start: int
    end: int
    text: str
    sentences: tuple[TextRange, ...]
    headings: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()

    @property
    def heading(self) -> str | None:
        """Heading path on one line, or None without headings."""
        return heading_path(self.headings)

    @property
    def rendering(self) -> Rendering:
        """Chunk text with the column names of a table row, as the reader sees it."""
        return render_row(self.text, self.columns)

    @property
    def embedded_text(self) -> str:
        """Text for the encoder and the analyser: the headings, then the rendered chunk.

        A chunk of plain text may begin with its own heading, which is not said twice.
        """
        text = self.rendering.text
        begins_with_heading = bool(self.headings) and text.startswith(f"{self.headings[-1]}\n")
        headings = self.headings[:-1] if begins_with_heading else self.headings
        return "\n".join([*headings, text])
