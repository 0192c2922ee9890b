"""What Word and PowerPoint files have in common: their properties."""

from __future__ import annotations

from typing import Any

TEMPLATES = {"2013-12-23T23:15:00", "2013-01-27T09:14:16"}
"""When the templates were saved that python-docx and python-pptx write their files from, leaving
this date in them.
"""


def day_of(properties: Any) -> str | None:  # noqa: ANN401 - neither library is typed here
    """The day of the last change, YYYY-MM-DD, if the file says so."""
    try:
        changed = properties.modified
    except ValueError:  # no date in the place of one
        return None
    return (
        changed.date().isoformat()
        if changed and changed.isoformat()[:19] not in TEMPLATES
        else None
    )
