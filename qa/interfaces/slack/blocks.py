"""How answers look in Slack: Block Kit.

Text of documents stands in rich text and in plain text, which Slack shows as they are: nothing in
it is read as a mention, a link or markup, and a span is bold wherever it begins. Limits: "Block
Kit", docs.slack.dev.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from qa.answer import Answer, AnswerSpan, Citation, NearestPassage, Refusal
from qa.interfaces.plaintext.answers import (
    AROUND,
    FRESHNESS,
    confidence_words,
    receipt,
    shortened,
    shown_lines,
)
from qa.interfaces.slack.links import permanent_link, where
from qa.interfaces.slack.mrkdwn import CUT, MAX_TEXT, cut, cut_defused, cut_start, length
from qa.interfaces.slack.plain_text import answer_text
from qa.state.conversations import Version

Block = dict[str, Any]
MAX_BLOCKS = 50
MAX_QUOTES = 6000
"""Characters of all quotes of a message together: Slack refuses blocks of more than about 13,000 in
all (`msg_blocks_too_long`).
"""
MAX_QUOTE = 2800
"""Characters of one quote with its sentence, below the 3,000 of a text."""
MAX_SPANS = 8
MAX_PLACES = 8
"""Places that are shown of all spans together, at least one of each."""
MAX_OTHERS = 3
OTHER = 400
"""Characters of a conflict, a passage or a remark."""
KEY = "quoted:"
"""Begins the id of a message's first block; what follows says which question the message answers.
"""
RIGHT, WRONG, SOURCE, SHARE = "quoted_right", "quoted_wrong", "quoted_source", "quoted_share"
BOLD = {"style": {"bold": True}}
_NAME, _PATH = 80, 100
_TITLE = 24
"""Characters of a modal's title."""


@dataclass(frozen=True, slots=True)
class Post:
    """A message for Slack: the text is for notifications and for clients that show no blocks."""

    text: str
    blocks: tuple[Block, ...] = ()

    def keyed(self, key: str) -> Post:
        """The same with a first block that says what it answers (at most 255 characters)."""
        first = [dict(block) | {"block_id": f"{KEY}{key}"[:255]} for block in self.blocks[:1]]
        return replace(self, blocks=(*first, *self.blocks[1:]))


def answer_post(
    answer: Answer, turn_id: int, base: str, *, share: bool = False, asked: str = ""
) -> Post:
    """An answer or a refusal with its buttons; `base` is where people reach the page, "" for no
    links; `asked` is the id of who asked, to be named.
    """
    blocks = (
        [
            rich(
                section(
                    {"type": "user", "user_id": asked},
                    text(f" asked: {cut(answer.question, OTHER)}"),
                )
            )
        ]
        if asked
        else []
    )
    if answer.tags:
        blocks.append(context(f"In {', '.join(answer.tags)}"))
    if answer.interpreted_as:
        blocks.append(context(f"Understood as: {answer.interpreted_as}"))
    blocks += _spans(answer, base) if answer.spans else []
    blocks += _refusal(answer.refusal, base) if answer.refusal else []
    blocks += _others(answer.conflicts, base)
    blocks += [context(f"Note: {note}") for note in answer.notes[:MAX_OTHERS]]
    said = answer_text(answer, base)
    return Post(said, (*blocks[: MAX_BLOCKS - 1], _buttons(answer, turn_id, share=share)))


def notice(words: str) -> Post:
    """A few words of our own, which may name tags."""
    return Post(cut_defused(words, MAX_TEXT), (rich(section(text(words))),))


def apology(request_id: str) -> Post:
    """Something went wrong; the id is in the server's log."""
    return notice(
        f"Sorry, something went wrong and I could not answer. Please ask again, or tell whoever runs me: request {request_id}."
    )


