"""Answers as Markdown with numbered sources, and the sources as annotations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from qa.answer import Answer, AnswerSpan, Citation, Refusal, RetrievedPassage, ShownPassage
from qa.interfaces.plaintext.answers import (
    caution_words,
    confidence_words,
    lead_words,
    part_words,
    printable,
    receipt,
    shortened,
)
from qa.interfaces.plaintext.links import permanent_link, place_words

_LONGEST = 300
"""Characters of a passage that are shown."""


@dataclass(frozen=True, slots=True)
class Content:
    """Text of a message with its annotations."""

    text: str
    annotations: tuple[dict[str, Any], ...] = ()


class _Writer:
    """Writes a text with numbered sources; offsets count the characters written before."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._parts: list[str] = []
        self._length = 0
        self._sources: dict[tuple[str, int, int], Citation | ShownPassage] = {}
        self._annotations: list[dict[str, Any]] = []

    def write(self, text: str) -> None:
        """Write a paragraph."""
        self._add(f"{text}\n\n")

    def quote(self, text: str, source: Citation | ShownPassage, after: str = "") -> None:
        """Write a quote with the number of its source, which is annotated."""
        start = self._length
        place = (source.document_id, source.start, source.end)
        self._sources.setdefault(place, source)
        number = list(self._sources).index(place) + 1
        self._add(f"“{printable(text)}” [{number}]")
        self._annotations.append(self._annotation(start, self._length, source))
        self._add(f"{after}\n\n")

    def content(self) -> Content:
        """Return the text, which ends with the list of its sources."""
        for number, source in enumerate(self._sources.values(), 1):
            self._add(f"[{number}] {_source_line(source, self._base)}\n")
        return Content("".join(self._parts).rstrip("\n"), tuple(self._annotations))

    def _add(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)

    def _annotation(self, start: int, end: int, source: Citation | ShownPassage) -> dict[str, Any]:
        """Return an annotation of OpenAI's form, with what proves the quote beside it."""
        return {
            "type": "url_citation",
            "url_citation": {
                "start_index": start,
                "end_index": end,
                "title": printable(source.title),
                "url": permanent_link(self._base, source),
            },
            "quoted": {
                "document_id": source.document_id,
                "uri": source.uri,
                "sha256": source.sha256,
                "start": source.start,
                "end": source.end,
            },
        }


def content_of(answer: Answer, base: str) -> Content:
    """Return an answer as text; `base` is the address that links begin with."""
    writer = _Writer(base)
    if answer.interpreted_as:
        writer.write(f"Understood as: {printable(answer.interpreted_as)}")
    if answer.reply:
        writer.write(printable(answer.reply))
    elif answer.refusal:
        _write_refusal(answer.refusal, writer)
        return writer.content()
    else:
        _write_spans(answer, writer)
    for remark in (*answer.doubts, *answer.notes):
        writer.write(printable(remark))
    return writer.content()


def _write_spans(answer: Answer, writer: _Writer) -> None:
    """Write the spans with what they are: probable, parts, conflicting or earlier."""
    if answer.parts:
        for part, spans in answer.spans_of_parts:
            writer.write(printable(part_words(part)))
            _quote_all(spans, writer)
    else:
        lead = lead_words(answer)
        if lead:
            writer.write(printable(lead))
        _quote_all(answer.spans, writer)
    for words, others in (("But:", answer.conflicts), ("Earlier:", answer.earlier)):
        if others:
            writer.write(words)
            _quote_all(others, writer)


def _quote_all(spans: Sequence[AnswerSpan], writer: _Writer) -> None:
    """Write spans, each with its confidence and with its sentence where that holds more."""
    for span in spans:
        citation = span.citation
        details = f" — {confidence_words(span.confidence)}"
        if citation.sentence.strip() != span.text.strip():
            details += f"\n\n> {printable(' '.join(citation.sentence.split()))}"
        writer.quote(span.text, citation, details)


def _write_refusal(refusal: Refusal, writer: _Writer) -> None:
    """Write the reason of a refusal with the nearest passages."""
    writer.write(printable(f"No answer found: {refusal.reason}."))
    writer.write(receipt(refusal))
    if refusal.nearest:
        writer.write("Nearest passages:")
    _quote_passages(refusal.nearest, writer)


def _quote_passages(passages: Sequence[ShownPassage], writer: _Writer) -> None:
    for passage in passages:
        writer.quote(shortened(passage.text, _LONGEST), passage)


def passages_content(passages: Sequence[RetrievedPassage], base: str) -> Content:
    """Return the passages that a query retrieves as text, best first."""
    writer = _Writer(base)
    if not passages:
        writer.write("No passages found.")
    _quote_passages(passages, writer)
    return writer.content()


def _source_line(source: Citation | ShownPassage, base: str) -> str:
    """Return title, file and place of a source, with its link if there is one."""
    title, link = shortened(source.title, _LONGEST), permanent_link(base, source)
    shown = f"[{title}]({link})" if link else title
    dated = f" ({source.dated})" if isinstance(source, Citation) and source.date else ""
    words = [f"{shown}{dated} — {printable(source.uri)}, {place_words(source)}"]
    if isinstance(source, Citation) and source.caution:
        words.append(printable(caution_words(source.caution)))
    return "; ".join(words)
