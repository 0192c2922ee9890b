"""Parsers without a process, which wait until a test lets them go on."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any

from index.errors import DamagedFile, ExtractionLimit
from index.formats.text_builder import ExtractedText
from index.parsing.sandbox import Extraction
from tests.support.serving import PATIENCE

SLOW = b"<p>Slow"
"""Beginning of a file that is read only when the test says so."""


class Gate:
    """Event that slow files wait for, and the bytes in the order in which they were read."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.begun: list[bytes] = []

    def extraction(self) -> Extraction:
        """Return a parser behind this gate."""
        return _Waiting(self)


class _Waiting(Extraction):
    def __init__(self, gate: Gate) -> None:
        super().__init__()
        self._gate = gate

    def interrupt(self) -> None:
        super().interrupt()
        self._gate.open.set()

    def ask(self, request: Mapping[str, Any], data: bytes) -> bytes:
        assert request == {"kind": "html"}
        self._gate.begun.append(data)
        if data.startswith(SLOW):
            self.on_pages(1, 9)
            assert self._gate.open.wait(PATIENCE)
        if self._is_interrupted:
            raise ExtractionLimit("was interrupted")
        if b"damaged" in data:
            raise DamagedFile("is damaged")
        return json.dumps(ExtractedText(data.decode().removeprefix("<p>"), ()).to_plain()).encode()
