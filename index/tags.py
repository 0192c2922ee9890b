"""Tags: labels that group documents, so that questions can be limited to them.

A collection is a tag; a document may have any number of tags.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from contextlib import suppress

import regex

from index.errors import InvalidTag

MAX_TAG = 64
"""Longest tag, in characters: what fits on one line beside a title."""
MAX_TAGS = 32
"""Largest number of tags that a document is given at once."""
_UNPRINTABLE = regex.compile(r"[\p{C}\p{Zl}\p{Zp}]")


def tag_of(text: str) -> str:
    """Return a tag in its stored form: NFC, lower case, single spaces.

    So a tag is found however it is typed. Raises InvalidTag.
    """
    tag = " ".join(unicodedata.normalize("NFC", text.casefold()).split())
    has_valid_length = 1 <= len(tag) <= MAX_TAG
    # Commas separate tags in settings and in front matter.
    if not has_valid_length or "," in tag or _UNPRINTABLE.search(tag):
        raise InvalidTag(
            f"expected a tag of 1 to {MAX_TAG} printable characters without a comma,"
            f" got {text[: 2 * MAX_TAG]!r}"
        )
    return tag


def tags_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the tags of several texts, sorted and without duplicates.

    Raises InvalidTag if one of them is no tag, or if there are more than MAX_TAGS.
    """
    tags = tuple(sorted({tag_of(text) for text in texts}))
    if len(tags) > MAX_TAGS:
        raise InvalidTag(f"expected at most {MAX_TAGS} tags, got {len(tags)}")
    return tags


def valid_tags(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the valid tags among `texts`, sorted and without duplicates, at most MAX_TAGS."""
    tags = set()
    for text in texts:
        with suppress(InvalidTag):
            tags.add(tag_of(text))
    return tuple(sorted(tags)[:MAX_TAGS])
