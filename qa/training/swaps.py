"""Unanswerable questions made from answerable ones, by a swap that the passage does not support.

A name or number of the question that the passage holds gives way to another of the same kind from
another passage of the same article (entity and number swaps), a relation to its opposite, or "is"
to "is not". These are kinds of SQuAD 2.0's own unanswerable questions (Rajpurkar, Jia and Liang
2018, table 1: entity swap, antonym, negation). What is swapped in has no word in common with the
passage, so that the passage does not answer the new question.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from qa.training.data import Example

SOURCE = "swaps"
"""The data set that the synthetic questions form."""

_OPPOSITES = """
after/before first/last largest/smallest highest/lowest most/least more/fewer increase/decrease
increased/decreased rise/fall rose/fell risen/fallen won/lost win/lose oldest/youngest northern/southern
north/south eastern/western east/west bought/sold buy/sell began/ended begin/end start/stop born/buried
father/mother husband/wife son/daughter brother/sister king/queen maximum/minimum above/below earliest/latest
best/worst male/female men/women supported/opposed support/oppose gained/forfeited import/export
majority/minority accepted/rejected accept/reject longest/shortest allowed/forbade allow/forbid higher/lower
larger/smaller longer/shorter biggest/tiniest positive/negative public/private winter/summer gains/losses
profit/loss up/down entered/left attacked/defended appointed/dismissed agreed/refused expanded/shrank
founded/dissolved opened/closed major/minor ancient/modern common/rare strongest/weakest
"""
_PAIRS = re.findall(r"(\S+)/(\S+)", _OPPOSITES)
OPPOSITE = {
    word: other for first, second in _PAIRS for word, other in ((first, second), (second, first))
}
"""A word -> its opposite; both ways."""

_NAME = re.compile(
    r"(?<![.!?\"“]\s)(?<!^)(?<!\w)[A-Z][\w'’-]*[\w](?:\s+(?:(?:of|the|de|van|von|and)\s+){0,2}[A-Z][\w'’-]*\w)*"
)
_NUMBER = re.compile(r"(?<![\w.,])\d+(?:[.,]\d+)*(?![\w])")
_NEGATABLE = re.compile(r"^((?:who|what|which(?: \w+)?) (?:is|was|are|were))\b", re.IGNORECASE)
_NEGATION = re.compile(r"\b(?:not|never|no|none|nor|neither|without|except)\b|n't\b", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_LITTLE = frozenset({"of", "the", "de", "van", "von", "and", "a", "an", "in", "s"})
_MONTHS = frozenset(
    re.findall(
        r"\w+",
        "January February March April May June July August September October November December",
    )
)
_YEARS = range(1000, 2100)


@dataclass(frozen=True, slots=True)
class Term:
    """A name or number in a text, the word before it, and its kind: only terms of one kind are
    swapped.
    """

    text: str
    before: str
    kind: str


def swapped(examples: Sequence[Example], share: float, seed: int) -> list[Example]:
    """Synthetic unanswerable examples, `share` times as many as there are answerable ones (or as
    many as can be made).
    """
    rng = random.Random(seed)
    answerable = [example for example in examples if example.spans]
    wanted = round(share * len(answerable))
    terms = terms_by_article(answerable)
    made: list[Example] = []
    for example in rng.sample(answerable, len(answerable)):
        if len(made) >= wanted:
            break
        made.extend(swap(example, terms[example.source, example.title], rng))
    return made


def swap(example: Example, others: Sequence[Term], rng: random.Random) -> list[Example]:
    """At most one unanswerable twin of an answerable example; `others` are the terms of its
    article.
    """
    ways: list[Callable[[], str | None]] = [
        lambda: _swap_term(example, others, rng),
        lambda: _swap_relation(example),
        lambda: _negate(example),
    ]
    # Names and numbers first: they are the traps that people fall into. A negation is rarely asked.
    order = [0, 1] if rng.random() < 0.7 else [1, 0]
    order += [2] if rng.random() < 0.2 else []
    question = next(filter(None, (ways[way]() for way in order)), None)
    if question is None:
        return []
    return [
        replace(example, id=f"{SOURCE}/{example.id}", source=SOURCE, question=question, spans=())
    ]


def terms_of(text: str) -> list[Term]:
    """Names inside sentences (a sentence's first word is capitalised whatever it is) and numbers."""
    found = []
    for match in [*_NAME.finditer(text), *_NUMBER.finditer(text)]:
        before = _WORD.findall(text[max(0, match.start() - 20) : match.start()])
        found.append(Term(match[0], before[-1].lower() if before else "", _kind(match[0])))
    return found


def words(text: str) -> set[str]:
    """The words of a text in lower case, little ones left out."""
    return {word.lower() for word in _WORD.findall(text)} - _LITTLE


def _kind(text: str) -> str:
    if text[0].isdigit():
        return "year" if text.isdigit() and int(text) in _YEARS else "number"
    if text in _MONTHS:
        return "month"
    return "acronym" if text.isupper() else f"name of {min(3, len(text.split()))}"


def terms_by_article(examples: Iterable[Example]) -> dict[tuple[str, str], list[Term]]:
    """The terms of the passages of each (source, title), sorted."""
    passages: dict[tuple[str, str], set[str]] = {}
    for example in examples:
        passages.setdefault((example.source, example.title), set()).add(example.passage)
    return {
        article: sorted(
            {term for text in texts for term in terms_of(text)},
            key=lambda term: (term.text, term.before),
        )
        for article, texts in passages.items()
    }


def _swap_term(example: Example, others: Sequence[Term], rng: random.Random) -> str | None:
    present = words(example.passage)
    asked = [term for term in set(terms_of(example.passage)) if _found(term.text, example.question)]
    asked = [term for term in asked if term.text not in example.answers]
    if not asked:
        return None
    old = rng.choice(sorted(asked, key=lambda term: (-len(term.text), term.text, term.before)))
    forbidden = present | words(example.question)
    new = [
        term
        for term in others
        if term.kind == old.kind and words(term.text) and not words(term.text) & forbidden
    ]
    alike = [term for term in new if term.before == old.before]
    return _replaced(example.question, old.text, rng.choice(alike or new).text) if new else None


def _swap_relation(example: Example) -> str | None:
    present = words(example.passage)
    for word in _WORD.findall(example.question):
        other = OPPOSITE.get(word.lower())
        if (
            other
            and word.lower() in present
            and other not in present
            and other not in words(example.question)
        ):
            return _replaced(example.question, word, other)
    return None


def _negate(example: Example) -> str | None:
    if (
        _NEGATION.search(example.passage)
        or _NEGATION.search(example.question)
        or not _NEGATABLE.search(example.question)
    ):
        return None
    return _NEGATABLE.sub(r"\1 not", example.question, count=1)


def _found(term: str, question: str) -> bool:
    """Whether the question has the term, and not as a part of a longer name ("Idol" in "American
    Idol").
    """
    match = re.search(rf"(?<!\w){re.escape(term)}(?!\w)", question, re.IGNORECASE)
    if match is None:
        return False
    before, after = question[: match.start()], question[match.end() :]
    return not (re.search(r"\s[A-Z][\w'’.-]*\s$", before) or re.match(r"\s+[A-Z]", after))


def _replaced(question: str, old: str, new: str) -> str:
    return re.sub(rf"(?<!\w){re.escape(old)}(?!\w)", lambda _: new, question, flags=re.IGNORECASE)
