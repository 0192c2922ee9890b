"""Sentence boundaries by nupunkt, as exact ranges of the text.

Chosen among six libraries on 200 boundaries labelled by hand, 22,214 SQuAD answers and speed:
`python benchmarks/sentences.py --data DIR`.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import regex

from index.document import TextRange

if TYPE_CHECKING:
    from nupunkt import PunktSentenceTokenizer

LONGEST_ABBREVIATION = 4
"""nupunkt's model lists ordinary words ("poland", "victories") as abbreviations, none of them this
short; without the longer ones it misses 0.2% of 6,649 plain boundaries instead of 0.8%.
"""

_BLANK_LINE = regex.compile(r"\n\s*\n")


def sentence_spans(text: str) -> list[TextRange]:
    """The [start, end) ranges of the sentences of `text`, in order, without the white space around
    them. A blank line always ends a sentence.
    """
    spans: list[TextRange] = []
    start = 0
    for end, after in [
        *(match.span() for match in _BLANK_LINE.finditer(text)),
        (len(text), len(text)),
    ]:
        spans.extend(
            _trimmed(text, start + first, start + last)
            for first, last in _tokenizer().spans(text[start:end], paragraph_breaks=False)
        )
        start = after
    return [span for span in spans if span[0] < span[1]]


def _trimmed(text: str, start: int, end: int) -> TextRange:
    sentence = text[start:end]
    return start + len(sentence) - len(sentence.lstrip()), start + len(sentence.rstrip())


@cache
def _tokenizer() -> PunktSentenceTokenizer:
    import nupunkt

    tokenizer = nupunkt.load("default")
    for word in [
        word
        for word in tokenizer.abbreviations
        if word.isalpha() and len(word) > LONGEST_ABBREVIATION
    ]:
        tokenizer.remove_abbreviation(word)
    return tokenizer
