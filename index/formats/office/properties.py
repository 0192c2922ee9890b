"""Document properties that Word and PowerPoint files share."""

from __future__ import annotations

from typing import Any

TEMPLATE_DAYS = {"2013-12-23", "2013-01-27"}
"""Days of the last changes of the templates of python-docx and python-pptx.

Files that these libraries write keep the day of the template, which says nothing of the file.
"""


def day_of(properties: Any) -> str | None:  # noqa: ANN401 - neither library is typed here
    """Return the day of the last change (YYYY-MM-DD), None if the file holds none."""
    try:
        modified = properties.modified
    except ValueError:  # the property holds no date
        return None
    day = str(modified.date().isoformat()) if modified else None
    return None if day in TEMPLATE_DAYS else day
