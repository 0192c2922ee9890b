"""Cutting of documents into chunks: windows of whole sentences within the encoder's token limit.

`document.text[chunk.start:chunk.end] == chunk.text`, always. A chunk never crosses a heading or a
block (paragraph, list, table), except that a very short block joins the block that follows, and the
sentence that leads in to a list ("The risks are:") its list. A block that does not fit is cut: a
list between its items, a paragraph into windows that start with the last sentence of the one
before. What leads in to a cut list, or names a cut pair, stands among the headings of the windows
that it is not in.

The steps: a block becomes a draft of units and sentences, drafts are joined, and each is cut into
windows.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

import regex

from index.document import Block, Chunk, Document, TextRange
from index.text.sentences import sentence_spans
from index.text.structure import content_blocks, with_attached_headings

SHORT_BLOCK_TOKENS = 8
"""Tokens below which a block joins the next one.

A shorter block ("Yes.", a label) says too little alone.
"""
OVERLAP_TOKENS = 64
"""Longest sentence, in tokens, that is repeated at the start of the next window.

A quarter of the default window.
"""
HEADING_SHARE = 3
"""Headings take at most 1/HEADING_SHARE of the token limit.

The outermost are left out first.
"""
CONTEXT_SHARE = 4
"""Share of the token limit, as its divisor, above which the lead of a cut list is left out."""
MAX_CHARACTERS = 4000
"""Longest sentence or chunk in characters, three times what English needs for 256 tokens.

