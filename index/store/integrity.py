"""Integrity checks of the store's file, its rows and the derived files, with their repairs.

No repair loses a document.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from index.search.index_cache import EARLIER_FILES
from index.search.index_file import DERIVED, PART_PREFIX, delete_index_file, read_index_file
from index.search.segments import MANIFEST, damaged_file, read_manifest
from index.store.schema import forget_removals, next_generation
from index.store.sqlite import transaction

MAX_SHOWN = 3
"""Most lines of SQLite's own report that are shown."""
TOLERANCE = 1e-3
"""Largest distance of a vector's norm from 1.

The rows are normalised from averages of results in bf16 (8 bits of mantissa), and rounded to half
precision (11 bits).
"""


@dataclass(frozen=True, slots=True)
class IntegrityIssue:
    """Problem of the store, with advice and a repair (None: only a person can repair it).

    A `harmless` issue is left behind by a run that was stopped: it takes disk space until the next
    run or a repair.
    """

    problem: str
    remedy: str
    repair: Callable[[], None] | None = None
    harmless: bool = False


def database_issues(db: sqlite3.Connection, remedy: str) -> list[IntegrityIssue]:
    """Return the damage that SQLite finds in the pages and indexes of a file."""
    try:
        rows = [row[0] for row in db.execute(f"PRAGMA integrity_check({MAX_SHOWN})")]
    except sqlite3.DatabaseError as error:
        return [IntegrityIssue(f"SQLite cannot read the file: {error}", remedy)]
    if rows == ["ok"]:
        return []
    return [IntegrityIssue(f"SQLite finds the file damaged: {'; '.join(rows)}", remedy)]


def reference_issues(db: sqlite3.Connection, remedy: str) -> list[IntegrityIssue]:
    """Return an issue for rows that refer to rows that do not exist."""
    broken = db.execute("PRAGMA foreign_key_check").fetchall()
    if not broken:
        return []
    tables = ", ".join(sorted({row[0] for row in broken}))
    return [IntegrityIssue(f"{len(broken)} rows of {tables} belong to rows that are gone", remedy)]


def row_issues(db: sqlite3.Connection) -> list[IntegrityIssue]:
    """Return the issues of incomplete documents, orphaned rows and vectors.

    The caller of a repair must hold the writer's lock.
    """
    return [*_incomplete_documents(db), *_orphaned_rows(db), *_vector_issues(db)]


REINDEX = "index them again: they are marked, so that the next `qa index` reads their files"
"""Advice for documents that are repaired from their files; the repair marks them."""
_INCOMPLETE = {
    "have passages that reach beyond their text": (
        "SELECT DISTINCT documents.id FROM chunks JOIN documents ON documents.id = document_id"
        ' WHERE start < 0 OR "end" <= start OR "end" > characters'
    ),
    "have passages without terms": (
        "SELECT DISTINCT document_id FROM chunks WHERE id NOT IN (SELECT chunk_id FROM terms)"
    ),
    "have passages whose terms are damaged": (
        "SELECT DISTINCT document_id FROM chunks JOIN terms ON chunk_id = chunks.id"
        " WHERE NOT are_terms(terms)"
    ),
    "have passages without a vector": (
        "SELECT DISTINCT document_id FROM chunks WHERE vector_key NOT IN (SELECT key FROM vectors)"
    ),
}
"""Problem -> query for the ids of the documents that have it."""
_UNUSED = "vectors of no passage"
_ORPHANS = {
    "passages of no document": "chunks WHERE document_id NOT IN (SELECT id FROM documents)",
    "lists of terms of no passage": "terms WHERE chunk_id NOT IN (SELECT id FROM chunks)",
    "sightings of no document": "sightings WHERE document_id NOT IN (SELECT id FROM documents)",
    "digests of no document": "digests WHERE document_id NOT IN (SELECT id FROM documents)",
    "texts of no document": "text_blocks WHERE document_id NOT IN (SELECT id FROM documents)",
    _UNUSED: "vectors WHERE key NOT IN (SELECT vector_key FROM chunks)",
}
"""Problem -> table and condition of the rows that nothing refers to."""


def _incomplete_documents(db: sqlite3.Connection) -> Iterator[IntegrityIssue]:
    for problem, documents in _INCOMPLETE.items():
        count = len(db.execute(documents).fetchall())
        if count:
            mark = f"UPDATE documents SET recipe = 0 WHERE id IN ({documents})"  # noqa: S608 - ours
            yield IntegrityIssue(f"{count} documents {problem}", REINDEX, _statement(db, mark))


