"""The report of gaps: what people asked in vain, and what the documents hold nearest to it.

Records are grouped by likeness of their questions, and the question of each group that was asked
most is asked again: documents may have come since, and the nearest passages are those of today.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal
from weakref import WeakKeyDictionary

from index.store.snapshot import Snapshot
from qa.answer import Answer, AnswerSpan, Certainty, NearestPassage, Refusal
from qa.answering.pipeline import Pipeline
from qa.conversations.ellipsis import is_elliptic
from qa.errors import QAError
from qa.gaps.grouping import alike_groups
from qa.state.gap_records import GapRecord

GROUPS = 20
"""Groups that are shown unless another number is asked for."""
MOST_GROUPS = 100
SECONDS = 45.0
"""Time for all questions that are asked again; later groups are shown without."""
_KEPT_ANSWERS = 300
_WORDINGS = 5
"""Other wordings of a question that are shown."""

Outcome = Literal["answered", "likely", "wrong again", "refused", "not asked"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """The answer that would be given: a span, its confidence and its source."""

    text: str
    confidence: float
    sentence: str
    title: str
    uri: str
    where: str
    document_id: str
    sha256: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class NearPassage:
    """A passage that came near to the question today."""

    text: str
    title: str
    uri: str
    heading: str | None
    score: float
    document_id: str
    sha256: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Gap:
    """A group of questions, shown by the one that was asked most.

    `outcome` is what asking it again gives, `candidate` the answer given now or else the best
    withheld one. `places` are texts that people marked as the right answer, `wrong_answers` those
    that they called wrong. Times are in UTC, ISO 8601.
    """

    question: str
    wordings: tuple[str, ...]
    asked: int
    people: int
    refused: int
    wrong: int
    first: str
    last: str
    outcome: Outcome
    reason: str = ""
    missing: tuple[str, ...] = ()
    candidate: Candidate | None = None
    nearest: tuple[NearPassage, ...] = ()
    places: tuple[str, ...] = ()
    wrong_answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GapReport:
    """The gaps, those asked most first, and how many records and groups there are in all."""

    questions: int
    groups: int
    gaps: tuple[Gap, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return asdict(self)


class AskedAgain:
    """Answers to questions that were asked again, kept as long as what they were asked of.

    May be used from several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # A new generation, other tags and another asker are another snapshot.
        self._answers: WeakKeyDictionary[Snapshot, dict[str, Answer]] = WeakKeyDictionary()

    def answer(self, question: str, pipeline: Pipeline, seconds: float) -> Answer | None:
        """Return the answer of today, None to what is no question any more or has no time left."""
        with self._lock:
            known = self._answers.setdefault(pipeline.snapshot, {})
            if question in known:
                return known[question]
        if seconds <= 0:
            return None
        try:
            answer = pipeline.ask(question, seconds=seconds)
        except QAError:
            return None
        if not answer.truncated:
            with self._lock:
                if len(known) < _KEPT_ANSWERS:
                    known[question] = answer
        return answer


def gap_report(
    records: Sequence[GapRecord],
    pipeline: Pipeline,
    *,
    most: int = GROUPS,
    seconds: float = SECONDS,
    asked_again: AskedAgain | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> GapReport:
    """Group records, and ask the question of each of the first `most` groups again.

    After `seconds` no further question is asked. `asked_again` holds answers of earlier reports.
    """
    asked_again = asked_again or AskedAgain()
    groups = _groups_of(records, pipeline)
    groups.sort(key=len, reverse=True)
    ends_at = clock() + seconds
    gaps = []
    for group in groups[:most]:
        answer = asked_again.answer(_main_question(group), pipeline, ends_at - clock())
        gaps.append(_gap(group, answer))
    return GapReport(len(records), len(groups), tuple(gaps))


def _groups_of(records: Sequence[GapRecord], pipeline: Pipeline) -> list[list[GapRecord]]:
    """Return the records in groups of questions that are alike."""
    by_question: dict[str, list[GapRecord]] = {}
    for record in records:
        by_question.setdefault(_folded(_standalone(record)), []).append(record)
    # The questions that were asked most lead the groups; the newer of equal ones.
    same = sorted(by_question.values(), key=len, reverse=True)
    if not same:
        return []
    vectors = pipeline.embed([_standalone(each[0]) for each in same])
    groups = alike_groups(vectors, cosine_floor=pipeline.cosine_floor)
    return [[record for row in group for record in same[row]] for group in groups]


def _standalone(record: GapRecord) -> str:
    """Return the question as it was asked, unless it cannot be understood alone.

    Of a refused question the likeliest reading is no better than chance.
    """
    return record.understood if is_elliptic(record.question) else record.question


def _folded(question: str) -> str:
    """Return a question without what makes no difference: case, spaces, the mark at its end."""
    return " ".join(question.casefold().split()).rstrip(" ?!.")


def _main_question(group: Sequence[GapRecord]) -> str:
    """Return the wording that was used most, of equal ones the most explicit."""
    counts = Counter(map(_standalone, group))
    return max(counts, key=lambda wording: (counts[wording], wording.endswith("?"), len(wording)))


def _gap(group: Sequence[GapRecord], answer: Answer | None) -> Gap:
    question = _main_question(group)
    wordings = Counter(map(_standalone, group))
    del wordings[question]
    times = sorted(record.asked_at for record in group)
    kinds = Counter(record.kind for record in group)
    wrong_answers = _texts(record.answer for record in group if record.kind == "wrong")
    gap = Gap(
        question,
        tuple(wording for wording, _ in wordings.most_common(_WORDINGS)),
        len(group),
        len({record.owner for record in group}),
        kinds["refused"],
        kinds["wrong"],
        times[0],
        times[-1],
        _outcome(answer, wrong_answers),
        candidate=_candidate(answer),
        places=_texts(record.place for record in group),
        wrong_answers=wrong_answers,
    )
    return _with_refusal(gap, answer.refusal) if answer and answer.refusal else gap


def _with_refusal(gap: Gap, refusal: Refusal) -> Gap:
    nearest = tuple(map(_near, refusal.nearest))
    return replace(gap, reason=refusal.reason, missing=refusal.missing, nearest=nearest)


def _outcome(answer: Answer | None, wrong_answers: Sequence[str]) -> Outcome:
    if answer is None:
        return "not asked"
    if answer.text in wrong_answers:
        return "wrong again"
    outcomes: dict[Certainty, Outcome] = {"sure": "answered", "likely": "likely", "none": "refused"}
    return outcomes[answer.certainty]


def _candidate(answer: Answer | None) -> Candidate | None:
    """Return the best span, given or withheld."""
    spans = (*answer.spans, *answer.alternatives) if answer else ()
    return _from_span(spans[0]) if spans else None


def _from_span(span: AnswerSpan) -> Candidate:
    source = span.citation
    return Candidate(
        span.text,
        span.confidence,
        source.sentence,
        source.title,
        source.uri,
        source.where,
        source.document_id,
        source.sha256,
        source.start,
        source.end,
    )


def _near(passage: NearestPassage) -> NearPassage:
    return NearPassage(
        passage.text,
        passage.title,
        passage.uri,
        passage.heading,
        passage.score,
        passage.document_id,
        passage.sha256,
        passage.start,
        passage.end,
    )


def _texts(texts: Iterable[str | None]) -> tuple[str, ...]:
    """Return the texts that there are, each once."""
    return tuple(dict.fromkeys(text for text in texts if text))
