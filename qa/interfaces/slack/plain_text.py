"""Answers as mrkdwn text alone: for notifications, for what shows no blocks, and for Slack-style
webhooks.
"""

from __future__ import annotations

from qa.answer import Answer, AnswerSpan, Citation, NearestPassage, Refusal
from qa.interfaces.plaintext.answers import FRESHNESS, confidence_words, shortened, shown_lines
from qa.interfaces.slack.links import permanent_link, where
from qa.interfaces.slack.mrkdwn import CUT, MAX_TEXT, cut_defused, defused, length, link

_FORMATTING = "*_~`\n"
MAX_PARTS = 3
"""Spans, conflicts and passages that are shown."""
_QUOTE = 600
_NAME = 100


def answer_text(answer: Answer, base: str) -> str:
    """An answer or a refusal, at most 3,000 characters; whole parts are left out, with "…" for
    them, where it would be longer.
    """
    parts = [f"In {cut_defused(', '.join(answer.tags), _QUOTE)}"] if answer.tags else []
    parts += (
        [f"Understood as: {cut_defused(answer.interpreted_as, _QUOTE)}"]
        if answer.interpreted_as
        else []
    )
    parts += ["This sentence settles it:"] if answer.kind == "evidence" and answer.spans else []
    parts += [_span(span, base) for span in answer.spans[:MAX_PARTS]]
    parts += [CUT] if len(answer.spans) > MAX_PARTS else []
    parts += _refusal(answer.refusal, base) if answer.refusal else []
    parts += ["Another document gives:"] if answer.conflicts else []
    parts += [_span(span, base) for span in answer.conflicts[:MAX_PARTS]]
    parts += [f"Note: {cut_defused(note, _QUOTE)}" for note in answer.notes]
    return _joined(parts)


def _joined(parts: list[str]) -> str:
    kept: list[str] = []
    left = MAX_TEXT - 2 * length(CUT)
    for part in parts:
        left -= length(part) + 1
        if left < 0:
            return "\n".join([*kept, CUT])
        kept.append(part)
    return "\n".join(kept)


def _span(span: AnswerSpan, base: str) -> str:
    said = shown_lines(span.text).strip()
    plain = cut_defused(said, _QUOTE)
    bold = plain if any(sign in said for sign in _FORMATTING) else f"*{plain}*"
    quoted = (
        []
        if span.citation.sentence == span.citation.quote
        else [f"> {cut_defused(_one_line(span.citation.sentence), _QUOTE)}"]
    )
    return "\n".join(
        [
            bold,
            *quoted,
            _place(span.citation, base),
            f"confidence: {confidence_words(span.confidence)}",
        ]
    )


def _refusal(refusal: Refusal, base: str) -> list[str]:
    nearest = [
        f"> {cut_defused(_one_line(each.text), _QUOTE // 2)}\n{_place(each, base)}"
        for each in refusal.nearest[:MAX_PARTS]
    ]
    return [
        f"No answer found: {defused(refusal.reason)}.",
        *(["Nearest passages:"] if nearest else []),
        *nearest,
    ]


def _place(place: Citation | NearestPassage, base: str) -> str:
    fresh = (
        f" [{FRESHNESS[place.freshness]}]"
        if isinstance(place, Citation) and place.freshness in FRESHNESS
        else ""
    )
    titled = link(permanent_link(base, place), shown_lines(shortened(place.title, _NAME)))
    return f"— {titled}, {defused(shown_lines(shortened(place.uri, _NAME)))}, {where(place)}{fresh}"


def _one_line(words: str) -> str:
    return shown_lines(" ".join(words.split()))
