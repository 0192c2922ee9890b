"""Follow-up questions: which earlier words a question leaves out, and how it reads with them; no
language model.
"""

from __future__ import annotations

from collections.abc import Sequence

import regex

from qa.conversations.phrases import Phrase, phrases, says_little
from qa.conversations.salience import Turn, salience

MAX_PHRASES = 3
"""Phrases that a question may be completed with."""
ENOUGH = 0.8
"""Phrases are added until one of them is meant with this probability."""
MAX_TURNS = 12
"""Earlier turns that are looked at."""
_PRONOUN = regex.compile(
    r"\b(?:he|him|his|she|her|hers|it|its|they|them|their|theirs|this|that|these|those|there|one|ones)\b",
    regex.IGNORECASE,
)
OPENING = regex.compile(
    r"^\W*(?:(?:and|but|or|so|also|then)\b[\s,]*|(?:what about|how about|what of|as for)\b\s*)",
    regex.IGNORECASE,
)
"""What goes on from another question."""
_FRAGMENT = regex.compile(
    r"^\W*(?:(?:after|at|before|by|during|for|from|in|on|since|to|under|with)(?:\s+[\p{L}\p{N}'’.-]+){1,4}|(?:how|what|when|where|which|who|why)\s+\p{Ll}+ly)\W*$",
    regex.IGNORECASE,
)
"""A place, a time or a manner without a verb: "In Paris?", "When exactly?"."""
_INTRODUCTION = regex.compile(
    r"""^\W*(?:please\s+)?(?:(?:can|could)\ you\s+)?
    (?:tell\ me\ (?:some\ |something\ )?(?:more\ )?about|describe|explain|(?:what|who)(?:['’]s|\ is|\ are|\ was|\ were))\s+
    (?!(?:the|its|their|his|her|some|any|other|it|this|that|these|those)\b)(?P<topic>.*)$""",
    regex.IGNORECASE | regex.VERBOSE,
)
_ASPECT = regex.compile(
    r"^\W*(?:tell\ me\ (?:more\ )?about|describe|explain|what(?:['’]s|\ is|\ are|\ was|\ were))\ the\b[^,;]*\bof\b",
    regex.IGNORECASE | regex.VERBOSE,
)
"""A question about an aspect of something ("What is the cost of solar power?")."""
_CLAUSE = regex.compile(r"[,;.?!]\s+|\s+(?:and|but|or)\s+")
_SHORT = 4
"""Words of a topic that is introduced by its name alone ("What is throat cancer?")."""


def is_elliptic(question: str) -> bool:
    """Whether a question cannot be understood alone: a pronoun stands for something, it goes on
    from another, or it names nothing.
    """
    continues = (
        OPENING.match(question)
        or _FRAGMENT.match(question)
        or _PRONOUN.search(_first_clause(question))
    )
    return bool(continues) or not phrases(question)


def is_closed(question: str) -> bool:
    """Whether a question needs nothing from before: it names what it is about."""
    if is_elliptic(question):
        return False
    return _introduces_by_name(question) or any(phrase.is_name for phrase in phrases(question))


def introduces(question: str) -> bool:
    """Whether a question begins a topic, which the questions after it are about."""
    if is_elliptic(question):
        return False
    return (
        _introduces_by_name(question)
        or bool(_ASPECT.match(question))
        or any(phrase.is_name and phrase.role >= 0 for phrase in phrases(question))
    )


def left_out(question: str, turns: Sequence[tuple[str, str]]) -> list[Phrase]:
    """What the question leaves out, likeliest first; none if it needs nothing. `turns` are
    (question, answer or ""), oldest first, each as it was asked.
    """
    understood: list[Turn] = []
    for asked, answer in turns[-MAX_TURNS:]:
        added = ", ".join(phrase.text for phrase in _chosen(asked, understood))
        understood.append(
            Turn(
                f"{asked} ({added})" if added else asked,
                answer,
                introduces(asked),
                not is_elliptic(asked),
            )
        )
    return _chosen(question, understood)


def _chosen(question: str, turns: Sequence[Turn]) -> list[Phrase]:
    if not turns or is_closed(question):
        return []
    chosen: list[Phrase] = []
    mass = 0.0
    for phrase, probability in salience(turns, question).ranked():
        if mass >= ENOUGH or len(chosen) == MAX_PHRASES:
            break
        mass += probability
        if not any(phrase.stems <= other.stems for other in chosen):
            chosen = [*(other for other in chosen if not other.stems <= phrase.stems), phrase]
    return chosen


def _first_clause(question: str) -> str:
    """What comes before a clause whose pronouns may stand for a name in the first ("What is Rock
    City, and why is it famous?").
    """
    clause = _CLAUSE.split(question, maxsplit=1)[0]
    return clause if any(phrase.is_name for phrase in phrases(clause)) else question


def _introduces_by_name(question: str) -> bool:
    found = _INTRODUCTION.match(question)
    if not found:
        return False
    words = found["topic"].split()
    return (
        0 < len(words) <= _SHORT and not says_little(words[0]) and len(phrases(found["topic"])) == 1
    )
