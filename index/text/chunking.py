"""Cutting of documents into chunks: windows of whole sentences within the encoder's token limit.

`document.text[chunk.start:chunk.end] == chunk.text`, always. A chunk never crosses a heading or a
block (paragraph, list, table), except that a very short block or a lead-in ("The risks are:") joins
the block that follows. A block that does not fit is cut into windows, each of which starts with the
last sentence of the one before.

The steps: a block becomes a draft of sentences, drafts are joined, and each is cut into windows.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

import regex

from index.document import Block, Chunk, Document, TextRange
from index.text.sentences import sentence_spans

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
class _ChunkDraft:
    """Sentences that belong together, before they are cut into windows.

    `token_starts` are ascending offsets in the document's text. `columns` holds the column names if
    the draft is one row of a table.
    """

    sentences: list[TextRange]
    token_starts: list[int]
    columns: tuple[str, ...] = ()

    def fits(self, start: int, end: int, budget: int) -> bool:
        """Return True if [start, end) is within `budget` tokens and MAX_CHARACTERS."""
        tokens = bisect_left(self.token_starts, end) - bisect_left(self.token_starts, start)
        return tokens <= budget and end - start <= MAX_CHARACTERS

    @property
    def token_count(self) -> int:
        return len(self.token_starts)

    def __add__(self, following: _ChunkDraft) -> _ChunkDraft:
        return _ChunkDraft(
            self.sentences + following.sentences, self.token_starts + following.token_starts
        )


def chunk_document(document: Document, tokens: TokenSpans) -> list[Chunk]:
    """Cut a document into chunks in text order; each has at least one sentence."""
    chunks: list[Chunk] = []
    # Blocks under one heading path share its headings and so the budget that these leave.
    for path, blocks in groupby(document.blocks, key=lambda block: block.headings):
        headings = _fitting_headings(path, tokens)
        budget = tokens.passage_budget - _count_tokens(headings, tokens)
        drafts = [_draft(document.text, block, budget, tokens) for block in blocks]
        for draft in _join_short_drafts(drafts, document.text, budget):
            windows = list(_windows(draft, budget))
            # Part of a table row cannot be rendered with the columns of the whole row.
            columns = draft.columns if len(windows) == 1 else ()
            chunks.extend(_chunk(document, window, headings, columns) for window in windows)
    return chunks


def _fitting_headings(headings: tuple[str, ...], tokens: TokenSpans) -> tuple[str, ...]:
    """Return the innermost headings that take at most 1/HEADING_SHARE of the token limit."""
    while headings and _count_tokens(headings, tokens) > tokens.passage_budget // HEADING_SHARE:
        headings = headings[1:]
    return headings


def _count_tokens(texts: Sequence[str], tokens: TokenSpans) -> int:
    return sum(map(len, tokens.token_spans(texts))) if texts else 0


def _draft(text: str, block: Block, budget: int, tokens: TokenSpans) -> _ChunkDraft:
    """Return a block as sentences that fit the budget each."""
    [token_ranges] = tokens.token_spans([text[block.start : block.end]])
    draft = _ChunkDraft([], [block.start + start for start, _ in token_ranges], block.columns)
    for sentence in _sentences(text, block):
        draft.sentences.extend(_split_sentence(text, sentence, draft, budget))
    return draft


def _sentences(text: str, block: Block) -> Iterator[TextRange]:
    """Yield the sentences of a block's units, as ranges of the document's text."""
    for unit_start, unit_end in block.units or ((block.start, block.end),):
        for start, end in sentence_spans(text[unit_start:unit_end]):
            yield unit_start + start, unit_start + end


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
        if not draft.sentences:
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
    end = draft.sentences[-1][1]
    is_incomplete = draft.token_count < SHORT_BLOCK_TOKENS or text[end - 1] == ":"
    has_table_row = bool(draft.columns or following.columns)
    if not is_incomplete or has_table_row:
        return False
    return _NOT_SPACE.search(text, end, following.sentences[0][0]) is None


def _windows(draft: _ChunkDraft, budget: int) -> Iterator[list[TextRange]]:
    """Yield runs of sentences within the budget, each as long as possible."""
    window: list[TextRange] = []
    for sentence in draft.sentences:
        if window and not draft.fits(window[0][0], sentence[1], budget):
            yield window
            window = _overlap(draft, window, sentence, budget)
        window.append(sentence)
    if window:
        yield window


def _overlap(
    draft: _ChunkDraft, window: list[TextRange], following: TextRange, budget: int
) -> list[TextRange]:
    """Return the sentences of a full window that the next one repeats: the last or none."""
    last = window[-1]
    is_short = draft.fits(*last, OVERLAP_TOKENS)
    # Never true of a window of one sentence, which was full because the next did not fit behind it.
    leaves_room = draft.fits(last[0], following[1], budget)
    return [last] if is_short and leaves_room else []


def _chunk(
    document: Document,
    sentences: list[TextRange],
    headings: tuple[str, ...],
    columns: tuple[str, ...],
) -> Chunk:
    start, end = sentences[0][0], sentences[-1][1]
    return Chunk(
        document.id, start, end, document.text[start:end], tuple(sentences), headings, columns
    )
