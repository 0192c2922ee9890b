"""Quotas of uploads: bytes in all, bytes of one key, and files that wait to be read.

Bytes count as they arrive, so that many requests at once get no more than one after the other.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from qa.errors import QuotaReached, TooManyUploads
from qa.settings import Settings
from qa.state.conversations import LOCAL_OWNER
from qa.state.upload_jobs import Usage

OnBytes = Callable[[int], None]
"""Receives the number of bytes that have just arrived. Raises QuotaReached."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Most bytes of all uploads and of those of one key, and most files that wait."""

    stored_bytes: int
    key_bytes: int
    waiting_files: int


class UploadQuota:
    """Quotas of a server, with the bytes that are arriving now."""

    def __init__(self, settings: Settings) -> None:
        self._limits = Limits(
            settings.max_stored_bytes, settings.max_key_bytes, settings.max_waiting_files
        )
        self._arriving: Counter[str] = Counter()
        self._lock = threading.Lock()

    def check(self, owner: str, usage: Usage, more_bytes: int = 0, more_files: int = 1) -> None:
        """Raise QuotaReached or TooManyUploads if an owner's upload has no room.

        `usage` is what is stored; `more_bytes` and `more_files` come with the upload.
        """
        limits = self._limits
        if usage.waiting_files + more_files > limits.waiting_files:
            raise TooManyUploads(
                f"{usage.waiting_files:,} uploaded files wait to be read, at most "
                f"{limits.waiting_files:,} may: try again in a minute, with fewer files, or raise "
                "QUOTED_MAX_WAITING_FILES"
            )
        if usage.total_bytes + more_bytes > limits.stored_bytes:
            raise QuotaReached(
                f"all uploaded files may have {limits.stored_bytes:,} bytes, and have "
                f"{usage.total_bytes:,}: delete documents, or raise QUOTED_MAX_STORED_BYTES"
            )
        # Somebody alone on a machine has no key, and the other limit suffices.
        if owner != LOCAL_OWNER and usage.own_bytes + more_bytes > limits.key_bytes:
            raise QuotaReached(
                f"the files uploaded with one key may have {limits.key_bytes:,} bytes, and yours "
                f"have {usage.own_bytes:,}: delete documents, or let the operator raise "
                "QUOTED_MAX_KEY_BYTES"
            )

    @contextmanager
    def arrival(self, owner: str, usage: Usage, announced: int) -> Iterator[OnBytes]:
        """Count an upload while it arrives; `announced` is the length that its head gives.

        Raises QuotaReached or TooManyUploads, before the first byte where that is possible.
        """
        self.check(owner, self._with_arriving(owner, usage), announced)
        arrived = 0

        def on_bytes(count: int) -> None:
            nonlocal arrived
            arrived += count
            with self._lock:
                self._arriving[owner] += count
            self.check(owner, self._with_arriving(owner, usage))

        try:
            yield on_bytes
        finally:
            with self._lock:
                self._arriving[owner] -= arrived

    def _with_arriving(self, owner: str, usage: Usage) -> Usage:
        with self._lock:
            total, own = self._arriving.total(), self._arriving[owner]
        return Usage(usage.total_bytes + total, usage.own_bytes + own, usage.waiting_files)
