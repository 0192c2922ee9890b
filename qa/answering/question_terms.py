"""The terms of a question, weighed by how rare they are, and its names that stand nowhere.

What a question names and no passage holds is a sign that the documents do not answer it: nobody has
written of the "HX-80", of "sheaf 2.9" or of "Kubernetes".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import regex

from index.search.bm25 import STOP_WORDS, analyse
from index.text.english_words import english_words
from qa.answering.retrieval.searched_passages import SearchedPassages

_SHORTEST = 3
"""Letters of the shortest word that is taken for a name because nobody knows it."""
_WORD = regex.compile(r"[\p{L}\p{N}]+(?:[-_./&][\p{L}\p{N}]+)*")
_CONTRACTION = regex.compile(r"\b\p{L}+n['’]t\b|(?<=\p{L})['’]\p{L}{1,2}\b", regex.IGNORECASE)
_TIME_OR_ORDINAL = regex.compile(r"q[1-4]|\d+(?:st|nd|rd|th|s|am|pm|h)", regex.IGNORECASE)
"""Words of letters and digits that are no codes: 19th, 3am, the third quarter."""
_PIECE = regex.compile(r"[\p{L}\p{M}]+|\p{N}+")
_COUNTED = regex.compile(r"\p{L}+s|people|per|percent|of|in|to|and", regex.IGNORECASE)
"""Words behind a number that counts something: "9 litres", not "error 418"."""
_COUNTING = regex.compile(r"\p{N}+-\p{Ll}+")
_NUMBER = regex.compile(r"\p{N}+(?:\.\p{N}+)*")
_VERSION_DOTS = 2
"""Dots from which a number is one of a version."""


@dataclass(frozen=True, slots=True)
class QuestionTerms:
    """Weights of a question's index terms, and its names that no passage holds.

    A term without a weight weighs 1.
    """

    weights: Mapping[str, float] = field(default_factory=dict)
    unknown_names: tuple[str, ...] = ()

    @property
    def unknown_codes(self) -> tuple[str, ...]:
        """Unknown names with a digit, which have no other spelling: HX-80, error 418."""
        return tuple(name for name in self.unknown_names if any(map(str.isdigit, name)))

    def weight(self, term: str) -> float:
        """Return the weight of a term."""
        return self.weights.get(term, 1.0)


UNWEIGHTED = QuestionTerms()
"""Terms that all weigh the same."""


def question_terms(question: str, passages: SearchedPassages) -> QuestionTerms:
    """Return the terms of a question with their weights, and its unknown names."""
    return QuestionTerms(
        term_weights(analyse(question), passages), unknown_names(question, passages)
    )


def term_weights(terms: Iterable[str], passages: SearchedPassages) -> dict[str, float]:
    """Return the inverse document frequency of each term (Robertson 2004), more than 0."""
    size = max(passages.size, 1)
    counts = {term: len(passages.rows_with_all([term])) for term in terms}
    return {
        term: math.log(1 + (size - count + 0.5) / (count + 0.5)) for term, count in counts.items()
    }


def unknown_names(question: str, passages: SearchedPassages) -> tuple[str, ...]:
    """Return the names, codes and numbered things of a question that no passage holds, in order.

    A name is capitalised inside the question, or a word that is not English.
    """
    found = [name for name in _names(question) if not _is_known(name, passages)]
    return tuple(dict.fromkeys(found))


def _names(question: str) -> Iterator[str]:
    """Yield the words that may be names: codes, capitals, numbers behind a name, foreign words."""
    words = _WORD.findall(_CONTRACTION.sub(" ", question))
    is_english = sum(map(_is_foreign, words)) <= len(words) / 4
    for at, word in enumerate(words):
        if _TIME_OR_ORDINAL.fullmatch(word):
            continue
        if _NUMBER.fullmatch(word):
            is_name = _is_numbered(words, at)
        elif is_english:
            is_name = _is_code(word) or _is_capitalised(word, at) or _is_foreign(word)
        else:
            is_name = _is_code(word)
        if is_name:
            yield word


def _is_numbered(words: Sequence[str], at: int) -> bool:
    """Return True for a number that tells one thing of a kind from others: "error 418"."""
    before, word = words[at - 1] if at else "", words[at]
    behind = words[at + 1] if at + 1 < len(words) else ""
    # "Version 4.3.0 of the gate" counts no gates.
    counts = _COUNTED.fullmatch(behind) is not None and word.count(".") < _VERSION_DOTS
    return _says_something(before) and not counts


def _says_something(word: str) -> bool:
    """Return True for a word before a number that is no function word: "error 418"."""
    return word.isalpha() and word.lower() not in STOP_WORDS


def _is_code(word: str) -> bool:
    """Return True for letters and digits in one word, HX-80 or M24, but for "25-member"."""
    is_mixed = any(map(str.isdigit, word)) and any(map(str.isalpha, word))
    return is_mixed and _COUNTING.fullmatch(word) is None


def _is_capitalised(word: str, at: int) -> bool:
    """Return True for a capital inside a question; its first word has one anyway."""
    return at > 0 and len(word) > 1 and word[0].isupper() and word.lower() not in STOP_WORDS


def _is_foreign(word: str) -> bool:
    folded = word.lower()
    is_long = word.isalpha() and len(word) >= _SHORTEST
    return is_long and folded not in STOP_WORDS and folded not in english_words()


def _is_known(name: str, passages: SearchedPassages) -> bool:
    """Return True if a passage holds a name, a code also with other signs between its parts."""
    if _is_code(name):
        return _is_known_code(name, passages)
    terms = analyse(name)
    if name.isdigit():
        # A number is written with zeros before it, too: CN-0147.
        terms += [name.zfill(width) for width in (3, 4, 5)]
    elif _NUMBER.fullmatch(name):
        # So is a version with a letter: v4.3.0.
        terms.append(f"v{name.replace('.', '')}")
    return not terms or any(len(passages.rows_with_all([term])) for term in terms)


def _is_known_code(code: str, passages: SearchedPassages) -> bool:
    parts = _PIECE.findall(code)
    if len(passages.rows_with_all(["".join(parts).casefold()])):
        return True
    spelled = regex.compile(r"[\s\W_]{0,2}".join(map(regex.escape, parts)), regex.IGNORECASE)
    terms = {term for part in parts for term in analyse(part)}
    return any(spelled.search(text) for text in passages.texts_with_all(terms))
