"""Versions of documents in a store (see `index.text.versions`).

The traits of a document are stored with it, and keys that it shares with all documents that it may
be a version of. When a run of changes is over, the families of the documents that share keys with
what has changed are found anew: the cost grows with them, not with the collection.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from index.document import Document
from index.text.versions import (
    MAX_FAMILY,
    DocumentVersion,
    KeyKind,
    SupersededSection,
    Versions,
    VersionTraits,
    find_versions,
    traits_from_json,
    version_keys,
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
KEYS = """
    CREATE TABLE version_keys (
        key INTEGER NOT NULL,
        is_sought INTEGER NOT NULL,
        document_id TEXT NOT NULL,
        PRIMARY KEY (key, is_sought, document_id)
    ) WITHOUT ROWID;
    CREATE TABLE version_changes (item PRIMARY KEY) WITHOUT ROWID;
    CREATE INDEX sections_of_newer ON superseded_sections (newer_id);
    CREATE TABLE packed_traits (
        document_id TEXT PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
        traits TEXT NOT NULL
    );
    INSERT INTO packed_traits SELECT document_id, traits FROM version_traits ORDER BY document_id;
    DROP TABLE version_traits;
    ALTER TABLE packed_traits RENAME TO version_traits
    """
"""Keys of documents that may be versions of each other, and what has changed since.

Traits move to a table with row numbers, which packs them (see `index.store.stored_vectors`). An
item of `version_changes` is a key of a document as it was or is now, or the id of a document.
"""
RULES = 2
"""Version of the rules of `find_versions` and of `version_keys`, raised with them.

The families and the keys are then found anew.
"""
_RELATED = "versions_related"
"""Key in the table `meta` of the rules by which the families of all documents were found."""
_DOCUMENTS = "SELECT document_id, family, position, relation, reason, is_invalid"
_SECTIONS = "SELECT document_id, section, newer_id, reason FROM superseded_sections"
_TRAITS = "SELECT document_id, traits FROM version_traits"
_AMONG = "IN (SELECT value FROM json_each(?))"
_HOLDERS = f"SELECT key, is_sought, document_id FROM version_keys WHERE key {_AMONG}"  # noqa: S608
_AFFECTED = """
    SELECT value FROM json_each(:ids)
    UNION SELECT document_id FROM document_versions WHERE family IN (
        SELECT family FROM document_versions
        WHERE document_id IN (SELECT value FROM json_each(:ids)))
    UNION SELECT newer_id FROM superseded_sections
    WHERE document_id IN (SELECT value FROM json_each(:ids))
    """
"""Documents, the others of their families, and those that supersede a section of theirs."""
_FEW_CHANGES, _CHANGED_SHARE = 1000, 0.5
"""Changed keys and documents up to which their neighbours alone are looked at."""

Query = Callable[..., list[Any]]
"""Function from an SQL statement and its parameters to the rows."""


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Documents that can change each other's versions, with their traits.

    `crowded` holds the keys that more documents have than are compared.
    """

    traits: dict[str, VersionTraits]
    crowded: set[int]

    def versions(self) -> Versions:
        """Return the versions among its documents, as they are among all."""
        return find_versions(self.traits, self.crowded)


def note_changes(db: sqlite3.Connection, document_ids: Sequence[str]) -> None:
    """Note that documents are replaced or removed, in the transaction that does it, before that.

    Their keys are taken out, and with them noted, as those of the same families are.
    """
    ids = json.dumps(list(document_ids))
    keys = [
        (key, is_sought, document_id)
        for document_id, traits in _traits_of(_query_of(db), document_ids).items()
        for key, is_sought in version_keys(traits)
    ]
    gone = "DELETE FROM version_keys WHERE key = ? AND is_sought = ? AND document_id = ?"
    db.executemany(gone, keys)
    _note(db, [key for key, _, _ in keys])
    _note(db, [each for (each,) in db.execute(_AFFECTED, {"ids": ids})])


def write_traits(db: sqlite3.Connection, document: Document) -> None:
    """Store the traits and keys of a document, in the transaction that stores the document."""
    traits = version_traits(document)
    row = (document.id, traits.to_json())
    db.execute("INSERT OR REPLACE INTO version_traits VALUES (?, ?)", row)
    keys = version_keys(traits)
    _write_keys(db, document.id, keys)
    _note(db, [document.id, *(key for key, _ in keys)])


def _write_keys(db: sqlite3.Connection, document_id: str, keys: Iterable[tuple[int, bool]]) -> None:
    rows = [(key, is_sought, document_id) for key, is_sought in keys]
    db.executemany("INSERT OR IGNORE INTO version_keys VALUES (?, ?, ?)", rows)


def _note(db: sqlite3.Connection, items: Sequence[str | int]) -> None:
    rows = [(item,) for item in items]
    db.executemany("INSERT OR IGNORE INTO version_changes VALUES (?)", rows)


