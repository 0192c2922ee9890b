"""Ellipsis: the words of earlier turns that a follow-up question leaves out, found by rule."""

from __future__ import annotations

from collections.abc import Sequence

import regex

from qa.conversations.phrases import Phrase, is_frame_word, phrases
from qa.conversations.salience import Turn, salience

MAX_PHRASES = 3
"""Largest number of phrases with which a question is completed."""
ENOUGH = 0.8
"""Probability that one of the added phrases is meant, at which no more are added."""
MAX_TURNS = 12
"""Earlier turns that are looked at."""
_PRONOUN = regex.compile(
    r"\b(?:he|him|his|she|her|hers|it|its|they|them|their|theirs|this|that|these|those|there|one"
    r"|ones)\b",
    regex.IGNORECASE,
)
OPENING = regex.compile(
    r"^\W*(?:(?:and|but|or|so|also|then)\b[\s,]*"
    r"|(?:what about|how about|what of|as for)\b\s*)",
    regex.IGNORECASE,
)
"""Words that continue an earlier question."""
_FRAGMENT = regex.compile(
    r"^\W*(?:(?:after|at|before|by|during|for|from|in|on|since|to|under|with)"
    r"(?:\s+[\p{L}\p{N}'’.-]+){1,4}"
    r"|(?:how|what|when|where|which|who|why)\s+\p{Ll}+ly)\W*$",
    regex.IGNORECASE,
)
"""A place, a time or a manner without a verb: "In Paris?", "When exactly?"."""
_INTRODUCTION = regex.compile(
    r"""^\W*(?:please\s+)?(?:(?:can|could)\ you\s+)?
    (?:tell\ me\ (?:some\ |something\ )?(?:more\ )?about|describe|explain
    |(?:what|who)(?:['’]s|\ is|\ are|\ was|\ were))\s+
    (?!(?:the|its|their|his|her|some|any|other|it|this|that|these|those)\b)(?P<topic>.*)$""",
    regex.IGNORECASE | regex.VERBOSE,
)
"""A question that introduces a topic by its name ("Tell me about solar power")."""
_ASPECT = regex.compile(
    r"^\W*(?:tell\ me\ (?:more\ )?about|describe|explain|what(?:['’]s|\ is|\ are|\ was|\ were))"
    r"\ the\b[^,;]*\bof\b",
    regex.IGNORECASE | regex.VERBOSE,
)
"""A question about an aspect of something ("What is the cost of solar power?")."""
_CLAUSE = regex.compile(r"[,;.?!]\s+|\s+(?:and|but|or)\s+")
_SHORT = 4
"""Most words of a topic that is introduced by its name alone ("What is throat cancer?")."""


def is_elliptic(question: str) -> bool:
    """Return True if a question cannot be understood alone.

    A pronoun stands for something, it continues another question, or it names nothing.
    """
    if OPENING.match(question) or _FRAGMENT.match(question):
        return True
    return bool(_PRONOUN.search(_first_clause(question))) or not phrases(question)


def is_self_contained(question: str) -> bool:
    """Return True if a question names its topic, so that nothing is added to it.

    Some questions are neither elliptic nor self-contained: they may leave something out.
    """
    if is_elliptic(question):
        return False
    return _introduces_by_name(question) or any(phrase.is_name for phrase in phrases(question))


def introduces_topic(question: str) -> bool:
    """Return True if a question begins a topic for the questions after it."""
    if is_elliptic(question):
        return False
    if _introduces_by_name(question) or _ASPECT.match(question):
        return True
    return any(phrase.is_name and phrase.role >= 0 for phrase in phrases(question))


def missing_phrases(question: str, turns: Sequence[tuple[str, str]]) -> list[Phrase]:
    """Return the phrases that a question leaves out, likeliest first; none if it needs nothing.

    `turns` are (question, answer or ""), oldest first, each as it was asked.
    """
    understood: list[Turn] = []
    for asked, answer in turns[-MAX_TURNS:]:
        # Each turn is completed from those before it: a topic lives on through follow-ups.
        added = ", ".join(phrase.text for phrase in _salient_phrases(asked, understood))
        completed = f"{asked} ({added})" if added else asked
        turn = Turn(completed, answer, introduces_topic(asked), not is_elliptic(asked))
        understood.append(turn)
    return _salient_phrases(question, understood)


def _salient_phrases(question: str, turns: Sequence[Turn]) -> list[Phrase]:
    """Return the phrases of understood turns that a question leaves out, likeliest first."""
    if not turns or is_self_contained(question):
        return []
    chosen: list[Phrase] = []
    mass = 0.0
    for phrase, probability in salience(turns, question).ranked():
        if mass >= ENOUGH or len(chosen) == MAX_PHRASES:
            break
        mass += probability
        is_covered = any(phrase.stems <= other.stems for other in chosen)
        if not is_covered:
            # A longer phrase takes the place of those that are parts of it.
            others = [other for other in chosen if not other.stems <= phrase.stems]
            chosen = [*others, phrase]
    return chosen


def _first_clause(question: str) -> str:
    """Return the first clause if it holds a name, else the whole question.

    Pronouns behind it may stand for that name ("What is Rock City, and why is it famous?").
    """
    clause = _CLAUSE.split(question, maxsplit=1)[0]
    return clause if any(phrase.is_name for phrase in phrases(clause)) else question


def _introduces_by_name(question: str) -> bool:
    match = _INTRODUCTION.match(question)
    if not match:
        return False
    words = match["topic"].split()
    if not 0 < len(words) <= _SHORT:
        return False
    return not is_frame_word(words[0]) and len(phrases(match["topic"])) == 1
