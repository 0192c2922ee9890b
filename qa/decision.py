"""Candidates -> answer or refusal: the best candidate answers if it is confident enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qa.reader import Candidate

ALTERNATIVES = 3
"""Further candidates that are shown beside the answer."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The chosen candidates (none for a refusal), the next best, and the reason of a refusal."""

    chosen: tuple[Candidate, ...]
    alternatives: tuple[Candidate, ...]
    reason: str | None

    @property
    def confidence(self) -> float:
        """That of the best candidate, given or withheld; 0 without any."""
        return max((candidate.confidence for candidate in (*self.chosen, *self.alternatives)), default=0.0)


def decide(candidates: Sequence[Candidate], threshold: float) -> Decision:
    """Answer with the best candidate if its confidence is at least `threshold`. `candidates` come best first."""
    if not candidates:
        return Decision((), (), "nothing in the searched documents matches the question")
    best = candidates[0]
    if best.confidence < threshold:
        reason = (
            f"no passage answers the question: the best candidate has confidence {best.confidence:.2f}, {threshold:.2f} is needed"
        )
        return Decision((), tuple(candidates[:ALTERNATIVES]), reason)
    return Decision((best,), tuple(candidates[1 : 1 + ALTERNATIVES]), None)
