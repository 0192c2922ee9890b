"""State of indexed documents against their files, and files that are not indexed yet."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Literal

from index.parsing.loader import relative_uri, shown
from index.sources.discovery import discover
from index.store.snapshot import Snapshot
from qa.answer import Freshness
from qa.answering.retrieval.source_freshness import SourceFreshness

State = Freshness | Literal["new"]
"""State of a file; `new` has no document: it is not indexed yet, or `qa index` skips it."""


@dataclass(frozen=True, slots=True)
class FileStatus:
    """State of one file.

    `document_id` and `indexed_at` are None for a new file. `moved_to` is the present path of a
    moved file, `caution` why the text of a document may be wrong (`ExtractionReport.caution`).
    """

    uri: str
    state: State
    document_id: str | None
    indexed_at: str | None
    moved_to: str | None = None
    caution: str | None = None


def status_of(
    snapshot: Snapshot, sources: SourceFreshness, roots: Mapping[Path, Sequence[str]]
) -> list[FileStatus]:
    """Return the status of all documents by uri, then of the new files below the roots.

    Each root comes with its exclude patterns.
    """
    files = snapshot.files()
    states = {file.document_id: sources.freshness_of(file) for file in files}
    new_paths = {
        file.document_id: sources.moved_to(file)
        for file in files
        if states[file.document_id] == "moved"
    }
    cautions = snapshot.cautions()
    documents = [
        FileStatus(
            file.uri,
            states[file.document_id],
            file.document_id,
            file.indexed_at,
            _printable(new_paths.get(file.document_id)),
            cautions.get(file.document_id),
        )
        for file in files
    ]
    # The new place of a moved file is not a new file.
    indexed = {file.path for file in files} | set(new_paths.values())
    return documents + _new_files(roots, indexed)


def without_folder(status: FileStatus) -> FileStatus:
    """Return the status with only the name of a moved file, for readers who may not see folders."""
    return replace(status, moved_to=status.moved_to and PurePath(status.moved_to).name)


def _new_files(
    roots: Mapping[Path, Sequence[str]], indexed: Container[Path | None]
) -> list[FileStatus]:
    """Return the files below the roots that are not indexed, sorted by path."""
    bases = {}
    for folder, exclude in roots.items():
        for root in discover([folder], exclude):
            for path in root.files:
                if path not in indexed:
                    bases[path] = root.base
    return [
        FileStatus(relative_uri(path, base), "new", None, None)
        for path, base in sorted(bases.items())
    ]


def _printable(path: Path | None) -> str | None:
    return None if path is None else shown(str(path))
