"""Pages of PDF files as they are shown, drawn and searched for a quote in the process that parses."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import astuple

from index.errors import ExtractionLimit
from index.formats.page_view import PageText, PageView, view_of
from index.parsing.sandbox import GIB, Extraction, Limits

LIMITS = Limits(seconds=45.0, memory=2 * GIB, output=64 * 1024 * 1024)
"""Of one page: recognising the words of a scanned one takes up to 30 seconds, drawing 0.1 to 3 on a
slow machine.
"""


class Pages:
    """Draws one page at a time, in one process that is started with the first; may be used from
    several threads.
    """

    def __init__(self, limits: Limits = LIMITS) -> None:
        self._extraction = Extraction(limits)
        self._lock = threading.Lock()

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._extraction.close()

    def drawn(self, data: bytes, page: int, width: int) -> bytes:
        """A page of a PDF as PNG, so many pixels wide or less; raises LoadingError."""
        return self._asked({"kind": "pdf", "draw": {"number": page, "width": width}}, data, page)

    def located(
        self, data: bytes, page: int, texts: Sequence[PageText], start: int, end: int
    ) -> PageView:
        """A page of a PDF, and where the characters [start, end) of the document's text stand on
        it, `texts` being what of that stands on the page; raises LoadingError.
        """
        where = {
            "number": page,
            "texts": [astuple(each) for each in texts],
            "start": start,
            "end": end,
        }
        return view_of(json.loads(self._asked({"kind": "pdf", "locate": where}, data, page)))

    def _asked(self, request: dict[str, object], data: bytes, page: int) -> bytes:
        try:
            with self._lock:
                return self._extraction.ask(request, data)
        except ExtractionLimit as error:
            raise ExtractionLimit(f"page {page} cannot be shown: {error}") from error
