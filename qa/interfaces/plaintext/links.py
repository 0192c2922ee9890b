"""Permanent links to places in documents, as the web page reads them."""

from __future__ import annotations

from urllib.parse import quote

from qa.answer import Citation, ShownPassage

VERSION_LENGTH = 12
"""Characters of the sha256 in a link, as in `web/static/links.js`."""


def place_words(place: Citation | ShownPassage) -> str:
    """Return where in its document a place is, like "page 3" or "characters 5–9"."""
    named = place.where if isinstance(place, Citation) else ""
    return named or f"characters {place.start}–{place.end}"


def permanent_link(base: str, place: Citation | ShownPassage) -> str:
    """Return the link to a place in the quoted version of its document.

    `base` is the public address of the web page; without one the link is "".
    """
    if not base:
        return ""
    document = document_link(base, place.document_id, place.sha256)
    return f"{document}#c={place.start}-{place.end}"


def document_link(base: str, document_id: str, sha256: str) -> str:
    """Return the link to a version of a document, "" without a `base`."""
    if not base:
        return ""
    return f"{base}/read/{quote(document_id, safe='')}?v={sha256[:VERSION_LENGTH]}"
