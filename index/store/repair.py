"""Documents in the store that are no longer what was written, and their files, from which they are
mended: the digest proves that it is the same again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from index.errors import LoadingError
from index.filesystem.portable_path import Paths
from index.parsing.loader import MAX_FILE_BYTES, load
from index.parsing.sandbox import Extraction
from index.store.document_row import Damaged, columns_of, damaged, digest_of, is_still, write_digest
from index.store.integrity import REINDEX, IntegrityIssue, next_generation
from index.store.schema import FILE_NAME, translate_sqlite_errors
from index.store.sqlite import transaction


def document_issues(
    folder: Path, db: sqlite3.Connection, max_bytes: int = MAX_FILE_BYTES
) -> list[IntegrityIssue]:
    """The documents of the store in `folder` that are not what was written. One whose file still
    gives that is mended by reading it.

    `mend` takes the writer's lock for granted. Raises StoreError.
    """
    with translate_sqlite_errors(folder / FILE_NAME), Extraction() as extraction:
        return [
            _finding(db, each, Paths(folder).path(each.path), max_bytes, extraction)
            for each in damaged(db)
        ]


def _finding(
    db: sqlite3.Connection, found: Damaged, path: Path, max_bytes: int, extraction: Extraction
) -> IntegrityIssue:
    what = f"{found.uri} (id {found.document_id}) is damaged: its text, or what belongs to it, is not what was written"
    try:
        document = load(path, path.parent, max_bytes=max_bytes, extract=extraction)
    except LoadingError as error:
        back = f"put it back and do this again, restore a backup, or take the document out with `qa remove {found.document_id}`"
        return IntegrityIssue(what, f"its file {error}: {back}")
    columns = columns_of(document) if document else {}
    if columns and digest_of(db, columns) in {found.digest, found.now}:
        return IntegrityIssue(
            what,
            "read its file again, which still gives what was written",
            partial(_restore, db, found, columns),
        )
    mark = "UPDATE documents SET recipe = 0 WHERE id = ?"
    return IntegrityIssue(
        what,
        f"its file gives another text now: {REINDEX}",
        partial(_change, db, found, mark, [found.document_id]),
    )


def _restore(db: sqlite3.Connection, found: Damaged, columns: Mapping[str, object]) -> None:
    assignments = ", ".join(f"{name} = ?" for name in columns)
    _change(
        db,
        found,
        f"UPDATE documents SET {assignments} WHERE id = ?",  # noqa: S608 - fixed names
        [*columns.values(), found.document_id],
        whole=True,
    )


def _change(
    db: sqlite3.Connection,
    found: Damaged,
    statement: str,
    values: list[object],
    *,
    whole: bool = False,
) -> None:
    """Change a document, unless another process has written it meanwhile; `whole`: this is what was
    written.
    """
    with transaction(db):
        if is_still(db, found):
            db.execute(statement, values)
            if whole:
                write_digest(db, found.document_id)
            next_generation(db)
