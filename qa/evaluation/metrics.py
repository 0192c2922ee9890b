"""Rules for right answers: the official SQuAD measures and our stricter rule for amounts."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterable, Sequence

import regex

from qa.answer import Citation

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_NUMBER = regex.compile(r"\d+(?:[.,]\d+)*")
_SIGN = regex.compile(r"[\p{Sc}%]")
MIN_F1 = 0.5
"""F1 with a gold answer that an answer must exceed, unless it equals one."""


def normalised(text: str) -> str:
    """Return a text in lower case, without punctuation, articles and extra white space.

    This is the normalisation of the official SQuAD script (Rajpurkar et al. 2016).
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(answer: str, golds: Iterable[str]) -> float:
    """Return 1.0 if the normalised answer equals a normalised gold answer, else 0.0."""
    return float(any(normalised(answer) == gold for gold in _counted(golds)))


def f1(answer: str, golds: Iterable[str]) -> float:
    """Return the largest token F1 of the answer with a gold answer, in [0, 1]."""
    return max(
        (_f1(normalised(answer).split(), gold.split()) for gold in _counted(golds)), default=0.0
    )


def _counted(golds: Iterable[str]) -> list[str]:
    """Return the normalised gold answers without those that become empty (".").

    So does the official script of SQuAD 2.0.
    """
    return [gold for gold in map(normalised, golds) if gold]


def is_right(citation: Citation, document_text: str, golds: Sequence[str]) -> bool:
    """Return True if the quote says a gold answer and stands on an occurrence of it.

    The quote must equal the gold answer, or share more than half with it and have its numbers, its
    currency and percent signs and no other number. The SQuAD normalisation drops "$", so that
    without the rule for amounts "$8 billion" would be half right for "$5 billion".
    """
    return is_right_at(citation.quote, citation.start, document_text, golds)


def is_right_at(quote: str, start: int, text: str, golds: Sequence[str]) -> bool:
    """Apply the rule of `is_right` to a quote that starts at this offset of a text."""
    return any(
        _says(quote, gold) and _stands_on(start, start + len(quote), text, gold) for gold in golds
    )


def sentence_holds(citation: Citation, golds: Iterable[str]) -> bool:
    """Return True if the cited sentence contains a gold answer, both normalised."""
    sentence = f" {normalised(citation.sentence)} "
    return any(f" {normalised(gold)} " in sentence for gold in golds if normalised(gold))


def _says(quote: str, gold: str) -> bool:
    if normalised(quote) == normalised(gold):
        return True
    # The normalisation drops signs and points, so that amounts are compared on the raw texts.
    same_numbers = _numbers(quote) == _numbers(gold)
    return (
        f1(quote, [gold]) > MIN_F1
        and same_numbers
        and set(_SIGN.findall(gold)) <= set(_SIGN.findall(quote))
    )


def _numbers(text: str) -> set[str]:
    return {number.replace(",", "") for number in _NUMBER.findall(text)}


def _stands_on(start: int, end: int, text: str, gold: str) -> bool:
    return any(
        match.start() < end and start < match.end()
        for match in re.finditer(re.escape(gold), text, re.IGNORECASE)
    )


def _f1(answer: list[str], gold: list[str]) -> float:
    if not answer or not gold:
        return float(answer == gold)
    common = sum((Counter(answer) & Counter(gold)).values())
    return 2 * common / (len(answer) + len(gold))
