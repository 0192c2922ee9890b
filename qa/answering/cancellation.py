"""Cancellation of a question that nobody waits for any more."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

from qa.errors import QuestionCancelled

_is_cancelled: ContextVar[Callable[[], bool]] = ContextVar("is_cancelled", default=lambda: False)


def cancel_when(is_cancelled: Callable[[], bool]) -> None:
    """Let the questions of this context end when a function returns True."""
    _is_cancelled.set(is_cancelled)


def check_cancelled() -> None:
    """Raise QuestionCancelled if nobody waits for the answer; called between two steps."""
    if _is_cancelled.get()():
        raise QuestionCancelled
