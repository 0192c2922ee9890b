"""Versions of documents in a store (see `index.text.versions`).

The traits of a document are stored with it; the families are found anew from all traits when a run
of changes is over. A run that has changed nothing does not look at them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from index.document import Document
from index.text.versions import (
    DocumentVersion,
    SupersededSection,
    Versions,
    find_versions,
    traits_from_json,
    version_traits,
)

MIGRATION = """
    CREATE TABLE version_traits (
        document_id TEXT PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
        traits TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE document_versions (
        document_id TEXT PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
        family TEXT NOT NULL,
        position INTEGER NOT NULL,
        relation TEXT NOT NULL,
        reason TEXT NOT NULL,
        is_invalid INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX versions_of_family ON document_versions (family);
    CREATE TABLE superseded_sections (
        document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        section TEXT NOT NULL,
        newer_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        reason TEXT NOT NULL,
        PRIMARY KEY (document_id, section, newer_id)
    ) WITHOUT ROWID
    """
RULES = 1
"""Version of the rules of `find_versions`, raised with them: the families are then found anew."""
_RELATED = "versions_related"
"""Key in the table `meta` of the rules by which the families of all documents were found.

It is missing while documents have changed since.
"""
_DOCUMENTS = "SELECT document_id, family, position, relation, reason, is_invalid"
_SECTIONS = "SELECT document_id, section, newer_id, reason FROM superseded_sections"


def write_traits(db: sqlite3.Connection, document: Document) -> None:
    """Store the traits of a document, in the transaction that stores the document.

    The families have to be found anew then.
    """
    db.execute("DELETE FROM meta WHERE key = ?", (_RELATED,))
    row = (document.id, version_traits(document).to_json())
    db.execute("INSERT OR REPLACE INTO version_traits VALUES (?, ?)", row)


def found_versions(db: sqlite3.Connection) -> Versions:
    """Return the versions among the documents of a store, found anew."""
    rows = db.execute("SELECT document_id, traits FROM version_traits ORDER BY document_id")
    return find_versions({each: traits_from_json(text) for each, text in rows.fetchall()})


def are_related(db: sqlite3.Connection) -> bool:
    """Return True if no document has changed since the families were found."""
    row = db.execute("SELECT value FROM meta WHERE key = ?", (_RELATED,)).fetchone()
    return row is not None and bool(row[0] == str(RULES))


def note_related(db: sqlite3.Connection) -> None:
    """Note that the stored families are those of all documents, in the caller's transaction."""
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_RELATED, str(RULES)))


def stored_versions(db: sqlite3.Connection) -> Versions:
    """Return the versions as they are stored."""
    documents = db.execute(f"{_DOCUMENTS} FROM document_versions").fetchall()
    return Versions(
        tuple(version_of_row(row) for row in documents),
        tuple(SupersededSection(*row) for row in db.execute(_SECTIONS).fetchall()),
    )


def write_versions(db: sqlite3.Connection, versions: Versions) -> None:
    """Replace the stored versions by those found, within the caller's transaction."""
    note_related(db)
    db.execute("DELETE FROM document_versions")
    db.execute("DELETE FROM superseded_sections")
    db.executemany(
        "INSERT INTO document_versions VALUES (?, ?, ?, ?, ?, ?)",
        [
            (
                each.document_id,
                each.family,
                each.position,
                each.relation,
                each.reason,
                each.is_invalid,
            )
            for each in versions.documents
        ],
    )
    db.executemany(
        "INSERT INTO superseded_sections VALUES (?, ?, ?, ?)",
        [
            (each.document_id, each.section, each.newer_id, each.reason)
            for each in versions.sections
        ],
    )


def same_versions(one: Versions, other: Versions) -> bool:
    """Return True if two sets of versions are equal, in whatever order."""
    return {*one.documents} == {*other.documents} and {*one.sections} == {*other.sections}


def version_of_row(row: Sequence[Any]) -> DocumentVersion:
    """Return the version of a row of the table `document_versions`."""
    document_id, family, position, relation, reason, is_invalid = row
    return DocumentVersion(document_id, family, position, relation, reason, bool(is_invalid))
