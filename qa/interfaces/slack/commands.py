"""Requests as people type them: a question or `documents`, with tags."""

from __future__ import annotations

import re
from dataclasses import dataclass

from index.tags import tags_of
from qa.errors import InvalidQuestion

_QUOTE = '["“”„]'
_TAG = rf"(?:{_QUOTE}([^\"“”„]*){_QUOTE}|([^\s\"“”„]+))"
"""A tag: group 1 if in quotation marks, else group 2."""
_SIGN = rf"(?:--|[—–])in(?=[\s=]|{_QUOTE}|$)"
"""`--in`, whose two hyphens Slack's clients turn into one dash."""
_BEGINS_WITH_IN = re.compile(_SIGN, re.IGNORECASE)
_FIRST_TAG = re.compile(rf"{_SIGN}[\s=]*{_TAG}(?:\s+|$)", re.IGNORECASE)
_LAST_TAG = re.compile(rf"\s{_SIGN}[\s=]*{_TAG}$", re.IGNORECASE)
_DOCUMENTS = re.compile(rf"documents(?:\s+{_TAG})?", re.IGNORECASE)
USAGE = (
    '--in TAG and a question, like --in harbour How deep is it? or --in "two words" How deep is it?'
)


@dataclass(frozen=True, slots=True)
class UserRequest:
    """A question, or None for a list of the documents, and the tags to search within.

    Without tags those apply that the thread or the channel has.
    """

    question: str | None
    tags: tuple[str, ...]


def parse_request(text: str) -> UserRequest:
    """Return the request that a text makes.

    `--in TAG` may stand before and after a question; `documents` and `documents TAG` ask for a
    list. Raises InvalidQuestion or InvalidTag.
    """
    rest, tags = text.strip(), list[str]()
    while _BEGINS_WITH_IN.match(rest):
        first = _FIRST_TAG.match(rest)
        if first is None:
            raise InvalidQuestion(f"expected {USAGE}, got {rest[:80]!r}")
        tags.append(_tag(first))
        rest = rest[first.end() :]
    # `--in` within a question belongs to the question: only the two ends are read.
    while last := _LAST_TAG.search(rest):
        tags.append(_tag(last))
        rest = rest[: last.start()].rstrip()
    documents = _DOCUMENTS.fullmatch(rest)
    if documents:
        if documents[0].lower() != "documents":
            tags.append(_tag(documents))
        return UserRequest(None, tags_of(tags))
    if tags and not rest:
        raise InvalidQuestion(f"expected {USAGE}, got {text.strip()[:80]!r}")
    return UserRequest(rest, tags_of(tags))


def _tag(match: re.Match[str]) -> str:
    return match[2] if match[1] is None else match[1]
