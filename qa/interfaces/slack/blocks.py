"""Layout of answers in Slack: Block Kit.

Text of documents goes into rich text and plain text elements, which Slack shows unchanged: nothing
in it is read as a mention, a link or markup, and a span can be bold wherever it begins. Limits:
"Block Kit", docs.slack.dev.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from qa.answer import Answer, AnswerSpan, Citation, NearestPassage, Refusal
from qa.interfaces.plaintext.answers import (
    AROUND,
    FRESHNESS,
    best_candidate,
    candidate_words,
    caution_words,
    confidence_words,
    lead_words,
    part_words,
    receipt,
    shortened,
    shown_lines,
)
from qa.interfaces.plaintext.links import permanent_link, place_words
from qa.interfaces.slack.mrkdwn import (
    ELLIPSIS,
    MAX_TEXT,
    defuse_and_truncate,
    truncate,
    truncate_start,
    utf16_length,
)
from qa.interfaces.slack.plain_text import answer_text
from qa.state.conversations import Version

Block = dict[str, Any]
MAX_BLOCKS = 50
MAX_QUOTES = 6000
"""Characters of all quotes of a message together.

Slack refuses blocks of more than about 13,000 in all (`msg_blocks_too_long`).
"""
MAX_TEXTS = 12_500
"""UTF-16 units of all texts of a message: some fewer than Slack accepts."""
MAX_QUOTE = 2800
"""Characters of one quote with its sentence, below the 3,000 of a text."""
MAX_SPANS = 8
MAX_PLACES = 8
"""Places that are shown of all spans together, at least one of each."""
MAX_OTHERS = 3
"""Conflicts, nearest passages or notes that are shown."""
MAX_OTHER = 400
"""Characters of a conflict, a passage or a note."""
KEY_PREFIX = "quoted:"
"""Prefix of the id of a message's first block; the rest is the key of the answered question."""
MAX_BLOCK_ID = 255
RIGHT, WRONG, SOURCE, SHARE = "quoted_right", "quoted_wrong", "quoted_source", "quoted_share"
BOLD = {"style": {"bold": True}}
_MAX_NAME, _MAX_PATH = 80, 100
_MAX_TITLE = 24
"""Characters of a modal's title."""


@dataclass(frozen=True, slots=True)
class SlackMessage:
    """A message for Slack.

    The text is for notifications and for clients that show no blocks.
    """

    text: str
    blocks: tuple[Block, ...] = ()

    def with_key(self, key: str) -> SlackMessage:
        """Return the message with `key` in the id of its first block, to find it again."""
        first = [block | {"block_id": block_id_of(key)} for block in self.blocks[:1]]
        return replace(self, blocks=(*first, *self.blocks[1:]))


def block_id_of(key: str) -> str:
    """Return the id of the first block of the message that answers the question `key`."""
    return f"{KEY_PREFIX}{key}"[:MAX_BLOCK_ID]


def answer_message(
    answer: Answer, turn_id: int, base: str, *, can_share: bool = False, shared_by: str = ""
) -> SlackMessage:
    """Return an answer or a refusal with its buttons.

    `base` is the public address of the web page, "" for no links. `can_share` adds the button that
    shares the answer; `shared_by` is the id of the user who has shared it, to be named.
    """
    blocks: list[Block] = []
    if shared_by:
        asked = text_element(f" asked: {truncate(answer.question, MAX_OTHER)}")
        blocks.append(rich_text(rich_section({"type": "user", "user_id": shared_by}, asked)))
    if answer.tags:
        blocks.append(context_block(f"In {', '.join(answer.tags)}"))
    if answer.interpreted_as:
        blocks.append(context_block(f"Understood as: {answer.interpreted_as}"))
    if answer.reply:
        blocks.append(rich_text(rich_section(text_element(answer.reply))))
    if answer.spans:
        blocks += _span_blocks(answer, base)
    if answer.refusal:
        blocks += _refusal_blocks(answer, answer.refusal, base)
    blocks += _other_blocks("Another document gives:", answer.conflicts, base)
    blocks += _other_blocks("Earlier:", answer.earlier, base)
    blocks += [context_block(f"Note: {note}") for note in answer.notes[:MAX_OTHERS]]
    # Buttons come last and are never cut off.
    buttons = _buttons(turn_id, has_source=bool(answer.spans), can_share=can_share)
    return SlackMessage(answer_text(answer, base), (*_fitting(blocks), buttons))


def _fitting(blocks: Sequence[Block]) -> list[Block]:
    """Return as many blocks, from the first, as a message may hold beside its buttons."""
    room = MAX_TEXTS
    kept: list[Block] = []
    for block in blocks[: MAX_BLOCKS - 1]:
        room -= _text_length(block)
        if room < 0:
            break
        kept.append(block)
    return kept