def source_view(places: Sequence[tuple[Citation, Version | None]], base: str) -> Block:
    """A modal with the passages around some quotes, the quotes bold."""
    blocks: list[Block] = []
    for citation, version in places[:MAX_SPANS]:
        passage = (
            _around(citation, version.text, MAX_QUOTES // len(places[:MAX_SPANS]))
            if version
            else [text("This text is no longer kept.")]
        )
        blocks += [_place(citation, base), rich(quote(*passage))]
    title = {"type": "plain_text", "text": shortened("Where it says so", _TITLE)}
    return {
        "type": "modal",
        "title": title,
        "close": {"type": "plain_text", "text": "Close"},
        "blocks": blocks,
    }


def text(words: str, *, bold: bool = False) -> Block:
    """An element of rich text, which is shown as it is."""
    return {"type": "text", "text": cut(shown_lines(words), MAX_QUOTE) or " "} | (
        BOLD if bold else {}
    )


def section(*elements: Block) -> Block:
    """A paragraph of rich text."""
    return {"type": "rich_text_section", "elements": list(elements)}


def quote(*elements: Block) -> Block:
    """A quote of rich text."""
    return {"type": "rich_text_quote", "elements": list(elements)}


def rich(*elements: Block) -> Block:
    """A block of rich text."""
    return {"type": "rich_text", "elements": list(elements)}


def context(words: str) -> Block:
    """A small line of plain text."""
    return {
        "type": "context",
        "elements": [
            {"type": "plain_text", "text": cut(shown_lines(words), OTHER), "emoji": False}
        ],
    }


def _spans(answer: Answer, base: str) -> list[Block]:
    shown = answer.spans[:MAX_SPANS]
    room, places = min(MAX_QUOTE, MAX_QUOTES // (2 * len(shown))), MAX_PLACES // len(shown)
    blocks = [rich(section(text("This sentence settles it:")))] if answer.kind == "evidence" else []
    for span in shown:
        blocks += [
            rich(*_quoted(span, room)),
            *(_place(each, base) for each in (span.citation, *span.further)[:places]),
        ]
        hidden = len(span.further) + 1 - places
        more = f" · and {hidden} more {'place' if hidden == 1 else 'places'}" if hidden > 0 else ""
        blocks.append(context(f"confidence: {confidence_words(span.confidence)}{more}"))
    if len(answer.spans) > len(shown):
        blocks.append(context(f"{len(answer.spans) - len(shown)} more answers are not shown."))
    if not answer.calibrated:
        blocks.append(context("The confidence is not calibrated for these models."))
    return blocks


def _quoted(span: AnswerSpan, room: int) -> list[Block]:
    """The span in bold, then its sentence as a quote with the span bold; the sentence alone if it
    is the span.
    """
    citation = span.citation
    whole = _cut_quote(span.text, room)
    if citation.sentence == citation.quote:
        return [quote(text(whole, bold=True))]
    return [section(text(whole, bold=True)), quote(*_sentence(citation, room))]


def _sentence(citation: Citation, room: int) -> list[Block]:
    before = citation.sentence[: citation.start - citation.sentence_start]
    after = citation.sentence[citation.end - citation.sentence_start :]
    return _marked(before, citation.quote, after, room)


def _around(citation: Citation, whole: str, room: int) -> list[Block]:
    before = whole[max(citation.start - 2 * AROUND, 0) : citation.start]
    after = whole[citation.end : citation.end + 2 * AROUND]
    cut_off = (
        CUT if citation.start > len(before) else "",
        CUT if citation.end + len(after) < len(whole) else "",
    )
    return _marked(
        cut_off[0] + before,
        whole[citation.start : citation.end],
        after + cut_off[1],
        min(room, MAX_QUOTE),
    )


def _marked(before: str, quoted: str, after: str, room: int) -> list[Block]:
    """A quote in bold within what stands around it, which is cut to the room that is left."""
    quoted = _cut_quote(quoted, room)
    left = max(room - length(quoted), 0) // 2
    parts = ((cut_start(before, left), False), (quoted, True), (cut(after, left), False))
    return [text(part, bold=bold) for part, bold in parts if part]


def _cut_quote(quoted: str, room: int) -> str:
    """A quote, or its beginning with how much is missing."""
    if length(quoted) <= room:
        return quoted
    said = f" [cut: the quote has {len(quoted):,} characters]"
    return cut(quoted, room - length(said)) + said


def _place(citation: Citation | NearestPassage, base: str) -> Block:
    """The document's title, linked, and where in it."""
    named = shown_lines(shortened(citation.title, _NAME))
    url = permanent_link(base, citation)
    titled = (
        {"type": "link", "url": url, "text": named or citation.document_id}
        if url
        else text(named or citation.document_id)
    )
    dated = f" ({citation.date})" if isinstance(citation, Citation) and citation.date else ""
    fresh = (
        f" [{FRESHNESS[citation.freshness]}]"
        if isinstance(citation, Citation) and citation.freshness in FRESHNESS
        else ""
    )
    under = f", under {shortened(citation.heading, _NAME)}" if citation.heading else ""
    return rich(
        section(
            text("— "),
            titled,
            text(f"{dated} · {shortened(citation.uri, _PATH)}, {where(citation)}{under}{fresh}"),
        )
    )


def _refusal(refusal: Refusal, base: str) -> list[Block]:
    blocks = [
        rich(section(text("No answer found", bold=True), text(f": {refusal.reason}."))),
        context(receipt(refusal)),
    ]
    if refusal.nearest:
        blocks.append(rich(section(text("Nearest passages:"))))
    for passage in refusal.nearest[:MAX_OTHERS]:
        blocks += [rich(quote(text(shortened(passage.text, OTHER)))), _place(passage, base)]
    return blocks


def _others(conflicts: Sequence[AnswerSpan], base: str) -> list[Block]:
    blocks = [rich(section(text("Another document gives:")))] if conflicts else []
    for span in conflicts[:MAX_OTHERS]:
        blocks += [rich(quote(*_sentence(span.citation, OTHER))), _place(span.citation, base)]
    return blocks


def _buttons(answer: Answer, turn_id: int, *, share: bool) -> Block:
    """What can be done with a turn."""
    offered = [(RIGHT, "Right"), (WRONG, "Wrong")]
    offered += [(SOURCE, "Show source")] if answer.spans else []
    offered += [(SHARE, "Share in channel")] if share else []
    return {
        "type": "actions",
        "elements": [
            {
                "type": "button",
                "action_id": action,
                "value": str(turn_id),
                "text": {"type": "plain_text", "text": words},
            }
            for action, words in offered
        ],
    }
