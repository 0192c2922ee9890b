"""What somebody typed: a question or a look at the documents, and the tags within which it is
meant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from index.tags import tags_of
from qa.errors import InvalidQuestion

_QUOTE = '["“”„]'
_TAG = rf"(?:{_QUOTE}([^\"“”„]*){_QUOTE}|([^\s\"“”„]+))"
_SIGN = rf"(?:--|[—–])in(?=[\s=]|{_QUOTE}|$)"
"""Slack's clients make one dash of two."""
_BEGINS = re.compile(_SIGN, re.IGNORECASE)
_FIRST = re.compile(rf"{_SIGN}[\s=]*{_TAG}(?:\s+|$)", re.IGNORECASE)
_LAST = re.compile(rf"\s{_SIGN}[\s=]*{_TAG}$", re.IGNORECASE)
_DOCUMENTS = re.compile(rf"documents(?:\s+{_TAG})?", re.IGNORECASE)
USAGE = (
    '--in TAG and a question, like --in harbour How deep is it? or --in "two words" How deep is it?'
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, or None for a look at the documents; and the tags that were given, none for those
    that go without saying.
    """

    question: str | None
    tags: tuple[str, ...]


def asked(text: str) -> Asked:
    """Read `--in TAG` before and after a question, and `documents` or `documents TAG`; raises
    InvalidQuestion or InvalidTag.
    """
    rest, tags = text.strip(), list[str]()
    while _BEGINS.match(rest):
        found = _FIRST.match(rest)
        if found is None:
            raise InvalidQuestion(f"expected {USAGE}, got {rest[:80]!r}")
        tags.append(_tag(found))
        rest = rest[found.end() :]
    while last := _LAST.search(rest):
        tags.append(_tag(last))
        rest = rest[: last.start()].rstrip()
    look = _DOCUMENTS.fullmatch(rest)
    if look:
        return Asked(
            None, tags_of([*tags, *([_tag(look)] if look[0].lower() != "documents" else [])])
        )
    if tags and not rest:
        raise InvalidQuestion(f"expected {USAGE}, got {text.strip()[:80]!r}")
    return Asked(rest, tags_of(tags))


def _tag(found: re.Match[str]) -> str:
    return found[2] if found[1] is None else found[1]
