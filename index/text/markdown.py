"""Blocks of Markdown: paragraphs, headings, lists, tables and code.

Markdown is parsed by markdown-it-py, whose tokens carry line numbers (CommonMark with pipe tables).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

import regex

from index.document import Block, BlockKind, Entry, TextRange
from index.rendering import cells
from index.text.html_tables import has_text, html_tables
from index.text.lines import line_ranges
from index.text.metadata import front_matter, toml_front_matter
from index.text.structure import Structure, are_pairs, with_interrupted_lists, with_leads
from index.text.unseen import blanked, visible_blocks

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_CODE_OR_HIDDEN = regex.compile(
    r"(?P<code>`+)(?!`).*?(?<!`)(?P=code)(?!`)|(?P<hidden><!--.*?(?:-->|\Z)"
    r"|<(?P<tag>[a-z][a-z0-9]*)\b(?:[^<>]*?\s)?(?:hidden(?=[\s>/])|hidden=[^<>\s]+|style\s*=\s*"
    r"(?P<quote>[\"'])[^\"'<>]*(?:display\s*:\s*none|visibility\s*:\s*hidden)[^\"'<>]*(?P=quote))"
    r"[^<>]*>(?:(?!<(?P=tag)\b).)*?</(?P=tag)\s*>)",
    regex.DOTALL | regex.IGNORECASE,
)
"""Code, in which nothing is hidden; comments, and elements of HTML that are not shown."""
MAX_NESTING = 100
"""Levels of lists and quotes that are read.

