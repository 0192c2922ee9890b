"""Gaps as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import fill

from index.wording import counted
from qa.gaps.report import Gap, GapReport
from qa.interfaces.plaintext.answers import Emphasis, printable, shortened

_INDENT = "  "
NOW = {
    "answered": "answered by now",
    "likely": "answered by now, not surely",
    "wrong again": "the answer that was called wrong, still",
    "refused": "no answer found today either; best candidate",
    "not asked": "not asked again",
}
"""Words for what asking again gives."""


def gaps_text(report: GapReport, emphasis: Emphasis, width: int) -> str:
    """Return the gaps, each with what the documents hold nearest to it."""
    if not report.gaps:
        return "No question was asked in vain or called wrong."
    head = f"{counted(report.questions, 'question')} in {counted(report.groups, 'group')}"
    if report.groups > len(report.gaps):
        head += f", the {len(report.gaps)} asked most are shown"
    return "\n\n".join([head, *("\n".join(_lines(gap, emphasis, width)) for gap in report.gaps)])


def _lines(gap: Gap, emphasis: Emphasis, width: int) -> Iterator[str]:
    yield emphasis(printable(gap.question))
    yield _INDENT + times_asked(gap)
    if gap.wordings:
        yield _filled(f"also asked as: {' | '.join(gap.wordings)}", width)
    for place in gap.places:
        yield _filled(f"marked as right: “{place}”", width)
    for wrong in gap.wrong_answers:
        yield _filled(f"called wrong: “{wrong}”", width)
    candidate = gap.candidate
    words = f"now: {NOW[gap.outcome]}"
    if candidate:
        source = f"{candidate.uri} {candidate.where}".strip()
        words += f": “{candidate.text}” ({candidate.confidence:.2f}, {source})"
    yield _filled(words, width)
    if gap.missing:
        yield _filled(f"not in the passages read: {', '.join(gap.missing)}", width)
    for passage in gap.nearest:
        room = max(20, width - len(passage.uri) - 12)
        yield _filled(f"near: {shortened(passage.text, room)} — {passage.uri}", width)


def times_asked(gap: Gap) -> str:
    """Return how often and by how many it was asked, in words."""
    counts = ["asked once" if gap.asked == 1 else f"asked {gap.asked} times"]
    if gap.people > 1:
        counts.append(f"by {gap.people} people")
    if gap.wrong:
        counts.append(f"called wrong {counted(gap.wrong, 'time')}")
    return f"{', '.join(counts)}; last on {gap.last[:10]}"


def _filled(text: str, width: int) -> str:
    return fill(printable(text), width, initial_indent=_INDENT, subsequent_indent=_INDENT * 2)
