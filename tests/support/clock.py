"""A clock that tests set."""

from __future__ import annotations

from datetime import UTC, datetime


class Clock:
    """Clock that shows the time at which it was set."""

    def __init__(self, now: datetime = datetime(2026, 11, 24, 12, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now