Tokenizers make one unknown token of a word of any length, so a token limit alone bounds nothing.
"""

# Both patterns take white space as `str.strip` does: the four ASCII separators \x1c to \x1f are
# white space to Python and not to Unicode.
_LAST_SPACE = regex.compile(r"(?r)[\s\x1c-\x1f]")
_NOT_SPACE = regex.compile(r"[^\s\x1c-\x1f]")
_GRAPHEME = regex.compile(r"\X")


class TokenSpans(Protocol):
    """Tokenizer of the encoder, as chunking needs it."""

    @property
    def passage_budget(self) -> int:
        """Largest number of tokens in a chunk with its headings."""

    def token_spans(self, texts: Sequence[str]) -> list[list[TextRange]]:
        """Return for each text the character ranges of its tokens, in order."""


@dataclass(frozen=True, slots=True)
class _Unit:
    """Sentences of one item, row or paragraph.

    `start` is before its mark. `context` is the range of the sentence or key without which the unit
    says too little; it stands before the unit, or at its beginning.
    """

    start: int
    sentences: list[TextRange]
    context: TextRange | None = None
    is_part: bool = False
    """True for a sentence that goes on with the unit of the one before."""

    @property
    def end(self) -> int:
        return self.sentences[-1][1]


@dataclass(frozen=True, slots=True)
class _ChunkDraft:
    """Units that belong together, before they are cut into windows.

    `token_starts` are ascending offsets in the document's text. `columns` holds the column names if
    the draft is one row of a table. `has_lead` is True if the block before leads in to it.
    """

    units: list[_Unit]
    token_starts: list[int]
    columns: tuple[str, ...] = ()
    has_lead: bool = False

    def fits(self, start: int, end: int, budget: int) -> bool:
        """Return True if [start, end) is within `budget` tokens and MAX_CHARACTERS."""
        tokens = bisect_left(self.token_starts, end) - bisect_left(self.token_starts, start)
        return tokens <= budget and end - start <= MAX_CHARACTERS

    @property
    def token_count(self) -> int:
        return len(self.token_starts)

    @property
    def start(self) -> int:
        return self.units[0].start

    @property
    def end(self) -> int:
        return self.units[-1].end

    def __add__(self, following: _ChunkDraft) -> _ChunkDraft:
        return _ChunkDraft(self.units + following.units, self.token_starts + following.token_starts)


@dataclass(frozen=True, slots=True)
class _Window:
    """Sentences of a chunk, which begins at `start`, with the context that is not among them."""

    start: int
    sentences: list[TextRange]
    context: str = ""


_Contexts = Mapping[TextRange, tuple[str, int]]
"""Contexts as lines, with their numbers of tokens, by their ranges."""


def chunk_document(document: Document, tokens: TokenSpans) -> list[Chunk]:
    """Cut a document into chunks in text order; each has at least one sentence."""
    chunks: list[Chunk] = []
    blocks = with_attached_headings(document.text, document.blocks)
    # Blocks under one heading path share its headings and so the budget that these leave.
    for path, group in groupby(content_blocks(blocks), key=_path):
        headings = _fitting_headings(path, tokens)
        budget = tokens.passage_budget - _count_tokens(headings, tokens)
        drafts = (_draft(document.text, block, budget, tokens) for block in group)
        for draft in _join_short_drafts(drafts, document.text, budget):
            windows = list(_windows(draft, document.text, budget, tokens))
            # Part of a table row cannot be rendered with the columns of the whole row.
            columns = draft.columns if len(windows) == 1 else ()
            chunks.extend(_chunk(document, window, headings, columns) for window in windows)
    return chunks


def _path(block: Block) -> tuple[str, ...]:
    return block.headings


def _fitting_headings(headings: tuple[str, ...], tokens: TokenSpans) -> tuple[str, ...]:
    """Return the innermost headings that take at most 1/HEADING_SHARE of the token limit."""
    while headings and _count_tokens(headings, tokens) > tokens.passage_budget // HEADING_SHARE:
        headings = headings[1:]
    return headings


def _count_tokens(texts: Sequence[str], tokens: TokenSpans) -> int:
    return sum(map(len, tokens.token_spans(texts))) if texts else 0


def _draft(text: str, block: Block, budget: int, tokens: TokenSpans) -> _ChunkDraft:
    """Return a block as units of sentences that fit the budget each."""
    [token_ranges] = tokens.token_spans([text[block.start : block.end]])
    token_starts = [block.start + start for start, _ in token_ranges]
    draft = _ChunkDraft([], token_starts, block.columns, block.lead is not None)
    contexts = _contexts(block)
    before = block.start
    for start, end in block.units or ((block.start, block.end),):
        spans = [(start + first, start + last) for first, last in sentence_spans(text[start:end])]
        if spans:
            # The mark of an item stands before its unit.
            visible = _NOT_SPACE.search(text, before, spans[0][0])
            first = visible.start() if visible else spans[0][0]
            first, sentences = _fitting_sentences(text, spans, first, draft, budget)
            draft.units.append(_Unit(first, sentences, contexts.get(start, block.lead)))
        before = end
    return draft


def _fitting_sentences(
    text: str, spans: Sequence[TextRange], first: int, draft: _ChunkDraft, budget: int
) -> tuple[int, list[TextRange]]:
    """Return where a unit begins, and its sentences as pieces that fit the budget each.

    The unit begins with its mark at `first`, unless there is no room for the mark.
    """
    content, end = spans[0]
    pieces = list(_split_sentence(text, (first, end), draft, budget))
    with_text = [piece for piece in pieces if piece[1] > content]
    if len(with_text) < len(pieces):
        first = max(content, with_text[0][0])
    pieces = [(max(content, with_text[0][0]), with_text[0][1]), *with_text[1:]]
    for span in spans[1:]:
        pieces.extend(_split_sentence(text, span, draft, budget))
    return first, pieces


def _contexts(block: Block) -> dict[int, TextRange]:
    """Return the key of each pair by the offset where its unit begins."""
    if block.kind != "pairs":
        return {}
    return {
        entry.span[0]: entry.label for entry in block.entries if entry.label[0] < entry.label[1]
    }


def _split_sentence(
    text: str, sentence: TextRange, draft: _ChunkDraft, budget: int
) -> Iterator[TextRange]:
    """Yield a sentence, cut into pieces that fit the budget.

    It is cut at white space, else between graphemes. A cut through a token adds to the draft's
    `token_starts`, since the rest of the token counts as a token of its own.
    """
    token_starts = draft.token_starts
    start, end = sentence
    while not draft.fits(start, end, budget):
        first_beyond = bisect_left(token_starts, start) + budget
        token_limit = token_starts[first_beyond] if first_beyond < len(token_starts) else end
        cut = _cut_position(text, start, min(token_limit, start + MAX_CHARACTERS))
        yield start, start + len(text[start:cut].rstrip())
        rest = _NOT_SPACE.search(text, cut, end)
        if rest is None:
            return
        start = rest.start()
        position = bisect_left(token_starts, start)
        if token_starts[position : position + 1] != [start]:
            token_starts.insert(position, start)
    yield start, end


def _cut_position(text: str, start: int, limit: int) -> int:
    """Return where to cut text that begins at `start`, at `limit` at the latest.

    That is the last white space, else the last grapheme boundary, else `limit` itself.
    """
    space = _LAST_SPACE.search(text, start + 1, limit)
    if space is not None:
        return int(space.start())
    if limit >= len(text):
        return limit
    # One character more than the limit: a grapheme that continues there must not end before it.
    boundaries = [match.end() for match in _GRAPHEME.finditer(text, start, limit + 1)]
    return max((boundary for boundary in boundaries if boundary <= limit), default=limit)


def _join_short_drafts(
    drafts: Iterable[_ChunkDraft], text: str, budget: int
) -> Iterator[_ChunkDraft]:
    """Yield drafts, with short ones and lead-ins joined to the next within the budget."""
    pending: _ChunkDraft | None = None
    for draft in drafts:
        if not draft.units:
            continue
        if pending is None:
            pending = draft
        elif _joins(pending, draft, text) and pending.token_count + draft.token_count <= budget:
            pending += draft
        else:
            yield pending
            pending = draft
    if pending is not None:
        yield pending


def _joins(draft: _ChunkDraft, following: _ChunkDraft, text: str) -> bool:
    """Return True if a draft belongs to the following one.

    It must be short or a lead-in, and nothing may stand between them: a heading of the same name or
    a thematic break is in no block.
    """
    is_short = draft.token_count < SHORT_BLOCK_TOKENS
    is_lead = following.has_lead or text[draft.end - 1] == ":"
    has_table_row = bool(draft.columns or following.columns)
    if has_table_row or not (is_short or is_lead):
        return False
    return _NOT_SPACE.search(text, draft.end, following.start) is None


def _windows(draft: _ChunkDraft, text: str, budget: int, tokens: TokenSpans) -> Iterator[_Window]:
    """Yield runs of sentences within the budget, each as long as possible."""
    contexts = _missing_contexts(draft, text, budget, tokens)
    rest = budget - max((size for _, size in contexts.values()), default=0)
    window: list[_Unit] = []
    for unit in _indivisible(draft, rest):
        if window and not draft.fits(window[0].start, unit.end, rest):
            yield _window(window, contexts, has_room=draft.fits(*_span(window), rest))
            window = _overlap(draft, window, unit, rest)
        window.append(unit)
    if window:
        yield _window(window, contexts, has_room=draft.fits(*_span(window), rest))


def _span(units: Sequence[_Unit]) -> TextRange:
    return units[0].start, units[-1].end


def _window(units: Sequence[_Unit], contexts: _Contexts, *, has_room: bool) -> _Window:
    """Return units as a window; without room for it, as without need, it gets no context."""
    first, context = units[0], ""
    if has_room and first.context is not None and first.start > first.context[0]:
        context, _ = contexts.get(first.context, ("", 0))
    return _Window(first.start, [each for unit in units for each in unit.sentences], context)


def _missing_contexts(draft: _ChunkDraft, text: str, budget: int, tokens: TokenSpans) -> _Contexts:
    """Return the contexts that windows of a draft may lack; long ones are left out."""
    is_whole = draft.fits(draft.start, draft.end, budget)
    contexts: dict[TextRange, tuple[str, int]] = {}
    for unit in draft.units:
        context = unit.context
        if context is None or context in contexts:
            continue
        is_cut_off = context[0] < (draft.start if is_whole else unit.start)
        if not is_cut_off and draft.fits(unit.start, unit.end, budget):
            continue
        line = " ".join(text[slice(*context)].split()).removesuffix(":")
        size = _count_tokens([line[:MAX_CHARACTERS]], tokens)
        if 0 < size <= budget // CONTEXT_SHARE:
            contexts[context] = line, size
    return contexts


def _indivisible(draft: _ChunkDraft, budget: int) -> Iterator[_Unit]:
    """Yield the units of a draft, or the sentences of a unit that does not fit the budget."""
    for unit in draft.units:
        if draft.fits(unit.start, unit.end, budget):
            yield unit
            continue
        for number, sentence in enumerate(unit.sentences):
            start = sentence[0] if number else unit.start
            yield _Unit(start, [sentence], unit.context, is_part=number > 0)


def _overlap(draft: _ChunkDraft, window: list[_Unit], following: _Unit, budget: int) -> list[_Unit]:
    """Return what the next window repeats of a full one: its last sentence or nothing.

    Only inside a paragraph or an item, not between two.
    """
    last = window[-1]
    is_short = draft.fits(last.start, last.end, OVERLAP_TOKENS)
    # Never true of a window of one sentence, which was full because the next did not fit behind it.
    leaves_room = draft.fits(last.start, following.end, budget)
    return [last] if following.is_part and is_short and leaves_room else []


def _chunk(
    document: Document,
    window: _Window,
    headings: tuple[str, ...],
    columns: tuple[str, ...],
) -> Chunk:
    start, end = window.start, window.sentences[-1][1]
    if window.context:
        headings = (*headings, window.context)
    text = document.text[start:end]
    return Chunk(document.id, start, end, text, tuple(window.sentences), headings, columns)
