"""Is what is quoted still what its file holds? Asked of every source at answer time; a look at the
file system suffices almost always.

A source that has changed still answers, marked and with a note: most changes of a file (a line
added) leave the quote true, and the citation says which bytes it is from. A source that is gone
does not answer at all: who deletes a file expects to hear no more of it, and what nobody can open
proves nothing. It is left out before reading, so that what is still there answers instead, and the
answer or the refusal says so.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path, PurePosixPath

from index.filesystem.file_stamp import FileStamp, stamp_of
from index.parsing.loader import shown
from index.store.file_records import IndexedFile
from index.store.snapshot import Snapshot
from qa.answer import Citation, Freshness

LOOK_ENTRIES = 5000
"""Files that are looked through, at most, for one that was moved: 30 ms."""
LOOK_SECONDS = 1.0
"""How long what was found by that is believed."""
NAMED = 3
"""Files that a note names."""


class FileHashes:
    """sha256 of files as they are now, each read again only when its stamp is another one. Shared
    by the generations of a process.
    """

    def __init__(self) -> None:
        self._known: dict[Path, tuple[FileStamp, str]] = {}

    def sha256(self, path: Path, stamp: FileStamp) -> str | None:
        """The hash of a file that has this stamp; None if it cannot be read."""
        known = self._known.get(path)
        if known and known[0] == stamp:
            return known[1]
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            return None
        if stamp.is_settled(time.time_ns()):
            self._known[path] = (stamp, digest)
        return digest


class NoFreshnessCheck:
    """No file is looked at: for figures that depend on the index alone, as those of `qa eval`."""

    def freshness(self, document_id: str) -> Freshness:
        """Taken for granted."""
        del document_id
        return "current"

    def absent(self, document_ids: Iterable[str]) -> dict[str, IndexedFile]:
        """None."""
        del document_ids
        return {}

    def note_on_absent(self, files: Iterable[IndexedFile]) -> str | None:
        """Nothing."""
        del files
        return None

    def notes(self, citations: Iterable[Citation]) -> list[str]:
        """Nothing."""
        del citations
        return []


class SourceFreshness(NoFreshnessCheck):
    """The files behind one snapshot's documents."""

    def __init__(
        self, snapshot: Snapshot, hashes: FileHashes, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._snapshot, self._hashes, self._clock = snapshot, hashes, clock
        self._listed: dict[Path, tuple[float, dict[str | int, list[Path]]]] = {}

    def freshness(self, document_id: str) -> Freshness:
        """Whether a document is what its file holds; there must be such a document."""
        return self.freshness_of(self._snapshot.file(document_id))

    def freshness_of(self, file: IndexedFile) -> Freshness:
        """The same of an indexed file. What was not read from a file has none to look at, and is
        current.
        """
        if not file.path.is_absolute():
            return "current"
        stamp = stamp_of(file.path)
        if stamp is None:
            return "moved" if self.moved_to(file) else "gone"
        if stamp == file.stamp:
            return "current"
        return "current" if self._holds(file.path, file) else "changed"

    def moved_to(self, file: IndexedFile) -> Path | None:
        """Another place with the same bytes: of another document, or of a file below the folder
        that was indexed, of the same name or inode.
        """
        others = (
            other.path
            for other in self._snapshot.files_with(file.sha256)
            if other.document_id != file.document_id
        )
        below = self._files_below(_base(file))
        alike = [
            *(below.get(file.stamp.inode, ()) if file.stamp else ()),
            *below.get(file.path.name, ()),
        ]
        return next(
            (path for group in (others, alike) for path in group if self._holds(path, file)), None
        )

    def absent(self, document_ids: Iterable[str]) -> dict[str, IndexedFile]:
        """Those documents that must not answer: their files are gone, or moved to where they are
        indexed, too, and answer from there.
        """
        files = (self._snapshot.file(each) for each in document_ids)
        return {
            file.document_id: file
            for file in files
            if file.path.is_absolute() and stamp_of(file.path) is None and self._replaced(file)
        }

    def note_on_absent(self, files: Iterable[IndexedFile]) -> str | None:
        """What to say of those that were left out because they are gone."""
        gone = [shown(file.uri) for file in files if self.freshness_of(file) == "gone"]
        if not gone:
            return None
        more = f" and {len(gone) - NAMED} others" if len(gone) > NAMED else ""
        return f"left out because no longer there: {', '.join(gone[:NAMED])}{more}"

    def notes(self, citations: Iterable[Citation]) -> list[str]:
        """What to say of cited sources that are not what they were, one line a document."""
        return [
            self._note(each)
            for each in {
                each.document_id: each for each in citations if each.freshness != "current"
            }.values()
        ]

    def _note(self, citation: Citation) -> str:
        file = self._snapshot.file(citation.document_id)
        if citation.freshness == "changed":
            return f"{citation.uri} has changed since it was indexed; the quote is from the version of {file.indexed_at}. `qa index` takes up the new one."
        place = self.moved_to(file) if citation.freshness == "moved" else None
        if place is None:
            return f"{citation.uri} is no longer there; the quote is from the version of {file.indexed_at}."
        base = _base(file)
        name = place.relative_to(base).as_posix() if place.is_relative_to(base) else place.name
        return f"{citation.uri} has been moved since it was indexed: the same file is now {shown(name)}."

    def _replaced(self, file: IndexedFile) -> bool:
        """Whether nothing is lost, or nothing left, when a document whose file is not there is left
        out.
        """
        place = self.moved_to(file)
        return place is None or self._snapshot.is_indexed(place)

    def _holds(self, path: Path, file: IndexedFile) -> bool:
        stamp = stamp_of(path)
        return (
            stamp is not None
            and stamp.size == file.size
            and self._hashes.sha256(path, stamp) == file.sha256
        )

    def _files_below(self, folder: Path) -> dict[str | int, list[Path]]:
        """Some files below a folder, by name and by inode."""
        known = self._listed.get(folder)
        if known and self._clock() - known[0] < LOOK_SECONDS:
            return known[1]
        every = (Path(place, name) for place, _, names in os.walk(folder) for name in names)
        found: dict[str | int, list[Path]] = {}
        for path in islice(every, LOOK_ENTRIES):
            stamp = stamp_of(path)
            for key in (path.name, stamp.inode) if stamp else ():
                found.setdefault(key, []).append(path)
        self._listed[folder] = (self._clock(), found)
        return found


def _base(file: IndexedFile) -> Path:
    """The folder that was indexed, which the uri is relative to."""
    above = file.path.parents
    return above[min(len(PurePosixPath(file.uri).parts), len(above)) - 1]