def _text_length(value: Any) -> int:  # noqa: ANN401 - any JSON
    """Return the UTF-16 units of all texts in some JSON."""
    if isinstance(value, dict):
        own = utf16_length(value["text"]) if isinstance(value.get("text"), str) else 0
        return own + sum(_text_length(each) for each in value.values())
    return sum(map(_text_length, value)) if isinstance(value, list | tuple) else 0


def notice_message(words: str) -> SlackMessage:
    """Return a short message of the app itself, which may name tags."""
    return SlackMessage(
        defuse_and_truncate(words, MAX_TEXT), (rich_text(rich_section(text_element(words))),)
    )


def apology_message(request_id: str) -> SlackMessage:
    """Return the message for an unexpected error; the server's log has the same id."""
    return notice_message(
        "Sorry, something went wrong and I could not answer. Please ask again. "
        f"If it happens again, tell whoever runs me: request {request_id}."
    )


def source_view(cited: Sequence[tuple[Citation, Version | None]], base: str) -> Block:
    """Return a modal with the text around each citation, the quotes bold."""
    shown = cited[:MAX_SPANS]
    blocks: list[Block] = []
    # All quotes of the modal share the limit, so that many sources cut each other shorter.
    for citation, version in shown:
        passage = _cited_text(citation, version, MAX_QUOTES // len(shown))
        blocks += [_place_block(citation, base), rich_text(rich_quote(*passage))]
    title = {"type": "plain_text", "text": shortened("Where it says so", _MAX_TITLE)}
    return {
        "type": "modal",
        "title": title,
        "close": {"type": "plain_text", "text": "Close"},
        "blocks": blocks,
    }


# Elements of Block Kit


def text_element(words: str, *, bold: bool = False) -> Block:
    """Return an element of rich text, which Slack shows unchanged."""
    # Slack refuses an empty text.
    element = {"type": "text", "text": truncate(shown_lines(words), MAX_QUOTE) or " "}
    return element | BOLD if bold else element


def rich_section(*elements: Block) -> Block:
    """Return a paragraph of rich text."""
    return {"type": "rich_text_section", "elements": list(elements)}


def rich_quote(*elements: Block) -> Block:
    """Return a quote of rich text."""
    return {"type": "rich_text_quote", "elements": list(elements)}


def rich_text(*elements: Block) -> Block:
    """Return a block of rich text."""
    return {"type": "rich_text", "elements": list(elements)}


def context_block(words: str) -> Block:
    """Return a small line of plain text."""
    line = {
        "type": "plain_text",
        "text": truncate(shown_lines(words), MAX_OTHER),
        "emoji": False,
    }
    return {"type": "context", "elements": [line]}


# Parts of an answer


def _span_blocks(answer: Answer, base: str) -> list[Block]:
    """Return the answer spans, each with its places and its confidence."""
    shown = answer.spans[:MAX_SPANS]
    # Each span stands twice: alone and within its sentence.
    room = min(MAX_QUOTE, MAX_QUOTES // (2 * len(shown)))
    places_each = MAX_PLACES // len(shown)
    blocks: list[Block] = []
    if lead_words(answer):
        blocks.append(rich_text(rich_section(text_element(lead_words(answer)))))
    part_of = {spans[0]: part for part, spans in answer.spans_of_parts if spans}
    for span in shown:
        if span in part_of:
            blocks.append(rich_text(rich_section(text_element(part_words(part_of[span])))))
        blocks += _one_span_blocks(span, base, room, places_each)
    unanswered = [part for part in answer.parts if part.reason]
    blocks += [rich_text(rich_section(text_element(part_words(part)))) for part in unanswered]
    if len(answer.spans) > len(shown):
        blocks.append(
            context_block(f"{len(answer.spans) - len(shown)} more answers are not shown.")
        )
    blocks += [context_block(f"Not sure: {doubt}") for doubt in answer.doubts]
    if not answer.calibrated:
        blocks.append(context_block("The confidence is not calibrated for these models."))
    return blocks


def _one_span_blocks(span: AnswerSpan, base: str, room: int, most_places: int) -> list[Block]:
    """Return a span with its places and its confidence."""
    places = (span.citation, *span.further)
    blocks = [rich_text(*_quoted_span(span, room))]
    blocks += [_place_block(place, base) for place in places[:most_places]]
    more = _more_places(len(places) - most_places)
    if span.confidence < 1 or more:
        blocks.append(context_block(f"confidence: {confidence_words(span.confidence)}{more}"))
    return blocks


def _more_places(hidden: int) -> str:
    if hidden <= 0:
        return ""
    return f" · and {hidden} more {'place' if hidden == 1 else 'places'}"


def _quoted_span(span: AnswerSpan, room: int) -> list[Block]:
    """Return a span in bold, then its sentence as a quote with the span bold.

    A span that is a whole sentence is shown once, as a quote.
    """
    citation = span.citation
    span_text = text_element(_truncate_quote(span.text, room), bold=True)
    if citation.sentence == citation.quote:
        return [rich_quote(span_text)]
    return [rich_section(span_text), rich_quote(*_quote_in_sentence(citation, room))]


def _quote_in_sentence(citation: Citation, room: int) -> list[Block]:
    before = citation.sentence[: citation.start - citation.sentence_start]
    after = citation.sentence[citation.end - citation.sentence_start :]
    return _quote_in_context(before, citation.quote, after, room)


def _cited_text(citation: Citation, version: Version | None, room: int) -> list[Block]:
    if version is None:
        return [text_element("This text is no longer kept.")]
    return _quote_in_text(citation, version.text, room)


def _quote_in_text(citation: Citation, document_text: str, room: int) -> list[Block]:
    before = document_text[max(citation.start - 2 * AROUND, 0) : citation.start]
    after = document_text[citation.end : citation.end + 2 * AROUND]
    if citation.start > len(before):
        before = ELLIPSIS + before
    if citation.end + len(after) < len(document_text):
        after += ELLIPSIS
    quoted = document_text[citation.start : citation.end]
    return _quote_in_context(before, quoted, after, min(room, MAX_QUOTE))


def _quote_in_context(before: str, quoted: str, after: str, room: int) -> list[Block]:
    """Return a quote in bold between its surroundings, which share the room that it leaves."""
    quoted = _truncate_quote(quoted, room)
    room_each = max(room - utf16_length(quoted), 0) // 2
    parts = (
        (truncate_start(before, room_each), False),
        (quoted, True),
        (truncate(after, room_each), False),
    )
    return [text_element(part, bold=bold) for part, bold in parts if part]


def _truncate_quote(quoted: str, room: int) -> str:
    """Return a quote, or its beginning with the length of the whole."""
    if utf16_length(quoted) <= room:
        return quoted
    remark = f" [cut: the quote has {len(quoted):,} characters]"
    return truncate(quoted, room - utf16_length(remark)) + remark


def _place_block(place: Citation | NearestPassage, base: str) -> Block:
    """Return the document's title, linked, and the place within the document."""
    title = shown_lines(shortened(place.title, _MAX_NAME)) or place.document_id
    url = permanent_link(base, place)
    linked = {"type": "link", "url": url, "text": title} if url else text_element(title)
    date = freshness = ""
    if isinstance(place, Citation):
        date = f" ({place.dated})" if place.date else ""
        freshness = f" [{FRESHNESS[place.freshness]}]" if place.freshness in FRESHNESS else ""
        freshness += f" [{shown_lines(caution_words(place.caution))}]" if place.caution else ""
    heading = f", under {shortened(place.heading, _MAX_NAME)}" if place.heading else ""
    path = shortened(place.uri, _MAX_PATH)
    details = text_element(f"{date} · {path}, {place_words(place)}{heading}{freshness}")
    return rich_text(rich_section(text_element("— "), linked, details))


def _refusal_blocks(answer: Answer, refusal: Refusal, base: str) -> list[Block]:
    """Return the reason of a refusal, the extent of the search, and what came nearest."""
    no_answer = text_element("No answer found", bold=True)
    blocks = [
        rich_text(rich_section(no_answer, text_element(f": {refusal.reason}."))),
        context_block(receipt(refusal)),
    ]
    candidate = best_candidate(answer)
    if candidate:
        blocks.append(context_block(candidate_words(candidate, MAX_OTHER)))
    if refusal.nearest:
        blocks.append(rich_text(rich_section(text_element("Nearest passages:"))))
    for passage in refusal.nearest[:MAX_OTHERS]:
        beginning = text_element(shortened(passage.text, MAX_OTHER))
        blocks += [rich_text(rich_quote(beginning)), _place_block(passage, base)]
    return blocks


def _other_blocks(lead: str, spans: Sequence[AnswerSpan], base: str) -> list[Block]:
    """Return what other documents or older versions say instead, under a line that says so."""
    if not spans:
        return []
    blocks = [rich_text(rich_section(text_element(lead)))]
    for span in spans[:MAX_OTHERS]:
        sentence = rich_quote(*_quote_in_sentence(span.citation, MAX_OTHER))
        blocks += [rich_text(sentence), _place_block(span.citation, base)]
    return blocks


def _buttons(turn_id: int, *, has_source: bool, can_share: bool) -> Block:
    """Return the buttons of a turn, which carry its id."""
    buttons = [_button(RIGHT, "Right", turn_id), _button(WRONG, "Wrong", turn_id)]
    if has_source:
        buttons.append(_button(SOURCE, "Show source", turn_id))
    if can_share:
        buttons.append(_button(SHARE, "Share in channel", turn_id))
    return {"type": "actions", "elements": buttons}


def _button(action: str, label: str, turn_id: int) -> Block:
    return {
        "type": "button",
        "action_id": action,
        "value": str(turn_id),
        "text": {"type": "plain_text", "text": label},
    }
