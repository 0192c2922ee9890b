"""Tags: words by which people put documents together, to ask some of them only. A collection is a
tag; a document has any number.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from contextlib import suppress

import regex

from index.errors import InvalidTag

MAX_TAG = 64
"""Characters of a tag: what fits on one line beside a title."""
MAX_TAGS = 32
"""Tags that are given to a document at once."""
_UNPRINTABLE = regex.compile(r"[\p{C}\p{Zl}\p{Zp}]")


def tag_of(text: str) -> str:
    """A tag as it is kept: in lower case, with single spaces, so that it is found however it is
    typed. Raises InvalidTag.
    """
    tag = " ".join(unicodedata.normalize("NFC", text.casefold()).split())
    if not tag or len(tag) > MAX_TAG or "," in tag or _UNPRINTABLE.search(tag):
        raise InvalidTag(
            f"expected a tag of 1 to {MAX_TAG} printable characters without a comma, got {text[: 2 * MAX_TAG]!r}"
        )
    return tag


def tags_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Several, each once, in order; raises InvalidTag."""
    tags = tuple(sorted({tag_of(text) for text in texts}))
    if len(tags) > MAX_TAGS:
        raise InvalidTag(f"expected at most {MAX_TAGS} tags, got {len(tags)}")
    return tags


def valid_tags(texts: Iterable[str]) -> tuple[str, ...]:
    """Those texts that are tags, each once, in order, at most MAX_TAGS."""
    tags = set()
    for text in texts:
        with suppress(InvalidTag):
            tags.add(tag_of(text))
    return tuple(sorted(tags)[:MAX_TAGS])
