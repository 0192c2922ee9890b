"""The freshness of sources: comparison of quoted documents with their files at answer time.

A look at the file system suffices almost always. A source that has changed still answers, marked
and with a note: most changes of a file (a line added) leave the quote true, and the citation says
which bytes it is from. A source that is gone does not answer at all: people who delete a file
expect to hear no more of it, and what nobody can open proves nothing. It is left out before
reading, so that what is still there answers instead, and the answer or the refusal says so.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Protocol

from index.filesystem.file_stamp import FileStamp, stamp_of
from index.parsing.loader import shown
from index.store.file_records import IndexedFile
from index.store.snapshot import Snapshot
from qa.answer import Citation, Freshness

LOOK_ENTRIES = 5000
"""Largest number of files looked at in search of a moved one: 30 ms."""
LOOK_SECONDS = 1.0
"""Seconds for which a listing of files is reused."""
NAMED = 3
"""Files that a note names."""

FilesByKey = dict[str | int, list[Path]]
"""Paths of files by their names and by their inodes."""


class FreshnessCheck(Protocol):
    """The comparison of indexed documents with their files at answer time."""

    def freshness(self, document_id: str) -> Freshness:
        """Return the freshness of an indexed document's file."""

    def absent(self, document_ids: Iterable[str]) -> Mapping[str, IndexedFile]:
        """Return the files of the documents that must not answer, by document id."""

    def note_on_absent(self, files: Iterable[IndexedFile]) -> str | None:
        """Return a note on documents that were left out, None if there is nothing to say."""

    def notes(self, citations: Iterable[Citation]) -> list[str]:
        """Return a note for each cited document that is not as it was indexed."""

    def over(self, snapshot: Snapshot) -> FreshnessCheck:
        """Return the same comparison for a view of the snapshot."""


@dataclass(frozen=True, slots=True)
class _Listing:
    """The files below a folder as they were at `time`, in seconds of the clock."""

    time: float
    files: FilesByKey


class FileHashes:
    """The sha256 of files as they are now, shared by the generations of a process.

    A file is read again only when its stamp has changed.
    """

    def __init__(self) -> None:
        self._known: dict[Path, tuple[FileStamp, str]] = {}

    def sha256(self, path: Path, stamp: FileStamp) -> str | None:
        """Return the hash of a file that has this stamp; None if it cannot be read."""
        known = self._known.get(path)
        if known and known[0] == stamp:
            return known[1]
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            return None
        # A file written within the last tick of the clock may change without a new stamp.
        if stamp.is_settled(time.time_ns()):
            self._known[path] = (stamp, digest)
        return digest


class NoFreshnessCheck:
    """A freshness check that looks at no file and takes every document for current.

    It is for figures that depend on the index alone, as those of `qa eval`.
    """

    def freshness(self, document_id: str) -> Freshness:
        """Return "current"."""
        del document_id
        return "current"

    def absent(self, document_ids: Iterable[str]) -> dict[str, IndexedFile]:
        """Return no file."""
        del document_ids
        return {}

    def note_on_absent(self, files: Iterable[IndexedFile]) -> str | None:
        """Return no note."""
        del files
        return None

    def notes(self, citations: Iterable[Citation]) -> list[str]:
        """Return no notes."""
        del citations
        return []

    def over(self, snapshot: Snapshot) -> NoFreshnessCheck:
        """Return this check."""
        del snapshot
        return self


