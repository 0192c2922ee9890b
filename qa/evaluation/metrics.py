"""When an answer is right: the official SQuAD measures and our stricter rule for amounts."""

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
"""An answer that is not equal to a gold answer must share more than this with it."""


def normalised(text: str) -> str:
    """Lower case, without punctuation, articles and extra white space, as the official SQuAD script
    does (Rajpurkar et al. 2016).
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(answer: str, golds: Iterable[str]) -> float:
    """1.0 if the normalised answer equals a normalised gold answer, else 0.0."""
    return float(any(normalised(answer) == gold for gold in _counted(golds)))


def f1(answer: str, golds: Iterable[str]) -> float:
    """The largest token F1 of the answer with a gold answer, in [0, 1]."""
    return max(
        (_f1(normalised(answer).split(), gold.split()) for gold in _counted(golds)), default=0.0
    )


def _counted(golds: Iterable[str]) -> list[str]:
    """The normalised gold answers without those of which nothing is left ("."), as in the official
    script of SQuAD 2.0.
    """
    return [gold for gold in map(normalised, golds) if gold]


def is_right(citation: Citation, document_text: str, golds: Sequence[str]) -> bool:
    """Whether the quote equals a gold answer, or shares more than half with one and has its
    numbers, currency and percent signs and no other number; and stands on an occurrence of that
    gold answer.

    The SQuAD normalisation drops "$", so that without the second rule "$8 billion" would be half
    right for "$5 billion".
    """
    return is_right_at(citation.quote, citation.start, document_text, golds)


def is_right_at(quote: str, start: int, text: str, golds: Sequence[str]) -> bool:
    """The rule of `is_right` for a quote that starts at this offset of a text."""
    return any(
        _says(quote, gold) and _stands_on(start, start + len(quote), text, gold) for gold in golds
    )


def sentence_holds(citation: Citation, golds: Iterable[str]) -> bool:
    """Whether the cited sentence contains a gold answer, both normalised."""
    sentence = f" {normalised(citation.sentence)} "
    return any(f" {normalised(gold)} " in sentence for gold in golds if normalised(gold))


def _says(quote: str, gold: str) -> bool:
    if normalised(quote) == normalised(gold):
        return True
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
