"""Answers and passages as text for people."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from textwrap import fill, indent
from typing import Any

from qa.answer import (
    Answer,
    AnswerSpan,
    Citation,
    NearestPassage,
    Refusal,
    RetrievedPassage,
    answer_of,
)
from qa.verification.quote_check import Proof

Emphasis = Callable[[str], str]
"""Marks the quoted span: bold on a terminal, unchanged elsewhere."""

_UNCALIBRATED = "Note: the confidence is not calibrated for these models and this number of passages: `qa calibrate --help` says how to."
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What would act on a terminal instead of being shown: control characters and changes of direction.
"""
AROUND = 300
"""Characters that are shown on either side of a quote, at least, where there are so many."""
FRESHNESS = {
    "changed": "changed since it was indexed",
    "moved": "moved since it was indexed",
    "gone": "no longer there",
}
"""What to say of a source that is not current."""
_WORDS = ((0.8, "high"), (0.5, "fair"), (0.0, "low"))


def confidence_words(confidence: float) -> str:
    """A probability in words and as a number."""
    word = next(word for least, word in _WORDS if confidence >= least)
    return f"{word} ({confidence:.2f})"


def answer_text(answer: Answer, emphasis: Emphasis, width: int) -> str:
    """An answer or a refusal, for a terminal `width` columns wide."""
    parts = (
        ["\n\n".join(span_text(span, emphasis, width) for span in answer.spans)]
        if answer.spans
        else []
    )
    if answer.kind == "evidence" and answer.spans:
        parts.insert(0, "This sentence settles it:")
    if answer.conflicts:
        parts.append("Another document gives:")
        parts.extend(span_text(span, emphasis, width) for span in answer.conflicts)
    if answer.refusal:
        parts.append(refusal_text(answer.refusal, width))
    if not answer.calibrated:
        parts.append(fill(_UNCALIBRATED, width))
    parts.extend(fill(printable(f"Note: {note}"), width) for note in answer.notes)
    return "\n\n".join(parts)


def turn_text(result: Mapping[str, Any], emphasis: Emphasis, width: int) -> str:
    """The JSON of an answer within a conversation, with how the question was understood."""
    answer = answer_of(result)
    understood = (
        [fill(printable(f"Understood as: {answer.interpreted_as}"), width)]
        if answer.interpreted_as
        else []
    )
    return "\n\n".join([*understood, answer_text(answer, emphasis, width)])


def place_text(citation: Citation, width: int) -> str:
    """Where a quote stands, in one line."""
    return f"{shortened(citation.title, max(width // 2, 20))} ({_place_words(citation)}): “{shortened(citation.quote, width)}”"


def quote_in_text(citation: Citation, text: str, emphasis: Emphasis, width: int) -> str:
    """The text around a quote, with the quote marked, whole lines where they are short."""
    first = max(
        text.rfind("\n", 0, max(citation.start - AROUND, 0)) + 1, citation.start - 2 * AROUND
    )
    end = text.find("\n", citation.end + AROUND)
    last = min(len(text) if end < 0 else end, citation.end + 2 * AROUND)
    before, after = text[first : citation.start], text[citation.end : last]
    cut = ("…" if first else "", "…" if last < len(text) else "")
    shown = f"{cut[0]}{shown_lines(before)}{emphasis(shown_lines(citation.quote))}{shown_lines(after)}{cut[1]}"
    return f"{place_text(citation, width)}\n\n{shown}"


def shown_lines(text: str) -> str:
    """The text, with signs for what would act instead of being shown."""
    return "\n".join(map(printable, text.split("\n")))


def refusal_text(refusal: Refusal, width: int) -> str:
    """A refusal with its receipt."""
    parts = [fill(f"No answer found: {refusal.reason}.", width), fill(receipt(refusal), width)]
    if refusal.nearest:
        parts.extend(
            ["Nearest passages:", *(nearest_text(passage, width) for passage in refusal.nearest)]
        )
    return "\n\n".join(parts)


def receipt(refusal: Refusal) -> str:
    """Where was looked, and what was not met there."""
    searched = refusal.searched
    looked = f"Searched {counted(searched.passages, 'passage')} of {counted(searched.documents, 'document')} and read {searched.read} of them."
    missing = (
        f" None of those holds {', '.join(f'“{name}”' for name in refusal.missing)}."
        if refusal.missing
        else ""
    )
    return printable(looked + missing)


