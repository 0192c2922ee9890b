"""Typing errors of a question, corrected from the words of the documents.

A word is corrected if neither the documents nor English know it, and the documents have one that is
one or two edits away. Codes, numbers and abbreviations are never changed, and only words that the
asker may read are suggested.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import regex

from index.search.bm25 import STOP_WORDS
from index.search.scope import Scope
from index.search.vocabulary import Neighbour, Vocabulary, spelling
from index.store.snapshot import Snapshot
from index.text.english_words import english_by_frequency, english_words
from index.text.language import ENGLISH, detect_language
from qa.answering.retrieval.searched_passages import SearchedPassages

SHORTEST = 4
"""Letters of the shortest word that is corrected; a shorter one is near too many others."""
TWO_EDITS_FROM = 6
"""Letters of a word from which two edits are allowed, both of them swaps."""
LONG = 8
"""Letters of a word from which two edits of all kinds are allowed, but for two replaced letters."""
REPLACED_LETTER = 2.0
"""Cost of a replaced letter (`_cost`)."""
COST_WEIGHT = 5.0
"""Improbability of an edit of cost 1: e**5, as of a word that is 150 times as rare."""
BEGINNING_WEIGHT = 2.0
"""Improbability of an error in the first letter, where people seldom err (Pollock and Zamora 1984).
"""
COMMON = 20_000
"""English words that are likelier meant than a word of the documents that is farther away."""
NAME_TRUST = 0.9
"""Trust in a question with a corrected name.