markdown-it-py's own limit of 20 loses text; each level takes a few of Python's 1,000 frames.
"""


_MDX = regex.compile(
    r"(?ms)^(?P<fence>`{3,}|~{3,}).*?(?:^(?P=fence)|\Z)"
    r"|(?P<hidden>\{/\*.*?\*/\}|^(?:import|export)[ \t][^\n]*(?:\n(?!\s*\n)[^\n]+)*)"
)
"""Comments and modules of MDX, which its page does not show, and listings, which may show some."""


def mdx_structure(text: str) -> Structure:
    """Return the blocks of MDX: Markdown without its comments and modules."""
    hidden = [each.span() for each in _MDX.finditer(text) if each["hidden"]]
    return markdown_structure(blanked(text, hidden))


def markdown_structure(text: str) -> Structure:
    """Return the blocks of Markdown under their heading paths.

    The title is that of the front matter, else the first heading.
    """
    walk = _MarkdownWalk(text, line_ranges(text))
    source = text
    front = toml_front_matter(text)
    if front is not None:
        metadata, end = front
        walk.title, walk.date, walk.tags = metadata.title, metadata.date, metadata.tags
        source = blanked(text, [(0, end)])
    for token in _parser().parse(source):
        walk.visit(token)
    blocks = walk.finish()
    blocks = visible_blocks(text, blocks, list(_hidden(text, blocks)))
    return Structure(blocks, walk.title or walk.first_heading, walk.date, walk.tags)


def _hidden(text: str, blocks: Sequence[Block]) -> Iterator[TextRange]:
    """Yield the ranges of HTML that no reader of the rendered text sees."""
    for block in blocks:
        if block.kind != "code":
            for match in _CODE_OR_HIDDEN.finditer(text, block.start, block.end):
                if match["hidden"]:
                    yield match.span()


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


_ITEM_MARK = regex.compile(r"[ \t>]*(?P<mark>[-*+]|\d{1,9}[.)])(?:[ \t]+|$)")
_LISTS = {"bullet_list_open", "ordered_list_open"}

# A row is a leaf only in lists and quotations; tables at the top level are read as a whole.
_LEAVES = {"paragraph_open", "heading_open", "fence", "code_block", "html_block", "tr_open"}
_CONTAINERS = {*_LISTS, "blockquote_open"}
_KINDS: dict[str, BlockKind] = {"fence": "code", "code_block": "code"}


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
    _heading: tuple[int, TextRange] | None = None
    """Level and range of a heading whose text is in the next token."""
    _container_end: int = 0
    """Line after the last list, quotation or table at the top level."""
    _units: dict[int, list[TextRange]] = field(default_factory=dict)
    """Leaves of each list and quotation, by the index of its block."""
    _entries: dict[int, list[Entry]] = field(default_factory=dict)
    """Outermost items of each list, by the index of its block."""
    _marks: dict[int, int] = field(default_factory=dict)
    """Number of list items that begin on a line."""
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
        elif token.map and token.type == "list_item_open":
            self._open_item(token.map, is_outermost=token.level == 1)
        elif token.map and token.type in _LEAVES:
            self._add_leaf(token.type, token.map)

    def finish(self) -> tuple[Block, ...]:
        """Return the blocks, each list and quotation with its items."""
        blocks = [
            replace(
                block,
                units=tuple(self._units.get(index, block.units)),
                entries=tuple(self._entries.get(index, block.entries)),
            )
            for index, block in enumerate(self.blocks)
        ]
        return with_leads(self.text, with_interrupted_lists(self.text, blocks))

    def _visit_inline(self, content: str) -> None:
        """Take in text: only that of headings and column names is needed."""
        if self._heading is not None:
            self._add_heading(*self._heading, content)
            self._heading = None
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
            self._heading = int(token.tag[1:]), self._span(lines)
        elif token.type == "table_open":
            self._container_end, self._table = lines[1], _Table()
        elif token.type in _CONTAINERS:
            self._container_end = lines[1]
            is_list = token.type in _LISTS
            self._add(
                Block(
                    *self._span(lines),
                    units=(),
                    kind="list" if is_list else "paragraph",
                    numbered=token.type == "ordered_list_open",
                )
            )
        elif token.type in _LEAVES:
            self._add_leaf(token.type, lines)

    def _add_heading(self, level: int, line: TextRange, content: str) -> None:
        name = _plain(content)
        # A heading closes all of its level and below.
        self._path = [(depth, above) for depth, above in self._path if depth < level]
        self._path.append((level, name))
        self.first_heading = self.first_heading or name or None
        self._add(Block(*line, units=(line,), kind="heading", level=level))

    def _open_item(self, lines: list[int], *, is_outermost: bool) -> None:
        """Take in the mark of a list item; outermost items are entries of their list."""
        self._marks[lines[0]] = self._marks.get(lines[0], 0) + 1
        if not (is_outermost and self.blocks and self.blocks[-1].kind == "list"):
            return
        start, end = self._span(lines)
        mark = _ITEM_MARK.match(self.text, start, end)
        if mark is None:
            return
        label = mark.span("mark")
        entry = Entry(label, (min(mark.end(), end), end))
        self._entries.setdefault(len(self.blocks) - 1, []).append(entry)

    def _add_table(self, table: _Table) -> None:
        """Add a table; its first row names the columns, and rows without text are left out.

        A table without column names whose rows are labels and values is one of pairs.
        """
        header, *rows = table.rows
        body = [row for row in rows if self._has_filled_cell(row)]
        entries = tuple(Entry((start, start), (start, end)) for start, end in body)
        start, end = header[0], table.rows[-1][1]
        if any(table.names):
            names = tuple(table.names) if body else ()
            units = (header, *body)
            self._add(Block(start, end, units, columns=names, kind="table", entries=entries))
            return
        pairs = [self._pairs(row) for row in body]
        if pairs and all(pairs):
            found = tuple(pair for row in pairs for pair in row)
            self._add(Block(start, end, tuple(body), kind="pairs", entries=found))
        else:
            units = tuple(body or table.rows)
            self._add(Block(start, end, units, kind="table", entries=entries))

    def _pairs(self, row: TextRange) -> list[Entry]:
        """Return the pairs of a row of labels and values, none if it is another row."""
        start, end = row
        found = [(start + first, start + last) for first, last in cells(self.text[start:end])]
        filled = [cell for cell in found if cell[0] < cell[1]]
        if not are_pairs([self.text[slice(*cell)] for cell in filled]):
            return []
        return [Entry(*pair) for pair in zip(filled[::2], filled[1::2], strict=True)]

    def _has_filled_cell(self, row: TextRange) -> bool:
        return any(start < end for start, end in cells(self.text[slice(*row)]))

    def _add_leaf(self, kind: str, lines: list[int]) -> None:
        """Add a leaf as a block, or as a unit of its list or quotation."""
        span = self._span(lines)
        # Tokens come in document order, so that a line decides if the last container is over.
        if lines[0] >= self._container_end and kind == "html_block":
            self._add_html(*span)
        elif lines[0] >= self._container_end:
            units = self._visible_lines(lines) if kind in _KINDS else (span,)
            self._add(Block(*span, units=units, kind=_KINDS.get(kind, "paragraph")))
        elif self.blocks:
            unit = self._without_marks(span, lines[0])
            self._units.setdefault(len(self.blocks) - 1, []).append(unit)

    def _add_html(self, start: int, end: int) -> None:
        """Add HTML: each table as one, and what stands around them as paragraphs."""
        for table in html_tables(self.text, start, end):
            self._add_html_text(start, table.span[0])
            start = table.span[1]
            self._add(
                Block(
                    *table.span,
                    units=table.rows,
                    columns=table.names,
                    kind="table",
                    entries=tuple(
                        Entry((row[0], row[0]), row)
                        for row in (table.rows[1:] if table.names else table.rows)
                    ),
                )
            )
        self._add_html_text(start, end)

    def _add_html_text(self, start: int, end: int) -> None:
        text = self.text[start:end]
        first, last = end - len(text.lstrip()), start + len(text.rstrip())
        if has_text(text):
            self._add(Block(first, last, units=((first, last),)))

    def _without_marks(self, span: TextRange, line: int) -> TextRange:
        """Return the range of a leaf without the marks of the items that begin with it."""
        start, end = span
        for _ in range(self._marks.pop(line, 0)):
            mark = _ITEM_MARK.match(self.text, start, end)
            if mark is not None and mark.end() < end:
                start = mark.end()
        return start, end

    def _visible_lines(self, lines: list[int]) -> tuple[TextRange, ...]:
        """Return the ranges of [first, last) lines with text, without white space at their ends."""
        ranges = (
            (start, start + len(self.text[start:end].rstrip()))
            for start, end in self.lines[slice(*lines)]
        )
        return tuple((start, end) for start, end in ranges if start < end)

    def _add(self, block: Block) -> None:
        """Add a block under the open headings."""
        if not self.text[block.start : block.end].strip():
            return
        self.blocks.append(replace(block, headings=self._headings))

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
