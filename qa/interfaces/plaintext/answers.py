"""Answers, proofs and passages as plain text.

Everything that comes from a document passes through `printable` before it reaches a terminal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from textwrap import fill, indent
from typing import Any

from index.wording import counted
from qa.answer import (
    Answer,
    AnswerSpan,
    Citation,
    NearestPassage,
    Part,
    Refusal,
    RetrievedPassage,
    answer_of,
)
from qa.verification.quote_check import Proof

Emphasis = Callable[[str], str]
"""Function that marks a quoted span: bold on a terminal, unchanged elsewhere."""

_UNCALIBRATED = (
    "Note: the confidence is not calibrated for these models and this number of passages: "
    "see `qa calibrate --help`."
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Characters that act on a terminal: control characters and changes of text direction."""
AROUND = 300
"""Least number of characters to show on either side of a quote, if there are as many."""
FRESHNESS = {
    "changed": "changed since it was indexed",
    "moved": "moved since it was indexed",
    "gone": "no longer there",
}
"""Words for the state of a source that is not current."""
_CONFIDENCE_WORDS = ((0.8, "high"), (0.5, "fair"), (0.0, "low"))
"""Least confidence for each word, the highest first."""
_LEAST_TITLE_WIDTH = 20
_LEAST_ROW_WIDTH = 30
_ROW_COLUMNS_WIDTH = 42
"""Columns of a search table before the passage."""


def confidence_words(confidence: float) -> str:
    """Return a probability as a word and a number."""
    # The last threshold is 0, so that there is always a word.
    word = next(word for least, word in _CONFIDENCE_WORDS if confidence >= least)
    return f"{word} ({confidence:.2f})"


def answer_text(answer: Answer, emphasis: Emphasis, width: int) -> str:
    """Return an answer or a refusal for a terminal of `width` columns.

    It begins with the question as it was understood, where that is another than was asked.
    """
    parts: list[str] = []
    if answer.interpreted_as:
        parts.append(fill(printable(f"Understood as: {answer.interpreted_as}"), width))
    if answer.reply:
        parts.append(fill(printable(answer.reply), width))
    if answer.parts:
        parts.extend(_part_texts(answer, emphasis, width))
    elif answer.spans:
        parts.extend(filter(None, [lead_words(answer)]))
        parts.extend(span_text(span, emphasis, width) for span in answer.spans)
        parts.extend(_doubt_texts(answer.doubts, width))
    for lead, spans in (
        ("Another document gives:", answer.conflicts),
        ("Earlier:", answer.earlier),
    ):
        parts.extend([lead] if spans else [])
        parts.extend(span_text(span, emphasis, width) for span in spans)
    if answer.refusal:
        parts.append(refusal_text(answer.refusal, width, best_candidate(answer)))
    # Notes come last, since they qualify everything above.
    if not answer.calibrated:
        parts.append(fill(_UNCALIBRATED, width))
    parts.extend(fill(printable(f"Note: {note}"), width) for note in answer.notes)
    return "\n\n".join(parts)


def _part_texts(answer: Answer, emphasis: Emphasis, width: int) -> Iterator[str]:
    """Yield the text of each part: its question, and its spans or why there is none."""
    for part, spans in answer.spans_of_parts:
        yield fill(printable(part_words(part)), width)
        for span in spans:
            yield span_text(span, emphasis, width)
        yield from _doubt_texts(part.doubts, width)


def part_words(part: Part) -> str:
    """Return the question of a part with how sure its answer is, or why there is none."""
    if part.reason:
        return f"{part.question} — no answer found: {part.reason}."
    return f"{part.question} — {'probably' if part.certainty == 'likely' else 'answer'}:"


def _doubt_texts(doubts: Sequence[str], width: int) -> list[str]:
    return [fill(printable(f"Not sure: {doubt}"), width) for doubt in doubts]


def lead_words(answer: Answer) -> str:
    """Return the words above an answer that say what it is and how sure; empty for a sure span."""
    if answer.kind == "documents":
        return "Found in:"
    settles = answer.kind == "evidence"
    if answer.certainty == "likely":
        return "Probably this sentence settles it:" if settles else "Probably:"
    return "This sentence settles it:" if settles else ""


def best_candidate(answer: Answer) -> AnswerSpan | None:
    """Return the best candidate of a refused question, None if nothing could be quoted."""
    return answer.alternatives[0] if answer.refusal and answer.alternatives else None