class SourceFreshness:
    """The freshness check of the files behind one snapshot's documents."""

    def __init__(
        self, snapshot: Snapshot, hashes: FileHashes, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._snapshot = snapshot
        self._hashes = hashes
        self._clock = clock
        self._listings: dict[Path, _Listing] = {}

    def over(self, snapshot: Snapshot) -> SourceFreshness:
        """Return the same check of the documents of a view of the snapshot."""
        return SourceFreshness(snapshot, self._hashes, clock=self._clock)

    def freshness(self, document_id: str) -> Freshness:
        """Return the freshness of a document's file; the document must be indexed."""
        return self.freshness_of(self._snapshot.file(document_id))

    def freshness_of(self, file: IndexedFile) -> Freshness:
        """Return the freshness of an indexed file.

        A document has no file to look at, and is current, if it was not read from one, or if
        another machine has read it from a folder that this one does not have.
        """
        if self._is_elsewhere(file):
            return "current"
        stamp = stamp_of(file.path)
        if stamp is None:
            return "moved" if self.moved_to(file) else "gone"
        if stamp == file.stamp:
            return "current"
        # A touched file has another stamp and the same bytes.
        return "current" if self._has_same_bytes(file.path, file) else "changed"

    def moved_to(self, file: IndexedFile) -> Path | None:
        """Return another place with the same bytes; None if there is none.

        It is the place of another document, or of a file with the same name or inode below the
        folder that was indexed.
        """
        for path in self._places_to_try(file):
            if self._has_same_bytes(path, file):
                return path
        return None

    def absent(self, document_ids: Iterable[str]) -> dict[str, IndexedFile]:
        """Return the files of the documents that must not answer, by document id.

        They are gone, or have moved to where they are indexed, too, and answer from there.
        """
        files = self._snapshot.files_of(list(document_ids))
        return {file.document_id: file for file in files if self._must_not_answer(file)}

    def note_on_absent(self, files: Iterable[IndexedFile]) -> str | None:
        """Return a note on the documents left out because their files are gone.

        None if none is gone: a file that has moved answers from its new place.
        """
        gone = [shown(file.uri) for file in files if self.freshness_of(file) == "gone"]
        if not gone:
            return None
        more = f" and {len(gone) - NAMED} others" if len(gone) > NAMED else ""
        return f"left out because no longer there: {', '.join(gone[:NAMED])}{more}"

    def notes(self, citations: Iterable[Citation]) -> list[str]:
        """Return a note for each cited document whose file is not as it was indexed."""
        outdated = {
            citation.document_id: citation
            for citation in citations
            if citation.freshness != "current"
        }
        return [self._note(citation) for citation in outdated.values()]

    def _note(self, citation: Citation) -> str:
        file = self._snapshot.file(citation.document_id)
        if citation.freshness == "changed":
            return (
                f"{citation.uri} has changed since it was indexed; the quote is from the version "
                f"of {file.indexed_at}. `qa index` takes up the new one."
            )
        place = self.moved_to(file) if citation.freshness == "moved" else None
        if place is None:
            return (
                f"{citation.uri} is no longer there; the quote is from the version "
                f"of {file.indexed_at}."
            )
        # Outside the indexed folder the name alone is shown: paths of the machine are private.
        root = _indexed_folder(file)
        name = place.relative_to(root).as_posix() if place.is_relative_to(root) else place.name
        return (
            f"{citation.uri} has been moved since it was indexed: "
            f"the same file is now {shown(name)}."
        )

    def _must_not_answer(self, file: IndexedFile) -> bool:
        """Return True if a file is gone, or is indexed at the place that it moved to, too."""
        if self._is_elsewhere(file) or stamp_of(file.path) is not None:
            return False
        place = self.moved_to(file)
        return place is None or self._snapshot.is_indexed(place)

    def _is_elsewhere(self, file: IndexedFile) -> bool:
        """Return True if there is no file of a document that this machine could look at."""
        if not file.path.is_absolute():
            return True
        return self._snapshot.is_shared and not _indexed_folder(file).is_dir()

    def _places_to_try(self, file: IndexedFile) -> list[Path]:
        """Return the places where a file may be now, those of other documents first."""
        same_bytes = [
            other.path
            for other in self._snapshot.files_with(file.sha256)
            if other.document_id != file.document_id
        ]
        below = self._files_below(_indexed_folder(file))
        same_inode = below.get(file.stamp.inode, []) if file.stamp else []
        same_name = below.get(file.path.name, [])
        return [*same_bytes, *same_inode, *same_name]

    def _has_same_bytes(self, path: Path, file: IndexedFile) -> bool:
        """Return True if the file at a path has the bytes that were indexed."""
        stamp = stamp_of(path)
        # The size rules out most files without reading them.
        return (
            stamp is not None
            and stamp.size == file.size
            and self._hashes.sha256(path, stamp) == file.sha256
        )

    def _files_below(self, folder: Path) -> FilesByKey:
        """Return at most `LOOK_ENTRIES` files below a folder, listed lately."""
        listing = self._listings.get(folder)
        if listing and self._clock() - listing.time < LOOK_SECONDS:
            return listing.files
        every = (Path(place, name) for place, _, names in os.walk(folder) for name in names)
        files: FilesByKey = {}
        for path in islice(every, LOOK_ENTRIES):
            stamp = stamp_of(path)
            if stamp:
                files.setdefault(path.name, []).append(path)
                files.setdefault(stamp.inode, []).append(path)
        self._listings[folder] = _Listing(self._clock(), files)
        return files


def _indexed_folder(file: IndexedFile) -> Path:
    """Return the folder that was indexed, to which the uri is relative."""
    above = file.path.parents
    return above[min(len(PurePosixPath(file.uri).parts), len(above)) - 1]
