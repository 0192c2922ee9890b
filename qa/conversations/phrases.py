"""The phrases of a question or an answer: runs of content words, and the names among them, by rule."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import regex

from index.search.bm25 import STOP_WORDS, analyse

_NEAR = 3
"""Words from an attribute to what it belongs to, "of the" between them."""
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}\p{Sc}](?:[\p{L}\p{M}\p{N}'’.,&-]*[\p{L}\p{M}\p{N}%])?")
_BREAK = regex.compile(r"[,;:.?!()\[\]\"“”]")
_FULL_STOP = regex.compile(r"[.?!]")
_POSSESSIVE = regex.compile(r"['’]s$")
_CONTRACTION = regex.compile(r"n['’]t$|^i['’]")
_FRAME = frozenset(
    """
    about after again all also another any anyone anything april article aspect aspects august bad became because become before began begin
    beginning besides best between both came can come common could december describe detail details did difference different discuss do does
    doing done down during each else end even ever every everyone everything example examples explain fact facts famous february first found
    friday get gets getting give go going good got great happen happened happening happens her here him his important information instead
    interesting its january july june just kind kinds know known last least let like list long lot lots made main make makes many march may
    me mean meaning means might monday more most much must name named names new next no nobody nothing november now october often old one
    only other others out over part people person place please popular really reason reasons result results said same saturday say september
    shall should show significant some someone something sort sorts start started still such sunday take tell their then there thing things
    think thought three time times took tuesday two type types typical under until up use used using very was way ways wednesday well went
    while within without work worked works year years yes yet
    """.split()  # noqa: SIM905 - shorter
)
"""Words beside STOP_WORDS that ask, or say too little to be what a conversation is about."""
_TOPIC = frozenset({"about", "by", "for", "of", "with"})
_PLACE = frozenset({"at", "during", "from", "in", "into", "near", "on", "to"})
_BE = frozenset({"are", "had", "has", "have", "is", "was", "were"})
_ARTICLES = frozenset({"a", "an", "the"})
_AUXILIARY = frozenset(
    {"can", "could", "did", "do", "does", "may", "might", "must", "should", "will", "would"}
)


class Phrase(NamedTuple):
    """A run of words: its stems, text, whether it is a name, its role (1 what is spoken of, 0
    anything, -1 an attribute of something or a place), how far into the text it stands, in [0, 1],
    and whether "the" stands before it.
    """

    stems: frozenset[str]
    text: str
    is_name: bool
    role: int
    depth: float
    definite: bool = False

    @property
    def said(self) -> str:
        """The text with its article."""
        return f"the {self.text}" if self.definite else self.text


class _Token(NamedTuple):
    word: str
    before: str
    at: int
    capital: bool
    asked: bool


@lru_cache(maxsize=4096)
def phrases(text: str, *, names_only: bool = False) -> tuple[Phrase, ...]:
    """The phrases of a text in order: runs of content words, and the names within them."""
    runs, words = _runs(text)
    found: list[Phrase] = []
    for number, run in enumerate(runs):
        after = runs[number + 1] if number + 1 < len(runs) else None
        attribute = (
            after is not None and after[0].before == "of" and after[0].at - run[-1].at <= _NEAR
        )
        role = 1 if run[0].before in _TOPIC else -1 if attribute or run[0].before in _PLACE else 0
        kept = _without_verb(run)
        names = _names(kept)
        parts = [(name, True) for name in names if len(name) < len(kept)]
        whole = bool(names) and len(names[0]) == len(kept)
        if whole or not names_only:
            parts.insert(0, (kept, bool(names)))
        for part, is_name in parts:
            joined = " ".join(token.word for token in part)
            stems = frozenset(analyse(joined))
            if stems:
                definite = part[0] is run[0] and run[0].before.endswith("the")
                found.append(
                    Phrase(stems, joined, is_name, role, part[0].at / max(words, 1), definite)
                )
    return tuple(found)


def says_little(word: str) -> bool:
    """Whether a word only asks, or could be said of anything."""
    return word.casefold() in _FRAME


def _runs(text: str) -> tuple[list[list[_Token]], int]:
    """The longest runs of content words, and how many words there are."""
    runs: list[list[_Token]] = []
    run: list[_Token] = []
    before, end, at = "", 0, 0
    opens, asked = True, False
    for at, match in enumerate(_WORD.finditer(text)):
        gap, word = text[end : match.start()], match.group()
        lowered = _POSSESSIVE.sub("", word.casefold())
        opens = at == 0 or bool(_FULL_STOP.search(gap))
        if run and (opens or _BREAK.search(gap)):
            runs.append(run)
            run = []
        if lowered not in STOP_WORDS and lowered not in _FRAME and not _CONTRACTION.search(lowered):
            capital = word[0].isupper() and (
                not opens or (len(word) > 1 and word.isupper()) or None
            )
            run.append(
                _Token(
                    _POSSESSIVE.sub("", word),
                    run[0].before if run else before,
                    at,
                    bool(capital),
                    asked,
                )
            )
            if capital is None and text[match.end() :].lstrip()[:1].isupper():
                run[-1] = run[-1]._replace(capital=True)
        joins = (
            lowered == "of"
            and bool(run)
            and run[-1].capital
            and text[match.end() :].lstrip()[:1].isupper()
        )
        if joins:
            run[-1] = run[-1]._replace(word=f"{run[-1].word} of", at=at)
        if run and (run[-1].at != at or _POSSESSIVE.search(word)):
            runs.append(run)
            run = []
        asked = asked or lowered in _AUXILIARY
        before, end = (
            (f"{before} {lowered}" if lowered in _ARTICLES and before in _AUXILIARY else lowered),
            match.end(),
        )
    return [*runs, *([run] if run else [])], at + 1


def _without_verb(run: list[_Token]) -> list[_Token]:
    """After "did" or "will" the subject is followed by a verb, after "is" by what is said of it:
    "did Amazon invest" speaks of Amazon.
    """
    first = run[0].before.partition(" ")[0]
    capitals = [at for at, token in enumerate(run) if token.capital]
    if capitals and (run[0].asked or first in _BE):
        return run[: capitals[-1] + 1]
    return run[:-1] if first in _AUXILIARY and len(run) > 1 else run


def _names(run: list[_Token]) -> list[list[_Token]]:
    """The longest stretches of capitalised words."""
    names: list[list[_Token]] = []
    open_name = False
    for token in run:
        if token.capital and open_name:
            names[-1].append(token)
        elif token.capital:
            names.append([token])
        open_name = token.capital
    return names
