"""Detection of passages that say nothing but what a better one says: pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

_EDGES = " \t.,;:!?-–—…\"'“”‘’*_`#>|"
_TRAILING_PUNCTUATION = " ,;:.-–—"

Novelty = Literal["new", "copy", "longer"]
"""Relation of a text to those kept before.

It is new, a copy of one of them, or the longer form of a truncated one.
"""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A kept text, folded, with its folded sentences."""

    text: str
    sentences: frozenset[str]


@dataclass
class CopyFilter:
    """Texts that were kept so far, best first.

    A text is a copy if it equals a kept one up to case and white space, if each of its sentences
    stands in one (a page that repeats a question, an extract), or if it is its beginning with an
    ellipsis ("the US Trade Representative Office,…").
    """

    _kept: list[_Kept] = field(default_factory=list)

    def add(self, text: str, sentences: Sequence[str]) -> tuple[int, Novelty]:
        """Return the number of the kept text that this one is or repeats, and its novelty.

        Numbers count from 0. A longer form takes the place of the truncated one.
        """
        new = _Kept(folded(text), frozenset(filter(None, map(_folded_sentence, sentences))))
        for number, kept in enumerate(self._kept):
            if _is_truncated(kept.text, new.text):
                self._kept[number] = new
                return number, "longer"
            if _repeats(new, kept):
                return number, "copy"
        self._kept.append(new)
        return len(self._kept) - 1, "new"


def folded(text: str) -> str:
    """Return the form by which texts are compared: case and white space do not count."""
    return " ".join(text.casefold().split())


def _folded_sentence(sentence: str) -> str:
    return folded(sentence).strip(_EDGES)


def _repeats(new: _Kept, kept: _Kept) -> bool:
    """Return True if a text says nothing that a kept one does not."""
    if new.text == kept.text or _is_truncated(new.text, kept.text):
        return True
    return bool(new.sentences) and new.sentences <= kept.sentences


def _is_truncated(text: str, whole: str) -> bool:
    """Return True if `text` is the beginning of `whole` with an ellipsis."""
    beginning = text.removesuffix("…").removesuffix("...")
    if beginning in {text, ""} or whole == text:
        return False
    return whole.startswith(beginning.rstrip(_TRAILING_PUNCTUATION))
