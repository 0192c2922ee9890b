"""Is the store whole: its file, its rows, and what is derived from them; and what can be mended
without losing a document.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from index.search.index_file import DERIVED, PARTS
from index.store.sqlite import transaction

MAX_SHOWN = 3
"""Lines of SQLite's own report that are shown."""
TOLERANCE = 1e-3
"""How far from 1 a vector's norm may be: float32 rows, normalised from results in bf16 (8 bits of
mantissa) that were averaged.
"""


@dataclass(frozen=True, slots=True)
class IntegrityIssue:
    """Something that is wrong, what to do about it, and what mends it (None: only a person can).

    What a run that was stopped leaves behind is `harmless`: it takes room, until the next run or a
    mend.
    """

    problem: str
    remedy: str
    repair: Callable[[], None] | None = None
    harmless: bool = False


def database_issues(db: sqlite3.Connection, remedy: str) -> list[IntegrityIssue]:
    """What SQLite finds in the pages and indexes of a file."""
    try:
        rows = [row[0] for row in db.execute(f"PRAGMA integrity_check({MAX_SHOWN})")]
    except sqlite3.DatabaseError as error:
        return [IntegrityIssue(f"SQLite cannot read the file: {error}", remedy)]
    return (
        []
        if rows == ["ok"]
        else [IntegrityIssue(f"SQLite finds the file damaged: {'; '.join(rows)}", remedy)]
    )


def reference_issues(db: sqlite3.Connection, remedy: str) -> list[IntegrityIssue]:
    """Rows that belong to rows that are gone."""
    broken = db.execute("PRAGMA foreign_key_check").fetchall()
    tables = ", ".join(sorted({row[0] for row in broken}))
    return (
        [IntegrityIssue(f"{len(broken)} rows of {tables} belong to rows that are gone", remedy)]
        if broken
        else []
    )


def row_issues(db: sqlite3.Connection) -> list[IntegrityIssue]:
    """Rows without what they need or without what needs them; `mend` takes the writer's lock for
    granted.
    """
    findings = []
    for what, documents in _DAMAGED.items():
        count = len(db.execute(documents).fetchall())
        if count:
            mark = f"UPDATE documents SET recipe = 0 WHERE id IN ({documents})"  # noqa: S608 - ours
            findings.append(
                IntegrityIssue(f"{count} documents {what}", REINDEX, _running(db, mark))
            )
    for what, rows in _ORPHANS.items():
        [count] = db.execute(f"SELECT count(*) FROM {rows}").fetchone()  # noqa: S608 - ours
        if count:
            findings.append(
                IntegrityIssue(
                    f"{count} {what}",
                    "delete them",
                    _running(db, f"DELETE FROM {rows}"),  # noqa: S608
                    what == _UNUSED,
                )
            )
    return [*findings, *_vector_findings(db)]


REINDEX = "index them again: they are marked, so that the next `qa index` reads their files"
"""What mends a document by its file; the mend marks it."""
_DAMAGED = {
    "have passages that reach beyond their text": (
        "SELECT DISTINCT documents.id FROM chunks JOIN documents ON documents.id = document_id"
        ' WHERE start < 0 OR "end" <= start OR "end" > length(text)'
    ),
    "have passages without terms": "SELECT DISTINCT document_id FROM chunks WHERE id NOT IN (SELECT chunk_id FROM terms)",
    "have passages without a vector": "SELECT DISTINCT document_id FROM chunks WHERE vector_key NOT IN (SELECT key FROM vectors)",
}
_UNUSED = "vectors of no passage"
_ORPHANS = {
    "passages of no document": "chunks WHERE document_id NOT IN (SELECT id FROM documents)",
    "lists of terms of no passage": "terms WHERE chunk_id NOT IN (SELECT id FROM chunks)",
    "sightings of no document": "sightings WHERE document_id NOT IN (SELECT id FROM documents)",
    "digests of no document": "digests WHERE document_id NOT IN (SELECT id FROM documents)",
    _UNUSED: "vectors WHERE key NOT IN (SELECT vector_key FROM chunks)",
}


def _vector_findings(db: sqlite3.Connection) -> Iterator[IntegrityIssue]:
    import numpy as np

    [widths] = db.execute("SELECT count(DISTINCT length(vector)) FROM vectors").fetchone()
    if widths > 1:
        yield IntegrityIssue(
            "the vectors have different lengths", "`qa forget --all` and index again"
        )
    bad = []
    for key, blob in db.execute("SELECT key, vector FROM vectors"):
        vector = (
            np.frombuffer(blob, dtype=np.float32)
            if len(blob) % 4 == 0
            else np.zeros(1, dtype=np.float32)
        )
        if not abs(float(np.linalg.norm(vector)) - 1) <= TOLERANCE:
            bad.append((key,))
    if bad:
        yield IntegrityIssue(
            f"{len(bad)} vectors are not of length 1", REINDEX, lambda: _spoil(db, bad)
        )


def _spoil(db: sqlite3.Connection, keys: list[tuple[bytes]]) -> None:
    """Let the passages of these vectors be made again: under another key, the old vector is never
    found.
    """
    with transaction(db):
        db.executemany(
            "UPDATE documents SET recipe = 0 WHERE id IN (SELECT document_id FROM chunks WHERE vector_key = ?)",
            keys,
        )
        db.execute("PRAGMA defer_foreign_keys = ON")
        db.executemany(
            "UPDATE chunks SET vector_key = CAST(vector_key || x'00' AS BLOB) WHERE vector_key = ?",
            keys,
        )
        db.executemany("UPDATE vectors SET key = CAST(key || x'00' AS BLOB) WHERE key = ?", keys)


def _running(db: sqlite3.Connection, statement: str) -> Callable[[], None]:
    def run() -> None:
        with transaction(db):
            db.execute(statement)
            next_generation(db)

    return run


def next_generation(db: sqlite3.Connection) -> None:
    """In a transaction: what was derived before it is stale."""
    db.execute("UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'generation'")


def derived_issues(folder: Path, store: str) -> list[IntegrityIssue]:
    """Damaged or abandoned files beside the store in `folder`; one of an older generation is none
    of these, it is made anew when it is needed.
    """
    found = []
    for path in sorted((folder / DERIVED).glob("*")):
        half = path.name.startswith(PARTS)
        wrong = "was left half written" if half else _wrong(path, store)
        if wrong:
            found.append(
                IntegrityIssue(
                    f"{DERIVED}/{path.name} {wrong}",
                    "delete it: it is made anew",
                    path.unlink,
                    half,
                )
            )
    return found


def _wrong(path: Path, store: str) -> str | None:
    try:
        line, _, payload = path.read_bytes().partition(b"\n")
        head = json.loads(line)
        if head["sha256"] != hashlib.sha256(payload).hexdigest():
            return "is damaged: its checksum is another one"
        return None if head["store"] == store else "belongs to another index"
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"cannot be read ({error!r})"
