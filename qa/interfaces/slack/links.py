"""Permanent links to places in documents, as the page understands them."""

from __future__ import annotations

from urllib.parse import quote

from qa.answer import Citation, ShownPassage

VERSION_LENGTH = 12
"""Characters of the sha256 in a link, as in `web/static/links.js`."""


def where(place: Citation | ShownPassage) -> str:
    """Where in the document a place is, in words."""
    return (place.where if isinstance(place, Citation) else "") or f"characters {place.start}–{place.end}"


def permanent_link(base: str, place: Citation | ShownPassage) -> str:
    """The link to a place in the version that was quoted, below `base`; "" without one."""
    version = place.sha256[:VERSION_LENGTH]
    return f"{base}/read/{quote(place.document_id, safe='')}?v={version}#c={place.start}-{place.end}" if base else ""
