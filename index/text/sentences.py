"""Sentence boundaries by nupunkt, as exact ranges of the text.

Chosen among six libraries on 200 boundaries labelled by hand, 22,214 SQuAD answers and speed:
`python benchmarks/sentences.py --data DIR`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import regex

from index.document import TextRange

if TYPE_CHECKING:
    from nupunkt import PunktSentenceTokenizer

LONGEST_ABBREVIATION = 4
"""Longest alphabetic abbreviation that is kept of nupunkt's list, in characters.

The list holds ordinary words ("poland", "victories"), none of them this short; without the longer
ones it misses 0.2% of 6,649 plain boundaries instead of 0.8%.
"""

_BLANK_LINE = regex.compile(r"\n\s*\n")


def sentence_spans(text: str) -> list[TextRange]:
    """Return the [start, end) ranges of the sentences of `text`, in order.

    They exclude the white space around a sentence. A blank line always ends a sentence.
    """
    sentences: list[TextRange] = []
    for part_start, part_end in _parts_between_blank_lines(text):
        part = text[part_start:part_end]
        for start, end in _tokenizer().spans(part, paragraph_breaks=False):
            sentence = _trimmed(text, part_start + start, part_start + end)
            if sentence[0] < sentence[1]:
                sentences.append(sentence)
    return sentences


def _parts_between_blank_lines(text: str) -> Iterator[TextRange]:
    start = 0
    for match in _BLANK_LINE.finditer(text):
        yield start, match.start()
        start = match.end()
    yield start, len(text)


def _trimmed(text: str, start: int, end: int) -> TextRange:
    sentence = text[start:end]
    return start + len(sentence) - len(sentence.lstrip()), start + len(sentence.rstrip())


@cache
def _tokenizer() -> PunktSentenceTokenizer:
    """Return nupunkt's tokenizer without its long abbreviations."""
    import nupunkt

    tokenizer = nupunkt.load("default")
    abbreviations = list(tokenizer.abbreviations)  # a copy, because removing changes the set
    for word in abbreviations:
        if word.isalpha() and len(word) > LONGEST_ABBREVIATION:
            tokenizer.remove_abbreviation(word)
    return tokenizer
