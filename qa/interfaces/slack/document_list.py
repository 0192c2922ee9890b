"""List of the documents and their tags, as a Slack message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from index.store.snapshot import DocumentInfo, Snapshot
from index.wording import counted
from qa.answering.pipeline import NAMED_TAGS
from qa.interfaces.plaintext.answers import shortened, shown_lines
from qa.interfaces.plaintext.links import document_link
from qa.interfaces.slack.blocks import (
    Block,
    SlackMessage,
    rich_section,
    rich_text,
    text_element,
)
from qa.interfaces.slack.channel_scope import tags_to_search, visible_tags
from qa.interfaces.slack.mrkdwn import MAX_TEXT, defuse_and_truncate

MAX_LISTED = 20
"""Documents that are listed.

With their names cut they stay far below the 13,000 characters of a message.
"""
_MAX_NAME = 80
_MAX_TAGS = 100


def documents_message(
    snapshot: Snapshot, requested: Sequence[str], allowed: Sequence[str], base: str
) -> SlackMessage:
    """Return the documents with any of the requested tags, and all tags.

    A channel that is limited sees its own tags (`allowed`) and their documents alone. Raises
    UnknownTag.
    """
    tagged = snapshot.tags()
    within = tags_to_search(requested, (), allowed, list(tagged))
    found = list(snapshot.documents())
    if within:
        ids = {document_id for tag in within for document_id in tagged[tag]}
        found = [document for document in found if document.id in ids]
    documents = [
        replace(document, tags=tuple(visible_tags(document.tags, allowed))) for document in found
    ]
    tag_counts = {tag: len(tagged[tag]) for tag in visible_tags(list(tagged), allowed)}
    return _list_message(documents, tag_counts, within, base)


def _list_message(
    documents: Sequence[DocumentInfo],
    tag_counts: Mapping[str, int],
    within: Sequence[str],
    base: str,
) -> SlackMessage:
    heading = counted(len(documents), "document")
    if within:
        heading += f" in {', '.join(within)}"
    shown = documents[:MAX_LISTED]
    closing = [_tags_line(tag_counts)]
    if len(documents) > len(shown):
        closing.insert(0, f"and {len(documents) - len(shown):,} more")

    blocks = [rich_text(rich_section(text_element(heading, bold=True)))]
    if shown:
        items = [_item(document, base) for document in shown]
        blocks.append(rich_text({"type": "rich_text_list", "style": "bullet", "elements": items}))
    blocks += [rich_text(rich_section(text_element(line))) for line in closing]

    lines = [f"• {shortened(document.title, _MAX_NAME)}{_details(document)}" for document in shown]
    text = shown_lines("\n".join([heading, *lines, *closing]))
    return SlackMessage(defuse_and_truncate(text, MAX_TEXT), tuple(blocks))


def _item(document: DocumentInfo, base: str) -> Block:
    """Return the list item of a document: its title, linked, and its details."""
    title = shown_lines(shortened(document.title, _MAX_NAME)) or document.id
    url = document_link(base, document.id, document.sha256)
    linked = {"type": "link", "url": url, "text": title} if url else text_element(title)
    return rich_section(linked, text_element(_details(document)))


def _details(document: DocumentInfo) -> str:
    path = shortened(document.uri, _MAX_NAME)
    passages = counted(document.chunks, "passage")
    tags = shortened(" ".join(f"#{tag}" for tag in document.tags), _MAX_TAGS)
    return "".join(f" · {part}" for part in (path, passages, tags) if part)


def _tags_line(tag_counts: Mapping[str, int]) -> str:
    if not tag_counts:
        return "No document has a tag."
    named = [f"{tag} ({count:,})" for tag, count in tag_counts.items()][:NAMED_TAGS]
    hidden = len(tag_counts) - len(named)
    more = f" and {hidden:,} more" if hidden else ""
    return f"Tags: {', '.join(named)}{more}"
