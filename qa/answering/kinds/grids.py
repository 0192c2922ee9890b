"""Tables as grids: rows of named cells, and the blocks that retrieved passages lead to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain

import regex

from index.document import Block, Chunk, Entry, TextRange
from index.rendering import cells
from index.text.structure import LABEL_WORDS, blocks_between, section, with_lead
from qa.answering.attributes import exact_terms
from qa.answering.kinds.context import QuestionContext
from qa.answering.retrieval.retriever import RetrievedChunk

_CELL = regex.compile(r"(?:^|; )(?P<name>[^;:\n]{1,80}): ")
_NO_NAME = ""
_LABEL = regex.compile(r"(?:^|(?<=[.;]\s))(?P<label>\p{Lu}[\p{Ll} ]{1,25}): ", regex.MULTILINE)
"""A label within a paragraph: "Chair: Anna Berg. Minutes: Tom Reed."."""
_ITEM_LABEL = regex.compile(
    r"[*_`\"“]{0,3}(?P<label>[^\s:*`][^:\n]{0,38}?)[*_`\"”]{0,3}(?::[*_]{0,2}|\s[–—-])\s+(?=\S)"
)
"""Label of an item: "- `locale`: en or de", "- **E07** – the scale is not found"."""
_LEAST_LABELS = 2
_COUNTERS = frozenset(
    {"no", "nr", "#", "number", "position", "pos", "id", "code", "item no", "row"}
)
"""Names of columns that count rows, or name them for a machine."""
_WHOLE_DOCUMENTS, _MOST_BLOCKS = 3, 400
"""Documents of which all lists and tables are looked at, as far as this many blocks."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a row: the name of its column ("" without one), its text and its range."""

    name: str
    text: str
    span: TextRange


@dataclass(frozen=True)
class Grid:
    """A table, or pairs as rows of one cell each, with the words over it.

    `context` is its headings, its lead sentence and the title and name of its document, `text` the
    whole text of that.
    """

    passage: RetrievedChunk
    block: Block
    rows: tuple[tuple[Cell, ...], ...]
    context: str
    text: str

    @property
    def document_id(self) -> str:
        """Id of the document that the table stands in."""
        return self.passage.chunk.document_id

    @cached_property
    def context_terms(self) -> frozenset[str]:
        """Index terms of the words over the table."""
        return exact_terms(self.context)


def grids(context: QuestionContext, queries: Sequence[str]) -> Iterator[Grid]:
    """Yield the tables and pairs that the passages for some queries lead to, each once.

    Those of versions that are not asked for are left out, and so are superseded sections.
    """
    kinds = frozenset({"table", "pairs", "paragraph", "list"})
    for passage, text, block in retrieved_blocks(context, queries, kinds):
        rows = rows_of(text, block)
        if not rows:
            continue
        start = with_lead(block)[0]
        title, uri = passage.document.title, passage.document.uri
        words = (
            *block.headings,
            text[start : block.start],
            title,
            uri,
            passage.document.date or "",
        )
        # "_" joins words for the index: minutes_2026.docx is of minutes.
        plain = regex.sub(r"[_/]|\.\p{L}+\b", " ", " ".join(words))
        yield Grid(passage, block, rows, plain, text)


def rows_of(text: str, block: Block) -> tuple[tuple[Cell, ...], ...]:
    """Return the rows of a table, the pairs of a block, or the labelled values of another one."""
    if block.kind == "paragraph":
        return _labelled(text, block)
    if block.kind == "list":
        return _labelled_items(text, block)
    return tuple(cells_of(text, entry, block) for entry in block.entries)


def _labelled(text: str, block: Block) -> tuple[tuple[Cell, ...], ...]:
    """Return the labelled values of a paragraph as rows of one cell; none of ordinary prose."""
    labels = list(_LABEL.finditer(text, block.start, block.end))
    if len(labels) < _LEAST_LABELS:
        return ()
    ends = [label.start() for label in labels[1:]] + [block.end]
    rows = []
    for label, end in zip(labels, ends, strict=True):
        value = text[label.end() : end].rstrip().rstrip(".;")
        span = label.end(), label.end() + len(value)
        rows.append((Cell(label["label"], value, span),))
    return tuple(rows)


def _labelled_items(text: str, block: Block) -> tuple[tuple[Cell, ...], ...]:
    """Return the items of a list as rows of one cell, if each has a label; none of steps."""
    if block.numbered or len(block.entries) < _LEAST_LABELS:
        return ()
    rows = []
    for _, (start, end) in block.entries:
        label = _ITEM_LABEL.match(text, start, end)
        if label is None or len(label["label"].split()) > LABEL_WORDS:
            return ()
        rows.append((Cell(label["label"], text[label.end() : end], (label.end(), end)),))
    return tuple(rows)


