"""Advice from the figures of a self-test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from index.store.snapshot import Snapshot
from index.wording import counted, listed
from qa.self_test.judging import Judged

_LOW_RETRIEVAL = 0.8
_MUCH_WITHHELD = 0.15
_LOW_PRECISION = 0.85
_MANY_INVENTED = 0.1
_FEW = 20
"""Questions below which the figures say little."""
_LEAST_OF_DOCUMENT = 2
"""Places of one document that are not found before it is named."""


def advice_on(judged: Sequence[Judged], snapshot: Snapshot) -> tuple[str, ...]:
    """Return what an operator could do, the most useful first."""
    ours = [each for each in judged if each.question.is_answerable]
    others = [each for each in judged if not each.question.is_answerable]
    return (
        *_on_numbers(ours),
        *_on_retrieval(ours),
        *_on_withheld(ours),
        *_on_wrong(ours),
        *_on_invented(others),
        *_on_documents(ours, snapshot),
    )


def _on_numbers(ours: Sequence[Judged]) -> Iterator[str]:
    if len(ours) < _FEW:
        yield (
            f"Only {counted(len(ours), 'question')} made from the documents: the figures say "
            "little. Ask more (--questions); tables, numbered steps and full sentences make them."
        )


def _on_retrieval(ours: Sequence[Judged]) -> Iterator[str]:
    missed = [each for each in ours if not each.is_retrieved]
    if ours and len(missed) > (1 - _LOW_RETRIEVAL) * len(ours):
        yield (
            f"For {len(missed)} of {len(ours)} questions the right passage was not read: try a "
            "larger QUOTED_TOP_K, and see with `qa search` what is found instead."
        )


def _on_withheld(ours: Sequence[Judged]) -> Iterator[str]:
    withheld = [each for each in ours if each.verdict == "withheld"]
    if ours and len(withheld) > _MUCH_WITHHELD * len(ours):
        yield (
            f"{len(withheld)} right answers were withheld: a smaller QUOTED_LIKELY_PRECISION "
            "shows more of them, or `qa calibrate` fits the confidence to your own questions."
        )


def _on_wrong(ours: Sequence[Judged]) -> Iterator[str]:
    sure = [each for each in ours if each.certainty == "sure"]
    wrong = [each for each in sure if each.verdict == "wrong"]
    if len(wrong) > (1 - _LOW_PRECISION) * len(sure):
        yield (
            f"{len(wrong)} of {len(sure)} sure answers were not what the question was made from: "
            "look at them below; where they are wrong, raise QUOTED_TARGET_PRECISION."
        )


def _on_invented(others: Sequence[Judged]) -> Iterator[str]:
    sure = [each for each in others if each.certainty == "sure"]
    likely = [each for each in others if each.certainty == "likely"]
    if len(sure) + len(likely) > _MANY_INVENTED * len(others):
        yield (
            f"{len(sure)} sure and {len(likely)} likely answers were given to {len(others)} "
            "questions that no document answers: raise QUOTED_LIKELY_PRECISION, or ask with "
            "--sure where a wrong answer costs much."
        )


def _on_documents(ours: Sequence[Judged], snapshot: Snapshot) -> Iterator[str]:
    """Yield the documents that are not found, and those that were not read well."""
    missed = Counter(each.question.uri for each in ours if not each.is_retrieved)
    names = [uri for uri, times in missed.most_common() if times >= _LEAST_OF_DOCUMENT]
    if names:
        yield f"Their passages are often not found: {listed(names)}."
    cautions = snapshot.cautions()
    asked = {each.question.document_id: each.question.uri for each in ours}
    doubtful = [uri for document_id, uri in asked.items() if cautions.get(document_id)]
    if doubtful:
        yield (
            f"The text of these may be wrong, see `qa list --details`: {listed(sorted(doubtful))}."
        )
