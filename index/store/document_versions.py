"""Versions of documents in a store (see `index.text.versions`).

The traits of a document are stored with it; the families are found anew from all traits when a run
of changes is over.
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
_DOCUMENTS = "SELECT document_id, family, position, relation, reason, is_invalid"
_SECTIONS = "SELECT document_id, section, newer_id, reason FROM superseded_sections"


def write_traits(db: sqlite3.Connection, document: Document) -> None:
    """Store the traits of a document, in the transaction that stores the document."""
    row = (document.id, version_traits(document).to_json())
    db.execute("INSERT OR REPLACE INTO version_traits VALUES (?, ?)", row)


def found_versions(db: sqlite3.Connection) -> Versions:
    """Return the versions among the documents of a store, found anew."""
    rows = db.execute("SELECT document_id, traits FROM version_traits ORDER BY document_id")
    return find_versions({each: traits_from_json(text) for each, text in rows.fetchall()})


def stored_versions(db: sqlite3.Connection) -> Versions:
    """Return the versions as they are stored."""
    documents = db.execute(f"{_DOCUMENTS} FROM document_versions").fetchall()
    return Versions(
        tuple(version_of_row(row) for row in documents),
        tuple(SupersededSection(*row) for row in db.execute(_SECTIONS).fetchall()),
    )


def write_versions(db: sqlite3.Connection, versions: Versions) -> None:
    """Replace the stored versions, within the caller's transaction."""
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
