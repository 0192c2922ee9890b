"""Answers as mrkdwn text alone.

For notifications, for clients that show no blocks, and for Slack-style webhooks.
"""

from __future__ import annotations

from qa.answer import Answer, AnswerSpan, Citation, NearestPassage, Refusal
from qa.interfaces.plaintext.answers import (
    FRESHNESS,
    best_candidate,
    candidate_words,
    confidence_words,
    lead_words,
    part_words,
    shortened,
    shown_lines,
)
from qa.interfaces.plaintext.links import permanent_link, place_words
from qa.interfaces.slack.mrkdwn import (
    ELLIPSIS,
    MAX_TEXT,
    defuse,
    defuse_and_truncate,
    link,
    utf16_length,
)

_FORMATTING = "*_~`\n"
"""Characters within a span that would break its bold type."""
MAX_PARTS = 3
"""Spans, conflicts and passages that are shown."""
_MAX_QUOTE = 600
_MAX_NAME = 100


def answer_text(answer: Answer, base: str) -> str:
    """Return an answer or a refusal in at most 3,000 characters.

    Where it would be longer, whole parts are left out at the end, with "…" for them.
    """
    parts: list[str] = []
    if answer.tags:
        parts.append(f"In {defuse_and_truncate(', '.join(answer.tags), _MAX_QUOTE)}")
    if answer.interpreted_as:
        parts.append(f"Understood as: {defuse_and_truncate(answer.interpreted_as, _MAX_QUOTE)}")
    if answer.reply:
        parts.append(defuse_and_truncate(answer.reply, _MAX_QUOTE))
    parts += _question_parts(answer, base) if answer.parts else _span_parts(answer, base)
    if answer.refusal:
        parts += _refusal_parts(answer, answer.refusal, base)
    if answer.conflicts:
        parts.append("Another document gives:")
    parts += [_span_text(span, base) for span in answer.conflicts[:MAX_PARTS]]
    if answer.earlier:
        parts.append("Earlier:")
    parts += [_span_text(span, base) for span in answer.earlier[:MAX_PARTS]]
    parts += [f"Note: {defuse_and_truncate(note, _MAX_QUOTE)}" for note in answer.notes]
    return _join_fitting(parts)


def _join_fitting(parts: list[str]) -> str:
    """Return the lines of as many parts as have room."""
    kept: list[str] = []
    # Room for a final "…" with its line break.
    room = MAX_TEXT - 2 * utf16_length(ELLIPSIS)
    for part in parts:
        room -= utf16_length(part) + 1  # with its line break
        if room < 0:
            return "\n".join([*kept, ELLIPSIS])
        kept.append(part)
    return "\n".join(kept)


def _question_parts(answer: Answer, base: str) -> list[str]:
    """Return the texts of the parts of several questions in one."""
    texts: list[str] = []
    for part, spans in answer.spans_of_parts:
        texts.append(defuse_and_truncate(part_words(part), _MAX_QUOTE))
        texts += [_span_text(span, base) for span in spans[:MAX_PARTS]]
    return texts


def _span_parts(answer: Answer, base: str) -> list[str]:
    parts = [_span_text(span, base) for span in answer.spans[:MAX_PARTS]]
    if answer.spans and lead_words(answer):
        parts.insert(0, lead_words(answer))
    if len(answer.spans) > MAX_PARTS:
        parts.append(ELLIPSIS)
    doubts = [f"Not sure: {defuse_and_truncate(doubt, _MAX_QUOTE)}" for doubt in answer.doubts]
    return [*parts, *doubts]


def _span_text(span: AnswerSpan, base: str) -> str:
    """Return a span, its sentence if that says more, its place and its confidence."""
    citation = span.citation
    shown = shown_lines(span.text).strip()
    defused = defuse_and_truncate(shown, _MAX_QUOTE)
    # Bold type ends at the next sign of mrkdwn or the end of a line.
    can_be_bold = not any(sign in shown for sign in _FORMATTING)
    lines = [f"*{defused}*" if can_be_bold else defused]
    if citation.sentence != citation.quote:
        lines.append(f"> {defuse_and_truncate(_one_line(citation.sentence), _MAX_QUOTE)}")
    lines.append(_place_text(citation, base))
    if span.confidence < 1:
        lines.append(f"confidence: {confidence_words(span.confidence)}")
    return "\n".join(lines)


def _refusal_parts(answer: Answer, refusal: Refusal, base: str) -> list[str]:
    parts = [f"No answer found: {defuse(refusal.reason)}."]
    candidate = best_candidate(answer)
    if candidate:
        parts.append(defuse(shown_lines(candidate_words(candidate, _MAX_NAME))))
    if refusal.nearest:
        parts.append("Nearest passages:")
    for passage in refusal.nearest[:MAX_PARTS]:
        beginning = defuse_and_truncate(_one_line(passage.text), _MAX_QUOTE // 2)
        parts.append(f"> {beginning}\n{_place_text(passage, base)}")
    return parts


def _place_text(place: Citation | NearestPassage, base: str) -> str:
    freshness = ""
    if isinstance(place, Citation) and place.freshness in FRESHNESS:
        freshness = f" [{FRESHNESS[place.freshness]}]"
    title = link(permanent_link(base, place), shown_lines(shortened(place.title, _MAX_NAME)))
    path = defuse(shown_lines(shortened(place.uri, _MAX_NAME)))
    return f"— {title}, {path}, {place_words(place)}{freshness}"


def _one_line(words: str) -> str:
    return shown_lines(" ".join(words.split()))