def relate(db: sqlite3.Connection) -> Neighbourhood:
    """Return the documents whose versions may have changed; `write_versions` stores them."""
    query = _query_of(db)
    items = [item for (item,) in query("SELECT item FROM version_changes")]
    [(count,)] = query("SELECT count(*) FROM version_traits")
    if keys_are_known(query) and len(items) < _FEW_CHANGES + _CHANGED_SHARE * count:
        return neighbourhood(query, items)
    everything = {each: traits_from_json(text) for each, text in query(_TRAITS)}
    return Neighbourhood(everything, set())


def neighbourhood(
    query: Query, items: Iterable[str | int], visible: Collection[str] | None = None
) -> Neighbourhood:
    """Return the documents that some documents or keys lead to, directly or through others.

    `visible` are the documents that there are, None for all.
    """
    wanted = {item for item in items if isinstance(item, str)}
    keys = {item for item in items if isinstance(item, int)}
    # So many documents may have been with a key, or without it, before they changed.
    slack = 0 if visible is not None else len(wanted)
    traits: dict[str, VersionTraits] = {}
    seen, crowded = set(keys), set[int]()
    while wanted or keys:
        holders = _holders(query, keys, visible)
        crowded |= {key for key, (owners, _) in holders.items() if _is_crowded(key, owners)}
        for key, (owners, seekers) in holders.items():
            if _connects(key, owners, seekers, slack):
                wanted |= owners | seekers
        if visible is not None:
            wanted &= set(visible)
        added = _traits_of(query, wanted - traits.keys())
        traits |= added
        keys = {key for trait in added.values() for key, _ in version_keys(trait)} - seen
        seen |= keys
        wanted = set()
    return Neighbourhood(traits, crowded)


def _holders(
    query: Query, keys: Iterable[int], visible: Collection[str] | None
) -> dict[int, tuple[set[str], set[str]]]:
    """Return for each key the documents that have it, and those that look for it."""
    found: dict[int, tuple[set[str], set[str]]] = {}
    for key, is_sought, document_id in query(_HOLDERS, json.dumps(sorted(keys))):
        if visible is None or document_id in visible:
            found.setdefault(key, (set(), set()))[is_sought].add(document_id)
    return found


def _traits_of(query: Query, document_ids: Iterable[str]) -> dict[str, VersionTraits]:
    """Return the stored traits of some documents."""
    rows = query(f"{_TRAITS} WHERE document_id {_AMONG}", json.dumps(sorted(document_ids)))
    return {each: traits_from_json(text) for each, text in rows}


def _is_crowded(key: int, owners: set[str]) -> bool:
    """Return True if more documents have a key than are compared."""
    return KeyKind.of(key) is KeyKind.FEW and len(owners) > MAX_FAMILY


def _connects(key: int, owners: set[str], seekers: set[str], slack: int) -> bool:
    """Return True if documents with a key may be versions of each other."""
    kind = KeyKind.of(key)
    if seekers or kind is KeyKind.ALL:
        return True
    return kind is KeyKind.FEW and len(owners) <= MAX_FAMILY + slack


def keys_are_known(query: Query) -> bool:
    """Return True if the keys of all documents are stored, by today's rules."""
    return query("SELECT value FROM meta WHERE key = ?", _RELATED) == [(str(RULES),)]


def are_related(db: sqlite3.Connection) -> bool:
    """Return True if no document has changed since the families were found."""
    query = _query_of(db)
    return keys_are_known(query) and not query("SELECT 1 FROM version_changes LIMIT 1")


def note_related(db: sqlite3.Connection) -> None:
    """Note that the stored families are those of all documents, in the caller's transaction."""
    if not keys_are_known(_query_of(db)):
        db.execute("DELETE FROM version_keys")
        for document_id, text in db.execute(_TRAITS).fetchall():
            _write_keys(db, document_id, version_keys(traits_from_json(text)))
    db.execute("DELETE FROM version_changes")
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_RELATED, str(RULES)))


def stored_versions(db: sqlite3.Connection, document_ids: Iterable[str]) -> Versions:
    """Return the versions of some documents as they are stored, and the sections they supersede."""
    query, ids = _query_of(db), json.dumps(list(document_ids))
    documents = query(f"{_DOCUMENTS} FROM document_versions WHERE document_id {_AMONG}", ids)
    sections = query(f"{_SECTIONS} WHERE newer_id {_AMONG}", ids)
    return Versions(
        tuple(version_of_row(row) for row in documents),
        tuple(SupersededSection(*row) for row in sections),
    )


def write_versions(db: sqlite3.Connection, document_ids: Iterable[str], versions: Versions) -> None:
    """Replace the stored versions of some documents by those found, in the caller's transaction."""
    note_related(db)
    ids = json.dumps(list(document_ids))
    db.execute(f"DELETE FROM document_versions WHERE document_id {_AMONG}", (ids,))  # noqa: S608
    db.execute(f"DELETE FROM superseded_sections WHERE newer_id {_AMONG}", (ids,))  # noqa: S608
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


def _query_of(db: sqlite3.Connection) -> Query:
    """Return a function that runs a statement and returns its rows."""
    return lambda statement, *values: db.execute(statement, values).fetchall()
