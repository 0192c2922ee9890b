"""Block structure of plain text and Markdown: paragraphs, lists, tables and headings.

Plain text is split at blank lines. The lines between two blank lines are one paragraph if they look
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
"""Longest line of wrapped text, in characters; common margins are 72 to 100."""
WRAP_FILL = 0.6
"""Least length of a wrapped line, but the last, relative to the longest."""

MAX_NESTING = 100
"""Levels of lists and quotes that are read.

markdown-it-py's own limit of 20 loses text; each level takes a few of Python's 1,000 frames.
"""
_SENTENCE_ENDS = (".", "!", "?", "…", ":", ";")


@dataclass(frozen=True, slots=True)
class Structure:
    """Blocks of a text in order, with its title, day (YYYY-MM-DD) and tags."""

    blocks: tuple[Block, ...]
    title: str | None = None
    date: str | None = None
    tags: tuple[str, ...] = ()


def plain_structure(text: str) -> Structure:
    """Return the blocks of plain text, which has no headings and no title."""
    blocks: list[Block] = []
    paragraph: list[TextRange] = []
    for line in _lines(text):
        if text[slice(*line)].strip():
            paragraph.append(line)
            continue
        blocks.extend(_paragraph_blocks(text, paragraph))
        paragraph = []
    blocks.extend(_paragraph_blocks(text, paragraph))
    return Structure(tuple(blocks))


def markdown_structure(text: str) -> Structure:
    """Return the blocks of Markdown under their heading paths.

    The title is that of the front matter, else the first heading.
    """
    walk = _MarkdownWalk(text, _lines(text))
    for token in _parser().parse(text):
        walk.visit(token)
    return Structure(walk.finish(), walk.title or walk.first_heading, walk.date, walk.tags)


def _lines(text: str) -> list[TextRange]:
    """Return the range of every line without its line feed.

    Only LF ends a line, as in `Document.text`; `str.splitlines` knows more line ends.
    """
    starts = list(accumulate((len(line) + 1 for line in text.split("\n")), initial=0))
    return [(start, next_start - 1) for start, next_start in pairwise(starts)]


def _paragraph_blocks(text: str, lines: list[TextRange]) -> list[Block]:
    """Return consecutive lines as one wrapped paragraph, or as a block each."""
    if not lines:
        return []
    if _is_wrapped([text[start:end].rstrip() for start, end in lines]):
        span = (lines[0][0], lines[-1][1])
        return [Block(*span, units=(span,))]
    return [Block(*line, units=(line,)) for line in lines]


def _is_wrapped(lines: list[str]) -> bool:
    """Return True if lines look like a paragraph wrapped at a margin.

    They come without white space at their ends. Headlines of a feed differ: all of them end in a
    full stop or "…", or their lengths vary.
    """
    longest = max(map(len, lines))
    if longest > WRAP_MARGIN:
        return False
    fill_margin = all(len(line) >= WRAP_FILL * longest for line in lines[:-1])
    all_end_sentences = all(line.endswith(_SENTENCE_ENDS) for line in lines[:-1])
    return fill_margin and not all_end_sentences


@cache
def _parser(*, inline: bool = False) -> MarkdownIt:
    """Return a parser of block structure alone, or of inline markup too.

    Inline markup matters in headings and column names only, which are parsed one by one.
    """
    from markdown_it import MarkdownIt
    from mdit_py_plugins.front_matter import front_matter_plugin

    parser = (
        MarkdownIt("commonmark", {"maxNesting": MAX_NESTING})
        .enable("table")
        .use(front_matter_plugin)
    )
    return parser if inline else parser.disable("inline")


# A row is a leaf only in lists and quotations; tables at the top level are read as a whole.
_LEAVES = {"paragraph_open", "heading_open", "fence", "code_block", "html_block", "tr_open"}
_CONTAINERS = {"bullet_list_open", "ordered_list_open", "blockquote_open"}


@dataclass
class _Table:
    """Table under construction: the names of its columns, and the ranges of its rows."""

    names: list[str] = field(default_factory=list)
    rows: list[TextRange] = field(default_factory=list)


@dataclass
class _MarkdownWalk:
    """One pass over markdown-it's tokens, which come in document order with nesting levels."""

    text: str
    lines: list[TextRange]
    blocks: list[Block] = field(default_factory=list)
    title: str | None = None
    date: str | None = None
    tags: tuple[str, ...] = ()
    first_heading: str | None = None
    _path: list[tuple[int, str]] = field(default_factory=list)
    """Open headings as (level, text), the outermost first."""
    _heading_line: TextRange | None = None
    """Range of the last heading, until a block follows it."""
    _heading_level: int | None = None
    """Level of a heading whose text is in the next token."""
    _container_end: int = 0
    """Line after the last list, quotation or table at the top level."""
    _units: dict[int, list[TextRange]] = field(default_factory=dict)
    """Items of each list and quotation, by the index of its block."""
    _table: _Table | None = None

    def visit(self, token: Token) -> None:
        """Take in the next token."""
        if token.type == "front_matter":
            metadata = front_matter(token.content)
            self.title, self.date, self.tags = metadata.title, metadata.date, metadata.tags
        elif token.type == "inline":
            self._visit_inline(token.content)
        elif self._table is not None:
            self._visit_table_part(self._table, token)
        elif token.map and token.level == 0:
            self._visit_top_level(token, token.map)
        elif token.map and token.type in _LEAVES:
            self._add_leaf(token.type, token.map)

    def finish(self) -> tuple[Block, ...]:
        """Return the blocks, each list and quotation with its items."""
        self._close_heading()
        return tuple(
            replace(block, units=tuple(self._units.get(index, block.units)))
            for index, block in enumerate(self.blocks)
        )

    def _visit_inline(self, content: str) -> None:
        """Take in text: only that of headings and column names is needed."""
        if self._heading_level is not None:
            self._open_heading(self._heading_level, content)
            self._heading_level = None
        elif self._table is not None and len(self._table.rows) == 1:
            self._table.names.append(_plain(content))

    def _visit_table_part(self, table: _Table, token: Token) -> None:
        if token.type == "tr_open" and token.map:
            table.rows.append(self._span(token.map))
        elif token.type == "table_close":
            self._table = None
            self._add_table(table)

    def _visit_top_level(self, token: Token, lines: list[int]) -> None:
        """Take in a block that is in no list or quotation."""
        if token.type == "heading_open":
            self._close_heading()
            self._heading_level = int(token.tag[1:])
            self._heading_line = self._span(lines)
        elif token.type == "table_open":
            self._container_end, self._table = lines[1], _Table()
        elif token.type in _CONTAINERS:
            self._container_end = lines[1]
            self._add(Block(*self._span(lines), units=(), headings=self._headings))
        elif token.type in _LEAVES:
            self._add_leaf(token.type, lines)

    def _open_heading(self, level: int, content: str) -> None:
        heading = _plain(content)
        # A heading closes all of its level and below.
        self._path = [(depth, name) for depth, name in self._path if depth < level]
        self._path.append((level, heading))
        self.first_heading = self.first_heading or heading or None

    def _close_heading(self) -> None:
        """Add a heading with no block under it as a block itself."""
        if self._heading_line is not None:
            line = self._heading_line
            self._add(Block(*line, units=(line,), headings=self._headings[:-1]))

    def _add_table(self, table: _Table) -> None:
        """Add each row of a table as a block, or the table as a whole.

        The first row names the columns, and rows without text are left out. A table of more than
        ROWS_ALONE rows or without column names is one block.
        """
        names = tuple(table.names)
        body = [row for row in table.rows[1:] if self._has_filled_cell(row)]
        if 0 < len(body) <= ROWS_ALONE and any(names):
            for row in body:
                self._add(Block(*row, units=(row,), headings=self._headings, columns=names))
        else:
            start, end = table.rows[0][0], table.rows[-1][1]
            self._add(Block(start, end, tuple(table.rows), self._headings))

    def _has_filled_cell(self, row: TextRange) -> bool:
        return any(start < end for start, end in cells(self.text[slice(*row)]))

    def _add_leaf(self, kind: str, lines: list[int]) -> None:
        """Add a leaf as a block, or as a unit of its list or quotation."""
        span = self._span(lines)
        # Tokens come in document order, so that a line decides if the last container is over.
        if lines[0] >= self._container_end:
            units = self._visible_lines(lines) if kind in {"fence", "code_block"} else (span,)
            self._add(Block(*span, units=units, headings=self._headings))
        elif self.blocks:
            self._units.setdefault(len(self.blocks) - 1, []).append(span)

    def _visible_lines(self, lines: list[int]) -> tuple[TextRange, ...]:
        return tuple(line for line in self.lines[slice(*lines)] if self.text[slice(*line)].strip())

    def _add(self, block: Block) -> None:
        if self.text[block.start : block.end].strip():
            self.blocks.append(block)
        self._heading_line = None

    @property
    def _headings(self) -> tuple[str, ...]:
        """Heading path at this place, below the title of the front matter."""
        names = [name for _, name in self._path if name]
        # Many texts repeat the title of their front matter as first heading.
        if self.title and self.title not in names:
            names.insert(0, self.title)
        return tuple(names)

    def _span(self, lines: list[int]) -> TextRange:
        """Return the range of [first, last) lines without white space at its end."""
        first, after = lines
        start, end = self.lines[first][0], self.lines[min(after, len(self.lines)) - 1][1]
        return start, start + len(self.text[start:end].rstrip())


def _plain(markup: str) -> str:
    """Return the text of inline markup on one line, without the markup."""
    [inline] = _parser(inline=True).parseInline(markup)
    parts: list[str] = []
    for child in inline.children or []:
        if child.content:
            parts.append(child.content)
        elif child.type.endswith("break"):
            parts.append(" ")
    return " ".join("".join(parts or [markup]).split())
