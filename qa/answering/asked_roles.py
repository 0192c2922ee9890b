"""The role that a question asks the holder of: "who is the lead nurse"."""

from __future__ import annotations

import regex

from qa.answering.question import reader_question

_ROLE = r"(?P<role>\p{L}[\p{L}'’&/ -]{2,60})"
_ASKS_FOR_HOLDER = tuple(
    regex.compile(pattern, regex.IGNORECASE)
    for pattern in (
        rf"^who(?:'s|’s| is) (?:currently )?(?:the|our|your) (?:current )?{_ROLE}$",
        rf"^(?:what(?:'s|’s| is) )?(?:the )?name of (?:the|our|your) (?:current )?{_ROLE}$",
    )
)
_CLAUSE = regex.compile(
    r"\b(?:who|that|which|to|with|on|from|by|when|if|in charge|responsible|\p{L}+ed$"
    r"|\p{L}+(?:ed|ing)(?=\s+(?:the|an?|our|your|its|this|that|all|in|at|for|of|with|by|to)\b))\b",
    regex.IGNORECASE,
)
"""Words by which a person is described rather than named by a role ("leading the team").

A managing director is named by one.
"""
_BELONGING = regex.compile(r"^(?P<role>.+?) (?:of|at|in|for) ", regex.IGNORECASE)


def asked_roles(question: str) -> tuple[str, ...]:
    """Return the role that a question asks the holder of, then the role without what it is of.

    It is empty for another question, and has one element for a role that is of nothing.
    """
    plain = reader_question(question)
    matches = (pattern.match(plain) for pattern in _ASKS_FOR_HOLDER)
    asked = next((match["role"] for match in matches if match), None)
    if asked is None or _CLAUSE.search(asked):
        return ()
    shorter = _BELONGING.match(asked)
    return (asked, shorter["role"]) if shorter else (asked,)
