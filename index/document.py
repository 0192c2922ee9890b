"""A document, its blocks and its chunks.

Offsets are half-open ranges of code points of `Document.text`. Of a text file `Document.text` is
the decoded file with only the byte order mark removed and CRLF and CR made LF, of other formats
what `index.formats` extracts; every other folding happens where it is used, never in what is stored
or quoted.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from index.rendering import Rendering, render_row

TextRange = tuple[int, int]
"""[start, end) in code points of a document's text."""


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, list, table or code block under its headings.

    `units` are the parts of [start, end) that no sentence crosses: the one range of a paragraph,
    the items of a list, the rows of a table. `columns` are the names of the columns of what is one
    row of a Markdown table.
    """

    start: int
    end: int
    units: tuple[TextRange, ...]
    headings: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceBytes:
    """How the characters of a text map to the bytes of the file they came from.

    `crlf` holds, in ascending order, the text offsets of those line feeds that were two bytes'
    worth of characters (CR LF) in the file. `extractor` names and versions what made the text where
    it is no decoding of the bytes (a PDF), whose characters have no bytes of their own: the same
    bytes and extractor give the same text.
    """

    sha256: str
    size: int
    encoding: str
    bom_size: int
    crlf: tuple[int, ...]
    extractor: str | None = None

    def offsets(self, text: str, positions: Sequence[int]) -> list[int]:
        """Byte offsets in the file of code point offsets of `text`."""
        carriage_return = len("\r".encode(self.encoding))
        return [
            self.bom_size
            + len(text[:at].encode(self.encoding))
            + carriage_return * bisect_left(self.crlf, at)
            for at in positions
        ]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a piece of a document stands in its format, counted from 1 as people count; None is
    what the format does not have.
    """

    page: int | None = None
    slide: int | None = None
    sheet: str | None = None
    row: int | None = None

    def __str__(self) -> str:
        """In words: "page 3", "slide 2", "sheet Prices, row 4"; empty if nothing is known."""
        parts = (
            ("page", self.page),
            ("slide", self.slide),
            ("sheet", self.sheet),
            ("row", self.row),
        )
        return ", ".join(f"{name} {value}" for name, value in parts if value is not None)


@dataclass(frozen=True, slots=True)
class Places:
    """The places of a text: `places[i]` is that of the characters from `starts[i]` to the next
    start; `starts` ascend.
    """

    starts: tuple[int, ...] = ()
    places: tuple[Place, ...] = ()

    def at(self, offset: int) -> Place:
        """The place of a character of the text."""
        found = bisect_right(self.starts, offset)
        return self.places[found - 1] if found else Place()


NOWHERE = Places()
"""Of a format without pages, slides or rows."""


@dataclass(frozen=True, slots=True)
class Document:
    """One file as text, with what is needed to cite it.

    `uri` is relative to the folder that was indexed, with forward slashes. `title_is_real` tells a
    title that the author wrote (front matter, heading) from one made of the first words, which is
    for display only. `date` is the day, YYYY-MM-DD, that its author gave it in the front matter or
    the file name. `places` says on which page, slide or row its characters stand, in formats that
    have such; `tags` are those that it names itself; `remark` says what of the file is not in the
    text.
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
    places: Places = NOWHERE
    tags: tuple[str, ...] = ()
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage: `document.text[start:end] == text`, with its sentences as ranges of the document's
    text, and the names of its columns if it is a row of a Markdown table.
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
        """The heading path as one line, or None."""
        return " › ".join(self.headings) or None

    @property
    def rendering(self) -> Rendering:
        """The passage as it is read."""
        return render_row(self.text, self.columns)

    @property
    def embedded_text(self) -> str:
        """What the encoder and the analyser see: the headings, then the passage as it is read."""
        return "\n".join([*self.headings, self.rendering.text])
