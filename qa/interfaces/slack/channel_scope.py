"""Within which tags a channel is asked."""

from __future__ import annotations

from collections.abc import Sequence

from qa.answering.pipeline import check_tags
from qa.errors import UnknownTag


def visible(known: Sequence[str], allowed: Sequence[str]) -> list[str]:
    """Those of the tags that documents have which a channel may know of; `allowed` are the
    channel's own, none for all.
    """
    return [each for each in known if not allowed or each in allowed]


def chosen(
    asked: Sequence[str], before: Sequence[str], allowed: Sequence[str], known: Sequence[str]
) -> list[str]:
    """The tags within which to look, none for all documents: those that were asked for, else those
    of the thread, else the channel's own.

    Never others than the channel's own, if it has any. Raises UnknownTag, which names no others
    either.
    """
    if not allowed:
        check_tags(asked, known)
        return list(asked or before)
    seen, only = visible(known, allowed), f"this channel is asked within {', '.join(allowed)} only"
    for each in asked:
        if each not in allowed:
            raise UnknownTag(f"{only}, got {each!r}")
    check_tags(asked, seen)
    if not seen:
        raise UnknownTag(f"{only}, and no document has such a tag yet")
    return list(asked) or [each for each in seen if each in before] or seen
