"""Selection of the store: the embedded one in a data directory, or a shared one.

No other module of `index` names both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from index.search.index_cache import SegmentCache
from index.store.contract import DocumentStore, Snapshot, UploadedObjects
from index.store.derivation import derive
from index.store.limited_snapshot import LimitedSnapshot
from index.store.schema import current_generation
from index.store.snapshot import SqliteSnapshot
from index.store.store import Store

OnRemoval = Callable[[Sequence[str]], None]
"""Function that is called with the ids of documents before they are deleted."""
OnMove = Callable[[str, str], None]
"""Function that is called with the old and the new id of a document before it moves."""


class Backend(Protocol):
    """A store that can be opened to be read and to be written.

    It is kept for as long as a process uses the store: what one generation has loaded serves the
    next. Every method may raise StoreError.
    """

    @property
    def is_shared(self) -> bool:
        """True if processes of several machines may use the store at once."""

    def open_writer(self, on_removal: OnRemoval, on_move: OnMove | None) -> DocumentStore:
        """Open the store to write to it, and create it if there is none."""

    def open_snapshot(self, *, save_derived: bool = True, keep: bool = False) -> Snapshot:
        """Open the current generation; with `save_derived` what is built for it is saved.

        With `keep` what it has loaded is kept for the next one, until the backend is dropped.
        """

    def count_of(self, count: str = "generation") -> int | None:
        """Return the generation, or another count of changes; None without a store."""

    def uploads(self) -> UploadedObjects | None:
        """Return the uploaded files that the store keeps; None if each machine keeps its own."""

    def derive(self, *, at_once: bool = False) -> bool:
        """Bring the search indexes in step with what has changed; False if that is not done.

        `at_once` also takes out what a removal has left for later.
        """


class EmbeddedBackend:
    """The store in a data directory, of one machine."""

    is_shared = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._segments = SegmentCache()

    def open_writer(self, on_removal: OnRemoval, on_move: OnMove | None) -> DocumentStore:
        """Open the store to write to it, and create it if there is none."""
        return Store(self._folder, on_removal, on_move)

    def open_snapshot(self, *, save_derived: bool = True, keep: bool = False) -> Snapshot:
        """Open the current generation; with `save_derived` what is built for it is saved."""
        segments = self._segments if keep else None
        return SqliteSnapshot(self._folder, save_derived=save_derived, segments=segments)

    def count_of(self, count: str = "generation") -> int | None:
        """Return the generation, or another count of changes; None without a store."""
        return current_generation(self._folder, count)

    def uploads(self) -> None:
        """Return None: uploaded files are in the data directory."""

    def derive(self, *, at_once: bool = False) -> bool:
        """Write the derived files anew if enough has changed; False if that cannot be done.

        `at_once` also takes out what a removal has left for later.
        """
        return derive(self._folder, at_once=at_once)


def backend_at(location: str, folder: Path) -> Backend:
    """Return the shared store at a folder or an address, the one in `folder` without a location.

    Raises StoreError if the extra of the shared store is not installed.
    """
    if not location:
        return EmbeddedBackend(folder)
    from index.lance.backend import LanceBackend

    return LanceBackend(location, folder)


def limited_to(snapshot: Snapshot, tags: Sequence[str]) -> Snapshot:
    """Return the view of the documents with any of some tags, as if there were no others.

    It lives as long as the snapshot.
    """
    if isinstance(snapshot, SqliteSnapshot):
        return LimitedSnapshot(snapshot, tags)
    from index.lance.limited import LimitedLanceSnapshot
    from index.lance.snapshot import LanceSnapshot

    if not isinstance(snapshot, LanceSnapshot):
        raise TypeError(f"no views of a {type(snapshot).__name__}")
    return LimitedLanceSnapshot(snapshot, tags)