def span_text(span: AnswerSpan, emphasis: Emphasis, width: int) -> str:
    """A span in its sentence, with its citations and confidence."""
    citation = span.citation
    return "\n".join(
        [
            emphasis(_one_line(span.text)),
            "",
            *_quoted(citation, emphasis),
            *(line for each in (citation, *span.further) for line in _place(each, width)),
            f"  confidence: {confidence_words(span.confidence)}",
        ]
    )


def _quoted(citation: Citation, emphasis: Emphasis) -> list[str]:
    if citation.sentence == citation.quote:
        return []
    before = citation.sentence[: citation.start - citation.sentence_start]
    after = citation.sentence[citation.end - citation.sentence_start :]
    return [
        f"  “{_one_line(before, keep_edges=True)}{emphasis(_one_line(citation.quote))}{_one_line(after, keep_edges=True)}”",
        "",
    ]


def _place(citation: Citation, width: int) -> list[str]:
    dated = f" ({citation.date})" if citation.date else ""
    title = shortened(citation.title, max(width - 4 - len(dated), 20)) + dated
    heading = [f"  under {_one_line(citation.heading)}"] if citation.heading else []
    fresh = f" [{FRESHNESS[citation.freshness]}]" if citation.freshness in FRESHNESS else ""
    return [
        f"  — {title}",
        *heading,
        f"  {_place_words(citation)}, characters {citation.start}–{citation.end}{fresh}",
    ]


def _place_words(citation: Citation) -> str:
    return printable(", ".join(filter(None, (citation.uri, citation.where))))


def proofs_text(proofs: Sequence[Proof], width: int) -> str:
    """The verdict on each quote, with the checks that failed, and how many are proved."""
    proved = sum(proof.proved for proof in proofs)
    total = f"{proved} of {counted(len(proofs), 'quote')} proved."
    return "\n".join([*(line for proof in proofs for line in _proof_lines(proof, width)), total])


def _proof_lines(proof: Proof, width: int) -> list[str]:
    verdict = "proved" if proof.proved else "NOT PROVED"
    place = f"{printable(proof.uri)}, characters {proof.start}–{proof.end}"
    failed = [
        f"  {check.name}: {_one_line(check.detail)}" for check in proof.checks if not check.passed
    ]
    return [f"{verdict}: {proof.role}: “{shortened(proof.quote, width // 2)}” — {place}", *failed]


def nearest_text(passage: NearestPassage, width: int) -> str:
    """A passage that did not answer: its beginning and its place."""
    beginning = fill(shortened(passage.text, 2 * width), width - 2)
    return indent(
        f"{beginning}\n— {printable(passage.uri)}, characters {passage.start}–{passage.end}, {_scores(passage)}",
        "  ",
    )


def counted(number: int, name: str) -> str:
    """A number of things."""
    return f"{number:,} {name}" if number == 1 else f"{number:,} {name}s"


def _scores(passage: NearestPassage) -> str:
    read = f", read {passage.reader_score:+.1f}" if passage.reader_score is not None else ""
    return f"retrieved {passage.score:.2f}{read}"


def search_table(passages: Sequence[RetrievedPassage], width: int) -> str:
    """One line a passage: rank, fused score, each retriever's score with its rank, place,
    beginning.
    """
    head = f"{'rank':>4}  {'fused':>6}  {'dense':>12}  {'BM25':>12}  passage"
    return "\n".join([head, *(_row(passage, max(width - 42, 30)) for passage in passages)])


def _row(passage: RetrievedPassage, room: int) -> str:
    beginning = shortened(f"{passage.uri}:{passage.start}–{passage.end} {passage.text}", room)
    dense, bm25 = (
        _scored(passage.dense_score, passage.dense_rank),
        _scored(passage.bm25_score, passage.bm25_rank),
    )
    return f"{passage.rank:>4}  {passage.score:>6.3f}  {dense}  {bm25}  {beginning}"


def _scored(score: float, rank: int | None) -> str:
    return f"{score:>6.3f} {f'#{rank}' if rank else '–':>5}"


def shortened(text: str, room: int) -> str:
    """The text on one line of at most `room` characters, cut at a word if one ends in its second
    half, with "…" where something is missing.
    """
    line = _one_line(text)
    if len(line) <= room:
        return line
    space = line.rfind(" ", room // 2, room)
    return line[: space if space > 0 else room - 1].rstrip() + "…"


def printable(text: str) -> str:
    """The text with nothing in it that would act on a terminal."""
    return _CONTROL.sub("\ufffd", text)


def _one_line(text: str, *, keep_edges: bool = False) -> str:
    folded = printable(" ".join(text.split()))
    if not keep_edges or not folded:
        return folded or (" " if keep_edges and text else "")
    return (" " if text[0].isspace() else "") + folded + (" " if text[-1].isspace() else "")
