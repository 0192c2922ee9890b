"""Where the paragraphs, lists, tables and headings of a text are.

Plain text is split at blank lines; the lines between two blank lines are one paragraph if they look
wrapped at a margin, else one paragraph each (a feed of headlines). Markdown is parsed by
markdown-it-py, whose tokens carry line numbers (CommonMark with pipe tables).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from index.document import Block, TextRange
from index.rendering import ROWS_ALONE, cells
from index.text.metadata import front_matter

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

WRAP_MARGIN = 100
"""Longest line, in characters, of text that is taken as wrapped at a margin; common margins are 72
to 100.
"""
WRAP_FILL = 0.6
"""Every line of a wrapped paragraph but its last fills at least this share of the longest line."""

MAX_NESTING = 100
"""Levels of lists and quotes that are read; markdown-it-py's own limit of 20 loses text, and each
level takes a few of Python's 1,000 frames.
"""
_SENTENCE_ENDS = (".", "!", "?", "…", ":", ";")


@dataclass(frozen=True, slots=True)
class Structure:
    """The blocks of a text in order, and the title, the day (YYYY-MM-DD) and the tags that its
    author gave it, if any.
    """

    blocks: tuple[Block, ...]
    title: str | None = None
    date: str | None = None
    tags: tuple[str, ...] = ()


def plain_structure(text: str) -> Structure:
    """Blocks of plain text. It has no headings and no title."""
    blocks: list[Block] = []
    paragraph: list[TextRange] = []
    for line in [*_lines(text), (len(text), len(text))]:
        if text[slice(*line)].strip():
            paragraph.append(line)
            continue
        blocks.extend(_paragraph_blocks(text, paragraph))
        paragraph = []
    return Structure(tuple(blocks))


def markdown_structure(text: str) -> Structure:
    """Blocks of Markdown under their heading paths; the title is that of the front matter, else the
    first heading.
    """
    walk = _MarkdownWalk(text, _lines(text))
    for token in _parser().parse(text):
        walk.visit(token)
    return Structure(walk.finished(), walk.title or walk.first_heading, walk.date, walk.tags)


def _lines(text: str) -> list[TextRange]:
    """The range of every line without its line feed; only LF ends a line, as in `Document.text`."""
    starts = list(accumulate((len(line) + 1 for line in text.split("\n")), initial=0))
    return [(start, after - 1) for start, after in pairwise(starts)]


def _paragraph_blocks(text: str, lines: list[TextRange]) -> list[Block]:
    if not lines:
        return []
    if _is_wrapped([text[start:end].rstrip() for start, end in lines]):
        span = (lines[0][0], lines[-1][1])
        return [Block(*span, units=(span,))]
    return [Block(*line, units=(line,)) for line in lines]


def _is_wrapped(lines: list[str]) -> bool:
    """Lines of one margin that do not all end a sentence; a feed's headlines end in a full stop or
    "…", or are of any length.
    """
    longest = max(map(len, lines))
    filled = all(len(line) >= WRAP_FILL * longest for line in lines[:-1])
    return (
        longest <= WRAP_MARGIN
        and filled
        and not all(line.endswith(_SENTENCE_ENDS) for line in lines[:-1])
    )


@cache
def _parser(*, inline: bool = False) -> MarkdownIt:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.front_matter import front_matter_plugin

    parser = (
        MarkdownIt("commonmark", {"maxNesting": MAX_NESTING})
        .enable("table")
        .use(front_matter_plugin)
    )
    return parser if inline else parser.disable("inline")


_LEAVES = {"paragraph_open", "heading_open", "fence", "code_block", "html_block", "tr_open"}
_CONTAINERS = {"bullet_list_open", "ordered_list_open", "blockquote_open"}


@dataclass
class _Table:
    """A table that is being walked: the names of its columns, then its rows."""

    names: list[str] = field(default_factory=list)
    rows: list[TextRange] = field(default_factory=list)


@dataclass
class _MarkdownWalk:
    """One pass over markdown-it's tokens, which arrive in document order with their nesting level."""

    text: str
    lines: list[TextRange]
    blocks: list[Block] = field(default_factory=list)
    title: str | None = None
    date: str | None = None
    tags: tuple[str, ...] = ()
    first_heading: str | None = None
    _path: list[tuple[int, str]] = field(default_factory=list)
    _heading_line: TextRange | None = None
    _heading_level: int | None = None
    _container_end: int = 0
    _units: dict[int, list[TextRange]] = field(default_factory=dict)
    _table: _Table | None = None

    def visit(self, token: Token) -> None:
        if token.type == "front_matter":
            found = front_matter(token.content)
            self.title, self.date, self.tags = found.title, found.date, found.tags
        elif token.type == "heading_open" and token.map and token.level == 0:
            self.close_heading()
            self._heading_level = int(token.tag[1:])
            self._heading_line = self._span(token.map)
        elif token.type == "inline" and self._heading_level is not None:
            self._open_heading(self._heading_level, token.content)
            self._heading_level = None
        elif token.map and token.type == "table_open" and token.level == 0:
            self._container_end, self._table = token.map[1], _Table()
        elif self._table is not None:
            self._in_table(self._table, token)
        elif token.map and token.type in _CONTAINERS and token.level == 0:
            self._container_end = token.map[1]
            self._add(Block(*self._span(token.map), units=(), headings=self._headings))
        elif token.map and token.type in _LEAVES:
            self._leaf(token.type, token.map)

    def close_heading(self) -> None:
        """A heading with nothing under it is a passage of its own, so that no text of the document
        is lost.
        """
        if self._heading_line is not None:
            self._add(
                Block(
                    *self._heading_line, units=(self._heading_line,), headings=self._headings[:-1]
                )
            )

    def finished(self) -> tuple[Block, ...]:
        """The blocks, each list, table and quotation with its items."""
        self.close_heading()
        return tuple(
            replace(block, units=tuple(self._units.get(at, block.units)))
            for at, block in enumerate(self.blocks)
        )

    def _in_table(self, table: _Table, token: Token) -> None:
        """A table's first row names its columns; each other row with text is a block, if there are
        not too many.
        """
        if token.type == "tr_open" and token.map:
            table.rows.append(self._span(token.map))
        elif token.type == "inline" and len(table.rows) == 1:
            table.names.append(_plain(token.content))
        elif token.type == "table_close":
            self._table = None
            names = tuple(table.names)
            rows = [
                row
                for row in table.rows[1:]
                if any(start < end for start, end in cells(self.text[slice(*row)]))
            ]
            if 0 < len(rows) <= ROWS_ALONE and any(names):
                for row in rows:
                    self._add(Block(*row, units=(row,), headings=self._headings, columns=names))
            else:
                self._add(
                    Block(table.rows[0][0], table.rows[-1][1], tuple(table.rows), self._headings)
                )

    def _leaf(self, kind: str, lines: list[int]) -> None:
        span = self._span(lines)
        if lines[0] >= self._container_end:
            units = self._rows(lines) if kind in {"fence", "code_block"} else (span,)
            self._add(Block(*span, units=units, headings=self._headings))
        elif self.blocks:
            self._units.setdefault(len(self.blocks) - 1, []).append(span)

    def _rows(self, lines: list[int]) -> tuple[TextRange, ...]:
        return tuple(line for line in self.lines[slice(*lines)] if self.text[slice(*line)].strip())

    def _open_heading(self, level: int, content: str) -> None:
        heading = _plain(content)
        self._path = [(depth, name) for depth, name in self._path if depth < level]
        self._path.append((level, heading))
        self.first_heading = self.first_heading or heading or None

    def _add(self, block: Block) -> None:
        if self.text[block.start : block.end].strip():
            self.blocks.append(block)
        self._heading_line = None

    @property
    def _headings(self) -> tuple[str, ...]:
        names = [name for _, name in self._path if name]
        return tuple([self.title, *names] if self.title and self.title not in names else names)

    def _span(self, lines: list[int]) -> TextRange:
        first, after = lines
        start, end = self.lines[first][0], self.lines[min(after, len(self.lines)) - 1][1]
        return start, start + len(self.text[start:end].rstrip())


def _plain(markup: str) -> str:
    """The text of a heading without its inline markup, on one line."""
    [inline] = _parser(inline=True).parseInline(markup)
    parts = [
        child.content or " "
        for child in inline.children or []
        if child.content or child.type.endswith("break")
    ]
    return " ".join("".join(parts or [markup]).split())
