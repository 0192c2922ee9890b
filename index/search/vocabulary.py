"""Words of an index as they are spelled, searched for those within a few edits of another.

Edits are those of optimal string alignment: a letter inserted, dropped, replaced, or swapped with
the next (Damerau 1964). rapidfuzz counts them; before it, a bit mask of each word's letters leaves
out nearly all words that are too far, so that 300,000 words take a millisecond or two.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import regex
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

SHORTEST, LONGEST = 3, 30
"""Letters of the shortest and the longest word that is kept; longer ones are seldom words."""
_WORD = regex.compile(
    rf"(?<![\p{{L}}\p{{M}}\p{{N}}_])[\p{{L}}\p{{M}}]{{{SHORTEST},{LONGEST}}}(?![\p{{L}}\p{{M}}\p{{N}}_])"
)
MOST_PASSAGES = 50
"""Passages with the terms of a word that are looked through for the word itself."""
_LETTERS = 32
"""Letters that a mask tells apart; a to z are all different."""


def spelling(word: str) -> str:
    """Return the form in which words are kept and searched: composed and case-folded."""
    return unicodedata.normalize("NFC", word).casefold()


def words_of(text: str) -> set[str]:
    """Return the distinct words of a text, spelled as by `spelling`, without those with digits."""
    return set(_WORD.findall(spelling(text)))


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A word of the vocabulary and its number of edits from the one searched."""

    word: str
    edits: int


class Vocabulary:
    """Distinct words, searched by their edit distance."""

    def __init__(self, words: tuple[str, ...], masks: NDArray[np.uint64]) -> None:
        """Take words with their masks, uint64 (len(words),); see `of` and `build`."""
        self.words = words
        self._masks = masks
        self._lengths = np.fromiter(map(len, words), dtype=np.int16, count=len(words))

    @classmethod
    def of(cls, words: Iterable[str]) -> Vocabulary:
        """Return a vocabulary of words that are spelled as by `spelling`."""
        distinct = tuple(sorted(set(words)))
        return cls(distinct, _masks(distinct))

    @classmethod
    def build(cls, texts: Iterable[str]) -> Vocabulary:
        """Return the vocabulary of texts; words with digits in them are left out."""
        words: set[str] = set()
        for text in texts:
            words |= words_of(text)
        return cls.of(words)

    def extended(self, texts: Iterable[str]) -> Vocabulary:
        """Return the vocabulary with the words of some more texts."""
        words: set[str] = set()
        for text in texts:
            words |= words_of(text)
        added = tuple(sorted(words.difference(self.words)))
        return Vocabulary((*self.words, *added), np.concatenate([self._masks, _masks(added)]))

    def without(self, words: Container[str]) -> Vocabulary:
        """Return the vocabulary without some words."""
        kept = [at for at, word in enumerate(self.words) if word not in words]
        return Vocabulary(tuple(self.words[at] for at in kept), self._masks[kept])

    def neighbours(self, word: str, most_edits: int) -> list[Neighbour]:
        """Return the words at most that many edits from one, nearest first, then by spelling."""
        mask = np.uint64(_mask(word))
        difference = np.abs(self._lengths - len(word))
        # An edit changes the count of at most two letters, one that changes the length of only one.
        letters_changed = np.bitwise_count(self._masks ^ mask) + difference
        near = (difference <= most_edits) & (letters_changed <= 2 * most_edits)
        choices = [self.words[at] for at in np.flatnonzero(near).tolist()]
        found = process.extract(
            word, choices, scorer=OSA.distance, score_cutoff=most_edits, limit=None
        )
        neighbours = [Neighbour(choice, int(edits)) for choice, edits, _ in found]
        return sorted(neighbours, key=lambda each: (each.edits, each.word))

    def to_bytes(self) -> bytes:
        """Serialise to a numpy archive."""
        buffer = io.BytesIO()
        joined = np.frombuffer("\n".join(self.words).encode(), dtype=np.uint8)
        np.savez(buffer, words=joined, masks=self._masks)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, payload: bytes) -> Vocabulary:
        """Load what `to_bytes` made.

        The caller has verified the bytes (`index.search.index_file`).
        """
        with np.load(io.BytesIO(payload)) as arrays:
            joined = arrays["words"].tobytes().decode()
            return cls(tuple(joined.split("\n")) if joined else (), arrays["masks"])


def _masks(words: Sequence[str]) -> NDArray[np.uint64]:
    return np.fromiter(map(_mask, words), dtype=np.uint64, count=len(words))


def _mask(word: str) -> int:
    """Return a bit for each letter of a word, and one for each that it has twice or more."""
    once = twice = 0
    for letter in word:
        bit = 1 << (ord(letter) % _LETTERS)
        twice |= once & bit
        once |= bit
    return once | twice << _LETTERS
