"""Tags that a channel is limited to."""

from __future__ import annotations

from collections.abc import Sequence

from qa.answering.pipeline import check_tags
from qa.errors import UnknownTag


def visible_tags(known: Sequence[str], allowed: Sequence[str]) -> list[str]:
    """Return the known tags that a channel may see.

    `known` are the tags of documents, `allowed` those of the channel, none for all.
    """
    return [tag for tag in known if not allowed or tag in allowed]


def tags_to_search(
    requested: Sequence[str],
    inherited: Sequence[str],
    allowed: Sequence[str],
    known: Sequence[str],
) -> list[str]:
    """Return the tags to search within, none for all documents.

    Those are the requested ones, or else those inherited from the thread, or else the channel's
    own; never others than the channel's own, if it has any. Raises UnknownTag, whose message names
    no other tags either.
    """
    if not allowed:
        check_tags(requested, known)
        return list(requested or inherited)
    visible = visible_tags(known, allowed)
    limit = ", ".join(allowed)
    for tag in requested:
        if tag not in allowed:
            raise UnknownTag(f"got the tag {tag!r}, but this channel is limited to {limit}")
    # Against the visible tags: the error lists them.
    check_tags(requested, visible)
    if not visible:
        raise UnknownTag(f"no document has a tag of this channel yet: it is limited to {limit}")
    if requested:
        return list(requested)
    # A thread may be older than the channel's limit.
    return [tag for tag in visible if tag in inherited] or visible