def row_span(text: str, row: Sequence[Cell]) -> TextRange:
    """Return the range of a row from its first cell, with its name if that stands there, on."""
    start, name = row[0].span[0], f"{row[0].name}: "
    is_named = text[:start].endswith(name)
    return start - len(name) * is_named, row[-1].span[1]


def subject_column(row: Sequence[Cell]) -> str:
    """Return the name of the column that says what a row is about: the first but for numbers."""
    names = [cell.name for cell in row]
    return next((name for name in names if name.strip(".").lower() not in _COUNTERS), names[0])


def retrieved_blocks(
    context: QuestionContext, queries: Sequence[str], kinds: frozenset[str]
) -> Iterator[tuple[RetrievedChunk, str, Block]]:
    """Yield the blocks of some kinds that the passages for some queries lead to, each once.

    Each comes with the first passage that leads to it and with the text of its document. Behind
    them come the other lists and tables of the documents that the best passages are of.
    """
    seen: set[tuple[str, int]] = set()
    documents: dict[str, RetrievedChunk] = {}
    # Passages of one document come several at a time: its text and blocks are read once.
    text_of = cache(lambda document_id: context.snapshot.document(document_id).text)
    blocks_of = cache(context.snapshot.blocks)
    for passage in chain.from_iterable(map(context.retrieve, queries)):
        document_id = passage.chunk.document_id
        for block in _blocks_near(blocks_of(document_id), passage.chunk, kinds):
            key = (document_id, block.start)
            if key not in seen and not _is_superseded(passage, block):
                seen.add(key)
                yield passage, text_of(document_id), block
                documents.setdefault(document_id, passage)
    for document_id, passage in list(documents.items())[:_WHOLE_DOCUMENTS]:
        for block in blocks_of(document_id)[:_MOST_BLOCKS]:
            is_new = (document_id, block.start) not in seen and not _is_superseded(passage, block)
            if is_new and block.kind in kinds - {"paragraph"}:
                yield passage, text_of(document_id), block


def _is_superseded(passage: RetrievedChunk, block: Block) -> bool:
    """Return True if another version is asked for than the one in which a block stands."""
    standing = passage.standing
    sections = (section for section, _ in standing.sections)
    return bool(standing.reason) or any(start <= block.start < end for start, end in sections)


def _blocks_near(blocks: Sequence[Block], chunk: Chunk, kinds: frozenset[str]) -> Iterator[Block]:
    """Yield the blocks that a chunk is part of, leads in to, or stands beside.

    Beside are those under the same heading.
    """
    touched = blocks_between(blocks, chunk.start, chunk.end)
    yield from (block for block in touched if block.kind in kinds)
    yield from (block for block in blocks if block.kind in kinds and _leads_in(chunk, block))
    headings = [block for block in touched if block.kind == "heading"]
    for heading in headings or _heading_of(blocks, touched):
        yield from (each for each in section(blocks, heading) if each.kind in kinds)


def _leads_in(chunk: Chunk, block: Block) -> bool:
    """Return True if a chunk holds a part of the sentence that leads in to a block."""
    return block.lead is not None and block.lead[0] < chunk.end and chunk.start < block.lead[1]


def _heading_of(blocks: Sequence[Block], touched: Sequence[Block]) -> list[Block]:
    """Return the innermost heading over the first of some blocks, none if there is none."""
    if not touched or not touched[0].headings:
        return []
    wanted = touched[0].headings
    return [block for block in blocks if block.kind == "heading" and block.headings == wanted][-1:]


def cells_of(text: str, entry: Entry, block: Block) -> tuple[Cell, ...]:
    """Return the filled cells of a row, or the pair of a key and its value as one."""
    if block.kind == "pairs":
        (start, end), content = entry
        return (Cell(text[start:end].rstrip(" :|"), text[content[0] : content[1]], content),)
    named = _columns(text, *entry.span, block.columns)
    return tuple(
        Cell(name, text[first:last], (first, last)) for name, (first, last) in named if first < last
    )


def _columns(
    text: str, start: int, end: int, columns: Sequence[str]
) -> Iterator[tuple[str, TextRange]]:
    """Yield the cells of a row with the names of their columns, "" for a cell without."""
    row = text[start:end]
    if columns:
        for name, (first, last) in zip(columns, cells(row), strict=False):
            yield name, (start + first, start + last)
        return
    borders = list(_CELL.finditer(row))
    first_name = borders[0].start() if borders else len(row)
    if first_name > 0:
        # The name of a row stands in a cell whose column has none.
        yield _NO_NAME, (start, start + first_name)
    ends = [border.start() for border in borders[1:]] + [len(row)]
    for border, last in zip(borders, ends, strict=False):
        yield border["name"], (start + border.end(), start + last)
