"""Document properties that Word and PowerPoint files share."""

from __future__ import annotations

from typing import Any

TEMPLATE_TIMES = {"2013-12-23T23:15:00", "2013-01-27T09:14:16"}
"""Last changes of the templates of python-docx and python-pptx.

Files that these libraries write keep the time of the template, which says nothing of the file.
"""


def day_of(properties: Any) -> str | None:  # noqa: ANN401 - neither library is typed here
    """Return the day of the last change (YYYY-MM-DD), None if the file holds none."""
    try:
        modified = properties.modified
    except ValueError:  # the property holds no date
        return None
    if not modified or modified.isoformat()[:19] in TEMPLATE_TIMES:
        return None
    return str(modified.date().isoformat())
