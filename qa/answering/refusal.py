"""The refusal of a question: why there is no answer, and what was searched.

It names the gate that failed, the names in the question that no passage holds, and the passages
that came nearest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from index.search.scope import Scope
from index.store.snapshot import Snapshot
from qa.answer import Gate, NearestPassage, Refusal, Searched
from qa.answering.citations import shown_passage
from qa.answering.decision import Decision
from qa.answering.features import AnswerGroup, missing_names
from qa.answering.kinds.unsupported import NOTHING_COMPUTED, asks_to_compute
from qa.answering.reading.reader import Reading
from qa.answering.retrieval.retriever import RetrievedChunk

NEAREST = 3
"""Passages shown with a refusal."""


def refusal_of(
    question: str,
    decision: Decision,
    reading: Reading,
    passages: Sequence[RetrievedChunk],
    snapshot: Snapshot,
    scope: Scope | None,
    absence_note: str | None,
) -> Refusal:
    """Return the refusal of a question after a decision that failed at a gate.

    `passages` were retrieved within the `scope` (None: from all documents), best first; `reading`
    covers the first `reading.passages_read` of them. `absence_note` tells of documents
    that were left out because their files are gone. Raises ValueError if the question is answered.
    """
    gate = decision.failed
    if gate is None:
        raise ValueError("expected a decision that failed at a gate, got an answer")
    best = decision.alternatives[0].group if decision.alternatives else None
    reason = _reason(gate, snapshot)
    if asks_to_compute(question):
        reason = f"{reason}; {NOTHING_COMPUTED}"
    if absence_note:
        reason = f"{reason}; {absence_note}"
    text_read = "\n".join(
        passage.chunk.embedded_text for passage in passages[: reading.passages_read]
    )
    return Refusal(
        reason,
        _searched(snapshot, scope, reading),
        gate,
        tuple(missing_names(question, text_read)),
        _nearest(passages, reading, best),
    )


def refusal_for(
    reason: str,
    passages: Sequence[RetrievedChunk],
    snapshot: Snapshot,
    scope: Scope | None,
) -> Refusal:
    """Return the refusal of a request that no quote can answer, with the nearest passages."""
    nothing_read = Reading((), 0, len(passages), 0.0)
    return Refusal(
        reason,
        _searched(snapshot, scope, nothing_read),
        Gate("question", 0.0, 1.0, 1.0),
        (),
        _nearest(passages, nothing_read, None),
    )


def _reason(gate: Gate, snapshot: Snapshot) -> str:
    """Return the reason of a refusal in words."""
    if not snapshot.size:
        return "nothing is indexed: run `qa index PATH...`"
    if gate.name == "passages":
        return "nothing in the searched documents matches the question"
    if gate.name == "spans":
        return "the passages that match the question hold nothing that can be quoted"
    return (
        f"no passage answers the question: the best candidate has confidence {gate.value:.3f}, "
        f"{gate.needed:.3f} is needed"
    )


def _searched(snapshot: Snapshot, scope: Scope | None, reading: Reading) -> Searched:
    """Return the numbers of documents and passages searched, and of passages read."""
    if scope is None:
        return Searched(snapshot.document_count, snapshot.size, reading.passages_read)
    return Searched(len(scope.document_ids), scope.size, reading.passages_read)


def _nearest(
    passages: Sequence[RetrievedChunk], reading: Reading, best: AnswerGroup | None
) -> tuple[NearestPassage, ...]:
    """Return the passages that came nearest by retrieval, best first.

    A reader that found no answer is no judge of what is near.
    """
    scores = _best_scores(reading)
    return tuple(
        _nearest_passage(passage, scores.get(id(passage)), best)
        for passage in sorted(passages, key=lambda each: each.rank)[:NEAREST]
    )


def _best_scores(reading: Reading) -> dict[int, float]:
    """Return the best score of each passage's candidates by the identity of the passage."""
    scores: dict[int, float] = {}
    for candidate in reading.candidates:
        # Candidates come best first, so the first of a passage is its best.
        scores.setdefault(id(candidate.passage), candidate.score)
    return scores


def _nearest_passage(
    passage: RetrievedChunk, reader_score: float | None, best: AnswerGroup | None
) -> NearestPassage:
    rounded = None if reader_score is None else round(reader_score, 2)
    shown = shown_passage(passage)
    inside = [
        (candidate.start, candidate.end)
        for candidate in (best.candidates if best else ())
        if candidate.passage.chunk.document_id == shown.document_id
        and shown.start <= candidate.start
        and candidate.end <= shown.end
    ]
    return NearestPassage(
        **asdict(shown), reader_score=rounded, highlights=tuple(sorted(set(inside)))
    )
