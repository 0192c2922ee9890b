"""Document -> Chunks: windows of whole sentences within the encoder's token limit.

`document.text[chunk.start:chunk.end] == chunk.text`, always. A chunk never crosses a heading or a
block (paragraph, list, table), except that a very short block and a lead-in ("The risks are:") join
the one that follows. A block that does not fit is cut into windows, each starting with the last
sentence of the one before.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

import regex

from index.document import Block, Chunk, Document, TextRange
from index.text.sentences import sentence_spans

SHORT_BLOCK_TOKENS = 8
"""A block below this ("Yes.", a label) says too little alone and joins the next one."""
OVERLAP_TOKENS = 64
"""A sentence of at most this many tokens (a quarter of the default window) is repeated at the start
of the next window.
"""
HEADING_SHARE = 3
"""Headings take at most 1/3 of the token limit; the outermost are left out first."""
MAX_CHARACTERS = 4000
"""A sentence or a chunk ends here at the latest, three times what English needs for 256 tokens:
tokenizers make one unknown token of a word of any length.
"""

_LAST_SPACE = regex.compile(r"(?r)[\s\x1c-\x1f]")
_GRAPHEME = regex.compile(r"\X")
_NOT_SPACE = regex.compile(r"[^\s\x1c-\x1f]")
"""White space as `str.strip` has it: the four separators of ASCII are some to Python and none to
Unicode.
"""


class TokenSpans(Protocol):
    """What chunking must know of the encoder."""

    @property
    def passage_budget(self) -> int:
        """Tokens that a passage may have."""

    def token_spans(self, texts: Sequence[str]) -> list[list[TextRange]]:
        """For each text the character ranges of its tokens, in order."""


@dataclass(frozen=True, slots=True)
class _Passage:
    """Sentences that belong together, where the tokens of their text start (ascending offsets of
    the document's text), and its columns if it is a row of a table.
    """

    sentences: list[TextRange]
    starts: list[int]
    columns: tuple[str, ...] = ()

    def fits(self, start: int, end: int, budget: int) -> bool:
        """Whether [start, end) has at most `budget` tokens and not too many characters."""
        return (
            bisect_left(self.starts, end) - bisect_left(self.starts, start) <= budget
            and end - start <= MAX_CHARACTERS
        )

    @property
    def size(self) -> int:
        return len(self.starts)

    def __add__(self, other: _Passage) -> _Passage:
        return _Passage(self.sentences + other.sentences, self.starts + other.starts)


def chunk_document(document: Document, tokens: TokenSpans) -> list[Chunk]:
    """Cut a document into chunks in the order of its text; each chunk has at least one sentence."""
    chunks: list[Chunk] = []
    for path, blocks in groupby(document.blocks, key=lambda block: block.headings):
        headings = _fitting(path, tokens)
        budget = tokens.passage_budget - _count(headings, tokens)
        passages = [_passage(document.text, block, budget, tokens) for block in blocks]
        for passage in _joined(passages, document.text, budget):
            windows = list(_windows(passage, budget))
            columns = passage.columns if len(windows) == 1 else ()
            chunks.extend(_chunk(document, window, headings, columns) for window in windows)
    return chunks


def _fitting(headings: tuple[str, ...], tokens: TokenSpans) -> tuple[str, ...]:
    while headings and _count(headings, tokens) > tokens.passage_budget // HEADING_SHARE:
        headings = headings[1:]
    return headings


def _count(texts: Sequence[str], tokens: TokenSpans) -> int:
    return sum(map(len, tokens.token_spans(texts))) if texts else 0


def _passage(text: str, block: Block, budget: int, tokens: TokenSpans) -> _Passage:
    [spans] = tokens.token_spans([text[block.start : block.end]])
    whole = _Passage([], [block.start + start for start, _ in spans])
    units = block.units or ((block.start, block.end),)
    sentences = (
        (start + first, start + last)
        for start, end in units
        for first, last in sentence_spans(text[start:end])
    )
    return _Passage(
        [piece for span in sentences for piece in _pieces(text, span, whole, budget)],
        whole.starts,
        block.columns,
    )


def _pieces(text: str, sentence: TextRange, passage: _Passage, budget: int) -> Iterator[TextRange]:
    """The sentence, or if it is too long its parts, cut at white space or else between characters
    as people see them.
    """
    start, end = sentence
    while not passage.fits(start, end, budget):
        last = bisect_left(passage.starts, start) + budget
        limit = min(
            passage.starts[last] if last < len(passage.starts) else end, start + MAX_CHARACTERS
        )
        cut = _cut(text, start, limit)
        yield start, start + len(text[start:cut].rstrip())
        rest = _NOT_SPACE.search(text, cut, end)
        if rest is None:
            return
        start = rest.start()
        at = bisect_left(passage.starts, start)
        if passage.starts[at : at + 1] != [start]:
            passage.starts.insert(
                at, start
            )  # the cut went through a token, whose rest is a token of its own
    yield start, end


def _cut(text: str, start: int, limit: int) -> int:
    space = _LAST_SPACE.search(text, start + 1, limit)
    if space is not None:
        return int(space.start())
    ends = [match.end() for match in _GRAPHEME.finditer(text, start, limit + 1)]
    return (
        next((end for end in reversed(ends) if end <= limit), limit) if limit < len(text) else limit
    )


def _joined(passages: Sequence[_Passage], text: str, budget: int) -> Iterator[_Passage]:
    waiting: _Passage | None = None
    for passage in passages:
        if not passage.sentences:
            continue
        if waiting is not None and not (
            _joins(waiting, passage, text) and waiting.size + passage.size <= budget
        ):
            yield waiting
            waiting = None
        waiting = waiting + passage if waiting else passage
    if waiting is not None:
        yield waiting


def _joins(passage: _Passage, other: _Passage, text: str) -> bool:
    """Whether a passage is too short or a lead-in, and nothing (a heading of the same name, a rule)
    stands between it and the other.
    """
    end = passage.sentences[-1][1]
    leads_in = passage.size < SHORT_BLOCK_TOKENS or text[end - 1] == ":"
    return (
        leads_in
        and not (passage.columns or other.columns)
        and _NOT_SPACE.search(text, end, other.sentences[0][0]) is None
    )


def _windows(passage: _Passage, budget: int) -> Iterator[list[TextRange]]:
    window: list[TextRange] = []
    for sentence in passage.sentences:
        if window and not passage.fits(window[0][0], sentence[1], budget):
            yield window
            last = window[-1]
            repeats = (
                len(window) > 1
                and passage.fits(*last, OVERLAP_TOKENS)
                and passage.fits(last[0], sentence[1], budget)
            )
            window = [last] if repeats else []
        window.append(sentence)
    if window:
        yield window


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
