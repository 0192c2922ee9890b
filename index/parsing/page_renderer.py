"""Rendering of PDF pages, and location of quotes on them, in a sandbox process."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import astuple

from index.errors import ExtractionLimit
from index.formats.page_view import PageText, PageView
from index.parsing.sandbox import GIB, Extraction, Limits

LIMITS = Limits(seconds=45.0, patience=2.0, memory=2 * GIB, output=64 * 1024 * 1024)
"""Limits of one page.

Recognising the words of a scanned page takes up to 30 seconds, drawing one 0.1 to 3 on a slow
machine. Somebody waits for it, so that a busy machine gets little more.
"""


class PageRenderer:
    """Draws one page at a time in one process, which starts with the first.

    Safe to use from several threads: they take turns.
    """

    def __init__(self, limits: Limits = LIMITS) -> None:
        self._extraction = Extraction(limits)
        self._lock = threading.Lock()

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._extraction.close()

    def render(self, data: bytes, page: int, width: int) -> bytes:
        """Return a page of a PDF as PNG, at most `width` pixels wide. Raises LoadingError."""
        return self._ask({"kind": "pdf", "draw": {"number": page, "width": width}}, data, page)

    def locate(
        self, data: bytes, page: int, texts: Sequence[PageText], start: int, end: int
    ) -> PageView:
        """Return a page of a PDF with the boxes of [start, end) of the document's text.

        `texts` are the pieces of the text that stand on the page. Raises LoadingError.
        """
        location = {
            "number": page,
            "texts": [astuple(text) for text in texts],
            "start": start,
            "end": end,
        }
        answer = self._ask({"kind": "pdf", "locate": location}, data, page)
        return PageView.from_plain(json.loads(answer))

    def _ask(self, request: dict[str, object], data: bytes, page: int) -> bytes:
        try:
            with self._lock:
                return self._extraction.ask(request, data)
        except ExtractionLimit as error:
            raise ExtractionLimit(f"page {page} cannot be shown: {error}") from error
