"""How the documents and their tags look in Slack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from index.store.snapshot import DocumentInfo, Snapshot
from qa.answering.pipeline import NAMED_TAGS
from qa.interfaces.plaintext.answers import counted, shortened, shown_lines
from qa.interfaces.slack.blocks import Block, Post, rich, section, text
from qa.interfaces.slack.channel_scope import chosen, visible
from qa.interfaces.slack.links import document_link
from qa.interfaces.slack.mrkdwn import cut_defused

MAX_LISTED = 20
"""Documents that are listed: with their names cut they stay far below the 13,000 characters of a
message.
"""
_NAME = 80
_TAGS = 100
_TEXT = 3000


def documents_post(
    snapshot: Snapshot, asked: Sequence[str], allowed: Sequence[str], base: str
) -> Post:
    """The documents with any of the tags that were asked for, and all tags: of those that the
    channel is allowed, if it is limited.

    Raises UnknownTag.
    """
    tagged = snapshot.tags()
    seen = visible(list(tagged), allowed)
    within = chosen(asked, (), allowed, list(tagged))
    ids = {each for tag in within for each in tagged[tag]} if within else None
    found = [
        replace(each, tags=tuple(visible(each.tags, allowed)))
        for each in snapshot.documents()
        if ids is None or each.id in ids
    ]
    return _post(found, {tag: len(tagged[tag]) for tag in seen}, within, base)


def _post(
    documents: Sequence[DocumentInfo], tags: Mapping[str, int], within: Sequence[str], base: str
) -> Post:
    head = counted(len(documents), "document") + (f" in {', '.join(within)}" if within else "")
    shown, more = documents[:MAX_LISTED], len(documents) - MAX_LISTED
    blocks = [rich(section(text(head, bold=True)))]
    if shown:
        blocks.append(
            rich(
                {
                    "type": "rich_text_list",
                    "style": "bullet",
                    "elements": [_line(each, base) for each in shown],
                }
            )
        )
    rest = [f"and {more:,} more"] if more > 0 else []
    last = [*rest, _tags(tags)]
    blocks += [rich(section(text(each))) for each in last]
    said = "\n".join(
        [head, *(f"• {shortened(each.title, _NAME)}{_details(each)}" for each in shown), *last]
    )
    return Post(cut_defused(shown_lines(said), _TEXT), tuple(blocks))


def _line(each: DocumentInfo, base: str) -> Block:
    named = shown_lines(shortened(each.title, _NAME)) or each.id
    url = document_link(base, each.id, each.sha256)
    return section(
        {"type": "link", "url": url, "text": named} if url else text(named), text(_details(each))
    )


def _details(each: DocumentInfo) -> str:
    tags = shortened(" ".join(f"#{tag}" for tag in each.tags), _TAGS)
    return "".join(
        f" · {part}"
        for part in (shortened(each.uri, _NAME), counted(each.chunks, "passage"), tags)
        if part
    )


def _tags(tags: Mapping[str, int]) -> str:
    if not tags:
        return "No document has a tag."
    named = ", ".join(f"{tag} ({count:,})" for tag, count in [*tags.items()][:NAMED_TAGS])
    return (
        f"Tags: {named}{f' and {len(tags) - NAMED_TAGS:,} more' if len(tags) > NAMED_TAGS else ''}"
    )
