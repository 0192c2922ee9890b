"""Synthetic unanswerable questions, made from answerable ones by a swap.

A name or number of the question that the passage holds is replaced by another of the same kind from
another passage of the same article (entity and number swaps), a relation by its opposite, or "is"
by "is not". These are kinds of SQuAD 2.0's own unanswerable questions (Rajpurkar, Jia and Liang
2018, table 1: entity swap, antonym, negation). The new term has no word in common with the passage,
so that the passage does not answer the new question.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from qa.training.data import Example

SOURCE = "swaps"
"""Data set that the synthetic questions form."""

_OPPOSITES = """
after/before first/last largest/smallest highest/lowest most/least more/fewer increase/decrease
increased/decreased rise/fall rose/fell risen/fallen won/lost win/lose oldest/youngest
northern/southern north/south eastern/western east/west bought/sold buy/sell began/ended begin/end
start/stop born/buried father/mother husband/wife son/daughter brother/sister king/queen
maximum/minimum above/below earliest/latest best/worst male/female men/women supported/opposed
support/oppose gained/forfeited import/export majority/minority accepted/rejected accept/reject
longest/shortest allowed/forbade allow/forbid higher/lower larger/smaller longer/shorter
biggest/tiniest positive/negative public/private winter/summer gains/losses profit/loss up/down
entered/left attacked/defended appointed/dismissed agreed/refused expanded/shrank founded/dissolved
opened/closed major/minor ancient/modern common/rare strongest/weakest
"""
_PAIRS = re.findall(r"(\S+)/(\S+)", _OPPOSITES)
OPPOSITE = {
    word: other for first, second in _PAIRS for word, other in ((first, second), (second, first))
}
"""Opposite of a word, in both directions."""

_NAME = re.compile(
    r"(?<![.!?\"“]\s)(?<!^)(?<!\w)[A-Z][\w'’-]*[\w]"
    r"(?:\s+(?:(?:of|the|de|van|von|and)\s+){0,2}[A-Z][\w'’-]*\w)*"
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
    """Name or number in a text, the word before it, and its kind.

    Only terms of one kind are swapped.
    """

    text: str
    before: str
    kind: str


def swap_questions(examples: Sequence[Example], share: float, seed: int) -> list[Example]:
    """Return synthetic unanswerable examples, `share` times as many as there are answerable ones.

    There are fewer if not so many can be made.
    """
    rng = random.Random(seed)
    answerable = [example for example in examples if example.spans]
    wanted = round(share * len(answerable))
    terms = terms_by_article(answerable)
    made: list[Example] = []
    for example in rng.sample(answerable, len(answerable)):
        if len(made) >= wanted:
            break
        made.extend(unanswerable_twin(example, terms[example.source, example.title], rng))
    return made


def unanswerable_twin(
    example: Example, others: Sequence[Term], rng: random.Random
) -> list[Example]:
    """Return at most one unanswerable twin of an answerable example.

    `others` are the terms of its article.
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
    """Return the numbers of a text and the names inside its sentences.

    A sentence's first word is left out, since it is capitalised in any case.
    """
    found = []
    for match in [*_NAME.finditer(text), *_NUMBER.finditer(text)]:
        before = _WORD.findall(text[max(0, match.start() - 20) : match.start()])
        found.append(Term(match[0], before[-1].lower() if before else "", _kind(match[0])))
    return found


def content_words(text: str) -> set[str]:
    """Return the words of a text in lower case, without function words."""
    return {word.lower() for word in _WORD.findall(text)} - _LITTLE


def _kind(text: str) -> str:
    if text[0].isdigit():
        return "year" if text.isdigit() and int(text) in _YEARS else "number"
    if text in _MONTHS:
        return "month"
    return "acronym" if text.isupper() else f"name of {min(3, len(text.split()))}"


def terms_by_article(examples: Iterable[Example]) -> dict[tuple[str, str], list[Term]]:
    """Return the terms of the passages of each (source, title), sorted."""
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
    """Return the question with one of its terms replaced by another of the article."""
    old = _draw_term(example, rng)
    if old is None:
        return None
    forbidden = content_words(example.passage) | content_words(example.question)
    replacements = [
        term for term in others if term.kind == old.kind and _is_foreign(term, forbidden)
    ]
    # A term behind the same word ("in 1889", "in 1900") gives the more natural question.
    alike = [term for term in replacements if term.before == old.before]
    if not replacements:
        return None
    return _replace_term(example.question, old.text, rng.choice(alike or replacements).text)


def _draw_term(example: Example, rng: random.Random) -> Term | None:
    """Draw a term that question and passage share and that is no answer."""
    shared = [
        term
        for term in set(terms_of(example.passage))
        if term.text not in example.answers and _names_term(term.text, example.question)
    ]
    if not shared:
        return None
    # Sorted, since the order of a set changes from run to run.
    return rng.choice(sorted(shared, key=lambda term: (-len(term.text), term.text, term.before)))


def _is_foreign(term: Term, forbidden: set[str]) -> bool:
    """Return True if a term has content words, none of them forbidden."""
    own = content_words(term.text)
    return bool(own) and not own & forbidden


def _swap_relation(example: Example) -> str | None:
    present = content_words(example.passage)
    for word in _WORD.findall(example.question):
        opposite = OPPOSITE.get(word.lower())
        if opposite is None or word.lower() not in present:
            continue
        # The opposite must be new, else the passage might answer the new question.
        if opposite not in present and opposite not in content_words(example.question):
            return _replace_term(example.question, word, opposite)
    return None


def _negate(example: Example) -> str | None:
    texts = (example.passage, example.question)
    if any(_NEGATION.search(text) for text in texts):
        return None
    if not _NEGATABLE.search(example.question):
        return None
    return _NEGATABLE.sub(r"\1 not", example.question, count=1)


def _names_term(term: str, question: str) -> bool:
    """Return True if the question has the term, and not as part of a longer name.

    "Idol" is part of "American Idol".
    """
    match = re.search(rf"(?<!\w){re.escape(term)}(?!\w)", question, re.IGNORECASE)
    if match is None:
        return False
    before, after = question[: match.start()], question[match.end() :]
    return not (re.search(r"\s[A-Z][\w'’.-]*\s$", before) or re.match(r"\s+[A-Z]", after))


def _replace_term(question: str, old: str, new: str) -> str:
    return re.sub(rf"(?<!\w){re.escape(old)}(?!\w)", lambda _: new, question, flags=re.IGNORECASE)
