"""What stands in the index against what stands in the folders: every document's file, and the files
that are not indexed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Literal

from index.parsing.loader import relative_uri, shown
from index.sources.discovery import discover
from index.store.snapshot import Snapshot
from qa.answer import Freshness
from qa.answering.source_freshness import SourceFreshness

State = Freshness | Literal["new"]
"""`new` is a file that no document is made of: not indexed yet, or skipped, as `qa index` says."""


@dataclass(frozen=True, slots=True)
class FileStatus:
    """One file: `document_id` is None for a new one, `moved_to` the place where the bytes of a
    moved one are now.
    """

    uri: str
    state: State
    document_id: str | None
    indexed_at: str | None
    moved_to: str | None = None


def status_of(
    snapshot: Snapshot, sources: SourceFreshness, roots: Mapping[Path, Sequence[str]]
) -> list[FileStatus]:
    """All documents by uri, then the new files below the roots, each with its patterns of what is
    left out.
    """
    known = snapshot.files()
    states = [(file, sources.freshness_of(file)) for file in known]
    moved = {file.document_id: sources.moved_to(file) for file, state in states if state == "moved"}
    indexed = {file.path for file in known} | set(moved.values())
    new = {
        path: root.base
        for given, exclude in roots.items()
        for root in discover([given], exclude)
        for path in root.files
        if path not in indexed
    }
    return [
        *(
            FileStatus(
                file.uri,
                state,
                file.document_id,
                file.indexed_at,
                _named(moved.get(file.document_id)),
            )
            for file, state in states
        ),
        *(
            FileStatus(relative_uri(path, base), "new", None, None)
            for path, base in sorted(new.items())
        ),
    ]


def without_folder(status: FileStatus) -> FileStatus:
    """The same for those who need not know where the folders are: the name alone of where a file is
    now.
    """
    return replace(status, moved_to=status.moved_to and PurePath(status.moved_to).name)


def _named(path: Path | None) -> str | None:
    return None if path is None else shown(str(path))
