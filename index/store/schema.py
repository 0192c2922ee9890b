"""Tables of the store and their migrations (see `index.store.sqlite`)."""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import AbstractContextManager
from pathlib import Path

from index.errors import StoreCorrupt
from index.filesystem.portable_path import MIGRATION as PORTABLE
from index.search.index_file import DERIVED
from index.store import sqlite as database
from index.store.document_blocks import MIGRATION as STRUCTURES
from index.store.document_blocks import ROWS_MIGRATION as STRUCTURE_ROWS
from index.store.document_parts import MIGRATION as PARTS
from index.store.document_reports import MIGRATION as REPORTS
from index.store.document_row import DATE_SOURCE_MIGRATION, move_texts
from index.store.document_row import MIGRATION as DIGESTS
from index.store.document_row import ROWS_MIGRATION as DOCUMENT_ROWS
from index.store.document_tags import MIGRATION as TAGS
from index.store.document_versions import KEYS as VERSION_KEYS
from index.store.document_versions import MIGRATION as VERSIONS
from index.store.file_records import MIGRATION as SIGHTINGS
from index.store.sqlite import Migration, Schema
from index.store.stored_terms import MIGRATION as TERMS
from index.store.stored_vectors import MIGRATION as VECTORS

FILE_NAME = "index.db"

UNCLAIMED_VECTORS = """
    CREATE TABLE unclaimed_vectors (key BLOB PRIMARY KEY) WITHOUT ROWID;
    INSERT INTO unclaimed_vectors
    SELECT key FROM vectors WHERE key NOT IN (SELECT vector_key FROM chunks)
    """
"""Keys of the vectors that were stored before their chunks."""

REMOVED_CHUNKS = """
    CREATE TABLE removed_chunks (
        generation INTEGER NOT NULL,
        chunk_id INTEGER NOT NULL,
        PRIMARY KEY (generation, chunk_id)
    ) WITHOUT ROWID;
    INSERT OR REPLACE INTO meta SELECT 'removals_since', value FROM meta WHERE key = 'generation'
    """
"""Chunks that were removed, with the first generation without them (see `Store`)."""

# SQLite stores the text of a CREATE statement: a backslash breaks a line here without changing it.
MIGRATIONS: tuple[Migration, ...] = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE documents (
        id TEXT PRIMARY KEY,
        path BLOB NOT NULL UNIQUE,
        uri TEXT NOT NULL,
        title TEXT NOT NULL,
        title_is_real INTEGER NOT NULL,
        text TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        size INTEGER NOT NULL,
        encoding TEXT NOT NULL,
        bom_size INTEGER NOT NULL,
        crlf BLOB NOT NULL,
        language TEXT,
        state TEXT NOT NULL CHECK (state IN ('current', 'changed')),
        recipe INTEGER NOT NULL,
        indexed_at TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE chunks (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        start INTEGER NOT NULL,
        "end" INTEGER NOT NULL,
        headings TEXT NOT NULL,
        sentences BLOB NOT NULL,
        vector_key BLOB NOT NULL REFERENCES vectors (key)
    );
    CREATE INDEX chunks_of_document ON chunks (document_id);
    CREATE INDEX chunks_of_vector ON chunks (vector_key);
    CREATE TABLE terms (chunk_id INTEGER PRIMARY KEY REFERENCES chunks (id) ON DELETE CASCADE, \
terms TEXT NOT NULL);
    """,
    "ALTER TABLE documents ADD COLUMN date TEXT",
    SIGHTINGS,
    (
        "ALTER TABLE documents ADD COLUMN extractor TEXT;"
        " ALTER TABLE documents ADD COLUMN places TEXT NOT NULL DEFAULT '[]'"
    ),
    TAGS,
    "ALTER TABLE chunks ADD COLUMN columns TEXT NOT NULL DEFAULT '[]'",
    PORTABLE,
    DIGESTS,
    STRUCTURES,
    DATE_SOURCE_MIGRATION,
    VERSIONS,
    REPORTS,
    UNCLAIMED_VECTORS,
    REMOVED_CHUNKS,
    "CREATE INDEX documents_by_uri ON documents (uri, id)",
    VECTORS,
    VERSION_KEYS,
    DOCUMENT_ROWS,
    STRUCTURE_ROWS,
    TERMS,
    PARTS,
    move_texts,
)


def _insert_meta(connection: sqlite3.Connection) -> None:
    """Give a new store its id and its first generation."""
    connection.executemany(
        "INSERT INTO meta VALUES (?, ?)", [("store", uuid.uuid4().hex), ("generation", "0")]
    )


SCHEMA = Schema(
    FILE_NAME,
    MIGRATIONS,
    "Run `qa doctor --repair`, restore a backup with `qa restore FILE --yes`, "
    "or move the file away and index again",
    _insert_meta,
)


def connect(folder: Path) -> sqlite3.Connection:
    """Open the store in `folder`; see `index.store.sqlite.connect`.

    A file that was cut to nothing beside what was derived from it is damaged, and no new store.
    """
    path = folder / FILE_NAME
    if path.is_file() and path.stat().st_size == 0 and any((folder / DERIVED).rglob("*.faiss")):
        raise StoreCorrupt(f"{path} is empty, but was not: {SCHEMA.remedy}")
    return database.connect(folder, SCHEMA)


def translate_sqlite_errors(path: Path) -> AbstractContextManager[None]:
    """Translate errors of SQLite; see `index.store.sqlite.translate_sqlite_errors`."""
    return database.translate_sqlite_errors(path, SCHEMA.remedy)


def translate_decoding_errors(path: Path) -> AbstractContextManager[None]:
    """Translate errors of damaged values; see `index.store.sqlite.translate_decoding_errors`."""
    return database.translate_decoding_errors(path, SCHEMA.remedy)


def current_generation(folder: Path, count: str = "generation") -> int | None:
    """Return the generation of the store in `folder`, or another count; None without a store.

    Cheap enough to be called several times a second.
    """
    if not (folder / FILE_NAME).is_file():
        return None
    connection = connect(folder)
    try:
        with (
            translate_sqlite_errors(folder / FILE_NAME),
            translate_decoding_errors(folder / FILE_NAME),
        ):
            row = connection.execute("SELECT value FROM meta WHERE key = ?", (count,)).fetchone()
            return int(row[0]) if row else 0
    finally:
        connection.close()


def next_generation(db: sqlite3.Connection) -> None:
    """Raise the generation, in the caller's transaction."""
    db.execute("UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'generation'")


def forget_removals(db: sqlite3.Connection, generation: int | None = None) -> None:
    """Forget which chunks were removed up to a generation, in the caller's transaction.

    Without one, up to the next one, and for changes that nobody records: what was derived from
    the store before can then not be brought in step with it, and is derived anew.
    """
    last = "SELECT CAST(value AS INTEGER) + 1 FROM meta WHERE key = 'generation'"
    if generation is None:
        [generation] = db.execute(last).fetchone()
    db.execute("DELETE FROM removed_chunks WHERE generation <= ?", (generation,))
    db.execute("INSERT OR REPLACE INTO meta VALUES ('removals_since', ?)", (str(generation),))
