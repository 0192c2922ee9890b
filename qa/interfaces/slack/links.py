"""Permanent links to places in documents, as the page understands them."""

from __future__ import annotations

from urllib.parse import quote

from qa.answer import Citation, ShownPassage

VERSION_LENGTH = 12
"""Characters of the sha256 in a link, as in `web/static/links.js`."""


def permanent_link(base: str, place: Citation | ShownPassage) -> str:
    """The link to a place in the version that was quoted, below `base`; "" without one. Passages are linked to in the current text."""
    version = f"?v={place.sha256[:VERSION_LENGTH]}" if isinstance(place, Citation) else ""
    return f"{base}/read/{quote(place.document_id, safe='')}{version}#c={place.start}-{place.end}" if base else ""