Of 3,000 questions of SQuAD 1.1 dev 20 had names changed, of these 18 rightly.
"""
CLEAR = 2.0
"""Least difference in improbability between the correction of a name and the next best word."""

_WORD = regex.compile(
    r"(?<![\p{L}\p{M}\p{N}_@/\\.:#~+'’-])"
    rf"[\p{{L}}\p{{M}}]{{{SHORTEST},}}"
    r"(?!\p{M}|['’]?[\p{L}\p{N}_@/\\#~+-](?<!['’]s\b)|[.:/-][\p{L}\p{N}])"
)
"""A word that is no part of a code, a path, an address or a compound."""
_ANY_WORD = regex.compile(r"[\p{L}\p{M}]+")
_LATE_SHIFT = regex.compile(r"\p{Lu}{2}\p{Ll}{3,}")
"""A word whose second letter is a capital by mistake."""
_FUNCTION_WORDS = Vocabulary.of(word for word in STOP_WORDS if len(word) >= SHORTEST)


@dataclass(frozen=True, slots=True)
class _Suggestion:
    """A word that may be meant, and its improbability: the least is the best.

    `cost` is `_cost`; `improbability` is the negative logarithm, up to a constant, of the
    probability that this word was meant (the noisy channel of Kernighan, Church and Gale 1990).
    """

    word: str
    cost: float
    improbability: float


@dataclass(frozen=True, slots=True)
class Correction:
    """A question without its typing errors, and the trust in it, in [0, 1].

    The trust is less where a name was corrected: another name may have been meant.
    """

    question: str
    trust: float = 1.0


class SpellingCorrector:
    """Corrects questions with the words of one snapshot."""

    def __init__(
        self,
        snapshot: Snapshot,
        absent: Callable[[Iterable[str]], Container[str]] = lambda _: (),
    ) -> None:
        """Suggest no word that only documents have which `absent` returns of some ids."""
        self._snapshot = snapshot
        self._absent = absent

    def corrected(self, question: str, scope: Scope | None = None) -> Correction:
        """Return the question without its typing errors, unchanged if none is found.

        Of the words only those in the `scope` (None: all) are known and suggested. A question in
        another language than English is not changed.
        """
        passages = SearchedPassages(self._snapshot, scope, self._absent)
        # English last: its words are loaded when a question first needs them.
        unknown = [match for match in _words(question) if not passages.know(match.group())]
        unknown = [match for match in unknown if not _is_english(match.group())]
        if not unknown or not _looks_english(question):
            return Correction(question)
        parts, end, trust = [], 0, 1.0
        for match in unknown:
            right = self._correction(match, question, passages)
            if right is None:
                continue
            parts += [question[end : match.start()], right]
            end = match.end()
            if _is_name(match, question):
                trust = NAME_TRUST
        return Correction("".join([*parts, question[end:]]), trust)

    def _correction(
        self, match: regex.Match[str], question: str, passages: SearchedPassages
    ) -> str | None:
        """Return the word that was meant, in the case in which it was typed; None if unknown."""
        typed = match.group()
        word = spelling(typed)
        suggestions = self._suggestions(word, passages)
        best = next((each for each in suggestions if passages.hold(each.word)), None)
        if best is None or _english_is_nearer(word, best.cost):
            return None
        if _is_name(match, question) and not _is_slip(best, suggestions):
            return None
        return _in_case_of(typed, best.word)

    def _suggestions(self, word: str, passages: SearchedPassages) -> list[_Suggestion]:
        """Return the words of the passages that may be meant, best first."""
        most_edits = 2 if len(word) >= TWO_EDITS_FROM else 1
        near = [
            *self._snapshot.vocabulary.neighbours(word, most_edits),
            *_FUNCTION_WORDS.neighbours(word, 1),
        ]
        suggestions = []
        for each in dict.fromkeys(near):
            cost, count = _cost(word, each), passages.count(each.word)
            if count and len(each.word) >= SHORTEST and cost <= _most_cost(word):
                distance = cost * COST_WEIGHT - math.log(count)
                if not _begin_alike(word, each.word):
                    distance += BEGINNING_WEIGHT
                suggestions.append(_Suggestion(each.word, cost, distance))
        # Of equals the longer: a letter is left out more often than one is added.
        return sorted(suggestions, key=lambda it: (it.improbability, -len(it.word), it.word))


def _words(question: str) -> Iterator[regex.Match[str]]:
    """Return the words of a question that may be corrected.

    Words with a capital inside are identifiers, words in capitals abbreviations.
    """
    shouted = question.isupper()
    for match in _WORD.finditer(question):
        word = match.group()
        if word.islower() or word.istitle() or shouted or _LATE_SHIFT.fullmatch(word):
            yield match


def _is_english(word: str) -> bool:
    """Return True for an English word, which is never corrected."""
    spelled = spelling(word)
    return spelled in STOP_WORDS or spelled in english_words()


def _is_name(match: regex.Match[str], question: str) -> bool:
    """Return True for a capitalised word inside a question that is not all in capitals."""
    is_first = not question[: match.start()].strip(" \"'“‘(¿¡")
    return match.group()[0].isupper() and not is_first and not question.isupper()


def _cost(word: str, near: Neighbour) -> float:
    """Return the cost of the edits between two words.

    A swap costs 1, a letter left out or added 1.5, a replaced letter REPLACED_LETTER.
    """
    letters, others = Counter(word), Counter(near.word)
    changed = (letters - others).total() + (others - letters).total()
    return near.edits + changed / 2


def _most_cost(word: str) -> float:
    """Return the largest cost of the edits by which a word is corrected."""
    if len(word) >= LONG:
        return 3.0
    return 2.0


def _begin_alike(word: str, other: str) -> bool:
    """Return True if two words have the same first letter, or their first two swapped."""
    return word[0] == other[0] or word[:2] == other[1::-1]


def _english_is_nearer(word: str, cost: float) -> bool:
    """Return True if a common English word that the documents lack is nearer than their best."""
    near = _common_english().neighbours(word, 2 if cost > 2 else 1)
    return any(_cost(word, each) < cost for each in near)


def _is_slip(best: _Suggestion, suggestions: Sequence[_Suggestion]) -> bool:
    """Return True if a name is certainly a mistyped one of the documents.

    A name with another letter (Jensen, Jansen) is often that of somebody else.
    """
    return best.cost < REPLACED_LETTER and all(
        each.improbability - best.improbability >= CLEAR for each in suggestions if each != best
    )


def _looks_english(question: str) -> bool:
    """Return True if most words are English, or if no other language is recognised.

    With a few typing errors, short questions are easily taken for another language.
    """
    words = _ANY_WORD.findall(question)
    known = sum(_is_english(word) for word in words)
    return known > len(words) / 2 or detect_language(question) in {None, ENGLISH}


def _in_case_of(typed: str, word: str) -> str:
    """Return a word in capitals, capitalised or in lower case, as it was typed."""
    if typed.isupper():
        return word.upper()
    return word.capitalize() if typed[0].isupper() else word


@cache
def _common_english() -> Vocabulary:
    """Return the commonest English words, to be searched."""
    return Vocabulary.of(english_by_frequency()[:COMMON])
