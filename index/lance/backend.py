"""The shared store at a location, opened to be read and to be written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from index.errors import StoreBusy
from index.lance.location import connect
from index.lance.maintenance import maintain
from index.lance.manifest import Ledger
from index.lance.snapshot import LanceSnapshot, WordCache
from index.lance.store import LanceStore
from index.lance.transaction import Transactions
from index.lance.upload_objects import UploadObjects, upload_objects

COUNTS = {"generation", "tagged"}
"""Counts of changes that a manifest has."""


class LanceBackend:
    """The store at a folder or an address, of as many processes and machines as like to use it."""

    is_shared = True

    def __init__(self, location: str, folder: Path) -> None:
        """Take a location, and the data directory of this machine. Raises StoreError."""
        connect(location)
        self.location, self._folder = location, folder
        self._ledger = Ledger(location)
        self._words = WordCache()

    def open_writer(
        self,
        on_removal: Callable[[Sequence[str]], None],
        on_move: Callable[[str, str], None] | None,
    ) -> LanceStore:
        """Open the store to write to it, and create it if there is none."""
        return LanceStore(self.location, self._folder, on_removal, on_move)

    def open_snapshot(self, *, save_derived: bool = True, keep: bool = False) -> LanceSnapshot:
        """Open the current generation; there is nothing to save, and words are always kept."""
        del save_derived, keep
        return LanceSnapshot(self.location, self._folder, self._words)

    def count_of(self, count: str = "generation") -> int | None:
        """Return the generation, or another count of changes; None without a store."""
        if count not in COUNTS:
            raise ValueError(f"expected one of {sorted(COUNTS)}, got {count!r}")
        if not self._ledger.exists():
            return None
        return int(getattr(self._ledger.read(), count))

    def uploads(self) -> UploadObjects | None:
        """Return the uploaded files that the store keeps; None if each machine keeps its own."""
        return upload_objects(self.location, self._folder)

    def derive(self, *, at_once: bool = False) -> bool:  # noqa: ARG002 - nothing is put off
        """Do the upkeep that is due; False while others are at work, as it can wait."""
        try:
            maintain(Transactions(self.location))
        except StoreBusy:
            return False
        return True