def _orphaned_rows(db: sqlite3.Connection) -> Iterator[IntegrityIssue]:
    for problem, rows in _ORPHANS.items():
        [count] = db.execute(f"SELECT count(*) FROM {rows}").fetchone()  # noqa: S608 - ours
        if count:
            deletion = _statement(db, f"DELETE FROM {rows}")  # noqa: S608 - ours
            # A stopped run leaves vectors that it stored before their document.
            yield IntegrityIssue(
                f"{count} {problem}", "delete them", deletion, harmless=problem == _UNUSED
            )


def _vector_issues(db: sqlite3.Connection) -> Iterator[IntegrityIssue]:
    import numpy as np

    from index.store.stored_vectors import COMPONENT, unpacked

    [widths] = db.execute("SELECT count(DISTINCT length(vector)) FROM vectors").fetchone()
    if widths > 1:
        yield IntegrityIssue(
            "the vectors have different lengths", "`qa forget --all` and index again"
        )
    bad = []
    for key, blob in db.execute("SELECT key, vector FROM vectors"):
        is_whole = len(blob) % COMPONENT.itemsize == 0
        norm = float(np.linalg.norm(unpacked([blob]))) if is_whole else 0.0
        # Not the same as `>`: a norm that is no number is bad, too.
        if not abs(norm - 1) <= TOLERANCE:
            bad.append((key,))
    if bad:
        yield IntegrityIssue(
            f"{len(bad)} vectors are not of length 1", REINDEX, lambda: _invalidate(db, bad)
        )


def _invalidate(db: sqlite3.Connection, keys: list[tuple[bytes]]) -> None:
    """Mark the documents of bad vectors, and move the vectors to keys that no text has.

    The next run embeds the texts again, because it does not find their vectors.
    """
    with transaction(db):
        db.executemany(
            "UPDATE documents SET recipe = 0"
            " WHERE id IN (SELECT document_id FROM chunks WHERE vector_key = ?)",
            keys,
        )
        # Chunks and vectors get the new keys one after the other.
        db.execute("PRAGMA defer_foreign_keys = ON")
        db.executemany(
            "UPDATE chunks SET vector_key = CAST(vector_key || x'00' AS BLOB) WHERE vector_key = ?",
            keys,
        )
        db.executemany("UPDATE vectors SET key = CAST(key || x'00' AS BLOB) WHERE key = ?", keys)


def _statement(db: sqlite3.Connection, statement: str) -> Callable[[], None]:
    """Return a repair that runs a statement in a transaction and raises the generation."""

    def run() -> None:
        with transaction(db):
            db.execute(statement)
            # A repair records no removal: whatever was derived before is derived anew.
            forget_removals(db)
            next_generation(db)

    return run


def derived_issues(folder: Path, store: str) -> list[IntegrityIssue]:
    """Return the damaged or abandoned derived files of the store with the id `store`.

    A file of an older generation is no issue: it is built again when it is needed.
    """
    issues = []
    for path in sorted((folder / DERIVED).glob("*")):
        is_partial = path.name.startswith(PART_PREFIX)
        problem = ": was left half written" if is_partial else _derived_problem(path, store)
        if problem and path.name not in EARLIER_FILES:
            name, _, what = problem.partition(": ")
            shown = path / name if name else path
            issues.append(
                IntegrityIssue(
                    f"{shown.relative_to(folder).as_posix()} {what}",
                    "delete it: it is built again",
                    partial(delete_index_file, path),
                    harmless=is_partial,
                )
            )
    return issues


_DAMAGED = "is damaged: its checksum does not match"
_FOREIGN = "belongs to another index"


def _derived_problem(path: Path, store: str) -> str | None:
    """Return the problem of a derived file, after the name of a file in it and a colon."""
    if path.is_dir():
        manifest = read_manifest(path)
        if manifest is None:
            return f"{MANIFEST}: {_DAMAGED}"
        if manifest.store != store:
            return f": {_FOREIGN}"
        damaged = damaged_file(path, manifest)
        return f"{damaged}: {_DAMAGED}" if damaged else None
    read = read_index_file(path)
    if read is None:
        return f": {_DAMAGED}"
    return None if read[0].store == store else f": {_FOREIGN}"