def candidate_words(candidate: AnswerSpan, room: int) -> str:
    """Return a withheld candidate with its place and confidence, in one line."""
    quote = shortened(candidate.text, room)
    place = _place_words(candidate.citation)
    return (
        f"Best candidate: “{quote}” ({place}), confidence {confidence_words(candidate.confidence)}."
    )


def turn_text(result: Mapping[str, Any], emphasis: Emphasis, width: int) -> str:
    """Return the stored answer of a conversation, with the question as it was understood."""
    return answer_text(answer_of(result), emphasis, width)


def place_text(citation: Citation, width: int) -> str:
    """Return title, place and quote of a citation as one line."""
    title = shortened(citation.title, max(width // 2, _LEAST_TITLE_WIDTH))
    return f"{title} ({_place_words(citation)}): “{shortened(citation.quote, width)}”"


def quote_in_text(citation: Citation, text: str, emphasis: Emphasis, width: int) -> str:
    """Return the text around a quote, with the quote marked.

    At least AROUND characters are shown on either side, and from there to the end of the line, but
    at most 2 * AROUND.
    """
    # Text without line breaks, like a long paragraph, is cut at these limits.
    earliest, latest = citation.start - 2 * AROUND, citation.end + 2 * AROUND
    line_start = text.rfind("\n", 0, max(citation.start - AROUND, 0)) + 1
    line_end = text.find("\n", citation.end + AROUND)
    start = max(line_start, earliest)
    end = min(len(text) if line_end < 0 else line_end, latest)
    before, after = text[start : citation.start], text[citation.end : end]
    shown = shown_lines(before) + emphasis(shown_lines(citation.quote)) + shown_lines(after)
    if start > 0:
        shown = "…" + shown
    if end < len(text):
        shown += "…"
    return f"{place_text(citation, width)}\n\n{shown}"


def shown_lines(text: str) -> str:
    """Return the text with its line breaks, and all other control characters replaced."""
    return "\n".join(map(printable, text.split("\n")))


def refusal_text(refusal: Refusal, width: int, candidate: AnswerSpan | None = None) -> str:
    """Return a refusal with its receipt, the best candidate and the nearest passages."""
    parts = [fill(f"No answer found: {refusal.reason}.", width), fill(receipt(refusal), width)]
    if candidate:
        parts.append(fill(candidate_words(candidate, width), width))
    if refusal.nearest:
        parts.append("Nearest passages:")
        parts.extend(nearest_text(passage, width) for passage in refusal.nearest)
    return "\n\n".join(parts)


def receipt(refusal: Refusal) -> str:
    """Return what was searched for a refused question and what was missing."""
    searched = refusal.searched
    text = (
        f"Searched {counted(searched.passages, 'passage')} "
        f"of {counted(searched.documents, 'document')} and read {searched.read} of them."
    )
    if refusal.missing:
        names = ", ".join(f"“{name}”" for name in refusal.missing)
        text += f" None of those holds {names}."
    return printable(text)


def span_text(span: AnswerSpan, emphasis: Emphasis, width: int) -> str:
    """Return a span with its sentence, its citations and its confidence."""
    lines = [emphasis(_one_line(span.text)), "", *_sentence_lines(span.citation, emphasis)]
    for citation in (span.citation, *span.further):
        lines.extend(_citation_lines(citation, width))
    # What was found by its words or chosen from a document is not a matter of confidence.
    if span.confidence < 1:
        lines.append(f"  confidence: {confidence_words(span.confidence)}")
    return "\n".join(lines)


def _sentence_lines(citation: Citation, emphasis: Emphasis) -> list[str]:
    """Return the sentence around a quote, or nothing if the quote is the whole sentence."""
    if citation.sentence == citation.quote:
        return []
    # All offsets count in the document; those within the sentence count from its start.
    before = citation.sentence[: citation.start - citation.sentence_start]
    after = citation.sentence[citation.end - citation.sentence_start :]
    sentence = (
        _one_line(before, keep_edges=True)
        + emphasis(_one_line(citation.quote))
        + _one_line(after, keep_edges=True)
    )
    return [f"  “{sentence}”", ""]


def _citation_lines(citation: Citation, width: int) -> list[str]:
    """Return title, heading and place of a citation."""
    date = f" ({citation.dated})" if citation.date else ""
    # The date must survive, so the title is cut to what is left beside it.
    title_width = max(width - len("  — ") - len(date), _LEAST_TITLE_WIDTH)
    lines = [f"  — {shortened(citation.title, title_width)}{date}"]
    if citation.heading:
        lines.append(f"  under {_one_line(citation.heading)}")
    place = f"  {_place_words(citation)}, characters {citation.start}–{citation.end}"
    if citation.freshness in FRESHNESS:
        place += f" [{FRESHNESS[citation.freshness]}]"
    cautions = [f"  {printable(caution_words(citation.caution))}"] if citation.caution else []
    return [*lines, place, *cautions]


def caution_words(caution: str) -> str:
    """Return the advice of a citation whose document was perhaps not read well."""
    return f"Check the original: {caution}"


def _place_words(citation: Citation) -> str:
    return printable(", ".join(filter(None, (citation.uri, citation.where))))


def proofs_text(proofs: Sequence[Proof], width: int) -> str:
    """Return the verdicts on all quotes and the number of proved ones."""
    lines = [line for proof in proofs for line in _proof_lines(proof, width)]
    proved = sum(proof.proved for proof in proofs)
    return "\n".join([*lines, f"{proved} of {counted(len(proofs), 'quote')} proved."])


def _proof_lines(proof: Proof, width: int) -> list[str]:
    verdict = "proved" if proof.proved else "NOT PROVED"
    quote = shortened(proof.quote, width // 2)
    place = f"{printable(proof.uri)}, characters {proof.start}–{proof.end}"
    failed = [
        f"  {check.name}: {_one_line(check.detail)}" for check in proof.checks if not check.passed
    ]
    return [f"{verdict}: {proof.role}: “{quote}” — {place}", *failed]


def nearest_text(passage: NearestPassage, width: int) -> str:
    """Return the beginning, the place and the scores of a passage that did not answer."""
    beginning = fill(shortened(passage.text, 2 * width), width - 2)
    place = f"{printable(passage.uri)}, characters {passage.start}–{passage.end}"
    return indent(f"{beginning}\n— {place}, {_scores(passage)}", "  ")


def _scores(passage: NearestPassage) -> str:
    read = f", read {passage.reader_score:+.1f}" if passage.reader_score is not None else ""
    return f"retrieved {passage.score:.2f}{read}"


def search_table(passages: Sequence[RetrievedPassage], width: int) -> str:
    """Return a table with one line per passage.

    Columns are rank, fused score, score and rank of each retriever, and the place, the other
    documents with a copy, and the beginning of the passage.
    """
    head = f"{'rank':>4}  {'fused':>6}  {'dense':>12}  {'BM25':>12}  passage"
    room = max(width - _ROW_COLUMNS_WIDTH, _LEAST_ROW_WIDTH)
    return "\n".join([head, *(_table_row(passage, room) for passage in passages)])


def _table_row(passage: RetrievedPassage, room: int) -> str:
    also = f" (also in {', '.join(copy.uri for copy in passage.copies)})" if passage.copies else ""
    place = f"{passage.uri}:{passage.start}–{passage.end}{also}"
    beginning = shortened(f"{place} {passage.text}", room)
    dense = _score_and_rank(passage.dense_score, passage.dense_rank)
    bm25 = _score_and_rank(passage.bm25_score, passage.bm25_rank)
    return f"{passage.rank:>4}  {passage.score:>6.3f}  {dense}  {bm25}  {beginning}"


def _score_and_rank(score: float, rank: int | None) -> str:
    return f"{score:>6.3f} {f'#{rank}' if rank else '–':>5}"


def shortened(text: str, room: int) -> str:
    """Return the text as one line of at most `room` characters.

    A longer text ends in "…". It is cut after a word if a word ends in the second half of the line.
    """
    line = _one_line(text)
    if len(line) <= room:
        return line
    # A space too far left would waste the line; Chinese and Japanese have none at all.
    space = line.rfind(" ", room // 2, room)
    end = space if space > 0 else room - 1
    return line[:end].rstrip() + "…"


def printable(text: str) -> str:
    """Return the text with all characters replaced that would act on a terminal."""
    return _CONTROL.sub("\ufffd", text)


def _one_line(text: str, *, keep_edges: bool = False) -> str:
    """Return the text with each run of white space as one space.

    White space at the edges is removed, or kept as one space with `keep_edges`.
    """
    # Folded first: line breaks and tabs are white space here, not characters to replace.
    folded = printable(" ".join(text.split()))
    if not keep_edges:
        return folded
    if not folded:
        return " " if text else ""
    left = " " if text[0].isspace() else ""
    right = " " if text[-1].isspace() else ""
    return left + folded + right
