"""Permanent links to places in documents, as the page understands them."""

from __future__ import annotations

from urllib.parse import quote

from qa.answer import Citation, ShownPassage

VERSION_LENGTH = 12
"""Characters of the sha256 in a link, as in `web/static/links.js`."""


def where(place: Citation | ShownPassage) -> str:
    """Where in the document a place is, in words."""
    return (
        place.where if isinstance(place, Citation) else ""
    ) or f"characters {place.start}–{place.end}"


def permanent_link(base: str, place: Citation | ShownPassage) -> str:
    """The link to a place in the version that was quoted, below `base`; "" without one."""
    return (
        f"{document_link(base, place.document_id, place.sha256)}#c={place.start}-{place.end}"
        if base
        else ""
    )


def document_link(base: str, document_id: str, sha256: str) -> str:
    """The link to a document in the version of this hash, below `base`; "" without one."""
    return f"{base}/read/{quote(document_id, safe='')}?v={sha256[:VERSION_LENGTH]}" if base else ""
