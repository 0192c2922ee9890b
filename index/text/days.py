"""Days that are written in a text."""

from __future__ import annotations

from contextlib import suppress
from datetime import date

import regex

_DAY = regex.compile(r"(?<!\d)(\d{4})-?([01]\d)-?([0-3]\d)(?!\d)")


def day_in(text: str) -> str | None:
    """The first day in a text that is written as in ISO 8601, as YYYY-MM-DD; None without one."""
    for match in _DAY.finditer(text):
        with suppress(ValueError):
            return date(*map(int, match.groups())).isoformat()
    return None
