"""Repair of damaged documents in the store from their files.

The digest of a row proves that a repaired document is the one that was written.
"""

from __future__ import annotations

import sqlite3
from functools import partial
from pathlib import Path

from index.document import Document
from index.errors import LoadingError
from index.filesystem.portable_path import Paths, part_of_stored
from index.parsing.loader import MAX_FILE_BYTES, load
from index.parsing.sandbox import Extraction
from index.store.document_row import (
    DamagedDocument,
    damaged_documents,
    digest_of,
    is_unchanged,
    row_of,
    write_digest,
)
from index.store.document_text import blocks_of, write_text_blocks
from index.store.integrity import REINDEX, IntegrityIssue
from index.store.schema import (
    FILE_NAME,
    forget_removals,
    next_generation,
    translate_sqlite_errors,
)
from index.store.sqlite import transaction


def document_issues(
    folder: Path, db: sqlite3.Connection, max_bytes: int = MAX_FILE_BYTES
) -> list[IntegrityIssue]:
    """Return the documents of the store in `folder` that differ from what was written.

    A document whose file still gives what was written is repaired from it. The caller of a repair
    must hold the writer's lock. Raises StoreError.
    """
    with translate_sqlite_errors(folder / FILE_NAME), Extraction() as extraction:
        return [
            _document_issue(db, each, Paths(folder).path(each.path), max_bytes, extraction)
            for each in damaged_documents(db)
        ]


def _document_issue(
    db: sqlite3.Connection,
    damaged: DamagedDocument,
    path: Path,
    max_bytes: int,
    extraction: Extraction,
) -> IntegrityIssue:
    problem = (
        f"{damaged.uri} (id {damaged.document_id}) is damaged: "
        "its text, or what belongs to it, is not what was written"
    )
    try:
        document = load(path, path.parent, max_bytes=max_bytes, extract=extraction)
    except LoadingError as error:
        advice = (
            "put it back and do this again, restore a backup, "
            f"or take the document out with `qa remove {damaged.document_id}`"
        )
        return IntegrityIssue(problem, f"its file {error}: {advice}")
    document = _part_of(document, part_of_stored(damaged.path))
    # The row's present digest, too: then only the stored digest is damaged.
    if document and digest_of(db, document) in {damaged.digest, damaged.current_digest}:
        return IntegrityIssue(
            problem,
            "read its file again, which still gives what was written",
            partial(_restore, db, damaged, document),
        )
    mark = "UPDATE documents SET recipe = 0 WHERE id = ?"
    return IntegrityIssue(
        problem,
        f"its file gives another text now: {REINDEX}",
        partial(_change, db, damaged, mark, [damaged.document_id]),
    )


def _part_of(document: Document | None, part: str) -> Document | None:
    """Return a part of a file's document, or this one itself; None if there is no such part."""
    if document is None or not part:
        return document
    return next((each for each in document.parts if each.part == part), None)


def _restore(db: sqlite3.Connection, damaged: DamagedDocument, document: Document) -> None:
    columns = row_of(document)
    assignments = ", ".join(f"{name} = ?" for name in columns)
    _change(
        db,
        damaged,
        f"UPDATE documents SET {assignments} WHERE id = ?",  # noqa: S608 - fixed names
        [*columns.values(), damaged.document_id],
        restored=document,
    )


def _change(
    db: sqlite3.Connection,
    damaged: DamagedDocument,
    statement: str,
    values: list[object],
    *,
    restored: Document | None = None,
) -> None:
    """Change a document's row, unless another process has written it meanwhile.

    With `restored` row and text are again what was written, and their digests are stored.
    """
    with transaction(db):
        if is_unchanged(db, damaged):
            db.execute(statement, values)
            if restored:
                blocks = blocks_of(restored.text, restored.source, restored.places)
                write_text_blocks(db, damaged.document_id, blocks)
                write_digest(db, damaged.document_id)
            # The words of the documents may be others now.
            forget_removals(db)
            next_generation(db)
