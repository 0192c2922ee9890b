"""Polarity: a list of what is not covered answers no question for what is covered.

Headings and leads share their words with a question whether they affirm or negate them.
"""

from __future__ import annotations

from collections.abc import Iterator

import regex

from index.search.bm25 import STOP_WORDS, analyse

_WORD = regex.compile(r"\p{L}[\p{L}\p{M}'’-]*")
_NEGATION = regex.compile(r"not|never|no|none|without|cannot|neither|nor|\p{L}+n['’]t", regex.I)
_AFFIRMED = (
    "cover covers covered include includes included contain contains contained",
    "allow allows allowed permit permits permitted may",
)
"""Words that say the same of something, and those that deny it, line by line."""
_DENIED = (
    "exclude excludes excluded excluding exclusion exclusions exempt exempted exemption except",
    "forbid forbids forbidden prohibit prohibits prohibited ban bans banned",
)


def _meanings(lines: tuple[str, ...]) -> dict[str, str]:
    return {
        term: line.split()[0] for line in lines for word in line.split() for term in analyse(word)
    }


_MEANING, _OPPOSITE = _meanings(_AFFIRMED), _meanings(_DENIED)
_FIRST_AFFIRMED = dict(
    zip((line.split()[0] for line in _DENIED), (line.split()[0] for line in _AFFIRMED), strict=True)
)


def contradict(question: str, name: str) -> bool:
    """Return True if one of two texts denies what the other affirms: of one word they share."""
    asked, named = dict(_said(question)), dict(_said(name))
    return any(named.get(term, is_denied) != is_denied for term, is_denied in asked.items())


def denies(text: str) -> bool:
    """Return True if a text has a word that denies something: "not", "except", "forbidden"."""
    return any(
        _NEGATION.fullmatch(word) or any(term in _OPPOSITE for term in analyse(word))
        for word in _WORD.findall(text)
    )


def _said(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the terms of a text, each with True if it is denied: the next one behind "not"."""
    is_denied = False
    for word in _WORD.findall(text):
        if _NEGATION.fullmatch(word):
            is_denied = True
        elif word.lower() not in STOP_WORDS:
            for term in analyse(word):
                opposite = _FIRST_AFFIRMED.get(_OPPOSITE.get(term, ""))
                yield opposite or _MEANING.get(term, term), is_denied != (opposite is not None)
            is_denied = False
