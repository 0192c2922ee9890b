"""Database files from elsewhere, whose rows are copied into a file of our own schema.

Such a file is hostile input: a trigger, a view, a virtual table or a page of its own making would
run with the rights of this process as soon as somebody writes. So its pages are never taken over.
It must consist of our tables and indexes, and then its values are read and written anew.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from index.errors import StoreCorrupt
from index.store.sqlite import Schema, connect, refuse_newer, transaction

_INTERNAL = ("sqlite_sequence", "sqlite_stat1", "sqlite_stat4")
"""Tables of SQLite's own; sqlite_sequence holds the highest ids that were given."""
_KINDS = {"trigger": "a trigger", "view": "a view", "table": "a table", "index": "an index"}


def copy_rows(source: Path, folder: Path, schema: Schema) -> None:
    """Copy the rows of a foreign file into a new one in `folder`, migrated to the newest version.

    Raises StoreCorrupt, naming what does not belong in it, SchemaTooNew or StoreError.
    """
    with _reading(source) as foreign:
        refuse_newer(foreign, schema)
        version = int(foreign.execute("PRAGMA user_version").fetchone()[0])
        if version < 1:
            raise StoreCorrupt(f"{source.name} is no database of this program")
        # In the version of the file first: its rows have the columns of that version.
        then = replace(schema, migrations=schema.migrations[:version])
        with closing(connect(folder, then)) as own:
            _check_schema(foreign, own, source.name)
            own.execute("PRAGMA foreign_keys=OFF")
            with transaction(own):
                for table in _tables(own):
                    _copy_table(foreign, own, table)
                _copy_sequences(foreign, own)
    # Migrates the file.
    connect(folder, schema).close()


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a foreign file to be read alone, without functions that it names being trusted."""
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
            connection.execute("PRAGMA trusted_schema=OFF")
            connection.execute("PRAGMA cell_size_check=ON")
            # Values come back as they are: text need not be UTF-8.
            connection.text_factory = bytes
            yield connection
    except (sqlite3.DatabaseError, OverflowError) as error:
        raise StoreCorrupt(f"{path.name} cannot be read: {error}") from error


def _check_schema(foreign: sqlite3.Connection, own: sqlite3.Connection, name: str) -> None:
    """Raise StoreCorrupt unless a file has exactly our tables, with our columns."""
    known = {(kind, each) for kind, each in _objects(own)}
    for kind, each in _objects(foreign):
        if (kind, each) not in known and not each.startswith("sqlite_autoindex_"):
            raise StoreCorrupt(
                f"{name} holds {_KINDS.get(kind, kind)} {each!r}, which is none of ours"
            )
    for table in _tables(own):
        if _columns(foreign, table) != _columns(own, table):
            raise StoreCorrupt(f"{name} holds a table {table!r} with other columns than ours")


def _objects(database: sqlite3.Connection) -> list[tuple[str, str]]:
    """Return (kind, name) of what a file's schema holds, virtual tables as of another kind."""
    rows = database.execute("SELECT type, name, sql FROM sqlite_schema").fetchall()
    return [
        ("virtual table" if _is_virtual(sql) else _as_text(kind), _as_text(name))
        for kind, name, sql in rows
        if _as_text(name) not in _INTERNAL
    ]


def _is_virtual(sql: str | bytes | None) -> bool:
    words = _as_text(sql or "").upper().split()
    return words[:2] == ["CREATE", "VIRTUAL"]


def _tables(database: sqlite3.Connection) -> list[str]:
    return [name for kind, name in _objects(database) if kind == "table"]


def _columns(database: sqlite3.Connection, table: str) -> list[tuple[str, int]]:
    """Return the names of a table's columns; a computed one is marked, and never ours."""
    rows = database.execute("SELECT name, hidden FROM pragma_table_xinfo(?)", (table,))
    return [(_as_text(name), hidden) for name, hidden in rows]


def _copy_table(foreign: sqlite3.Connection, own: sqlite3.Connection, table: str) -> None:
    """Copy the values of one table."""
    names = [name for name, _ in _columns(own, table)]
    columns = ", ".join(f'"{name}"' for name in names)
    types = ", ".join(f'typeof("{name}")' for name in names)
    marks = ", ".join("?" * len(names))
    own.execute(f'DELETE FROM "{table}"')  # noqa: S608 - names of our own schema
    # Not by an index: it could be one of other values than its name says.
    rows = foreign.execute(f'SELECT {columns}, {types} FROM "{table}" NOT INDEXED')  # noqa: S608
    own.executemany(
        f'INSERT INTO "{table}" ({columns}) VALUES ({marks})',  # noqa: S608
        (_values(row, len(names)) for row in rows),
    )


def _values(row: tuple[object, ...], count: int) -> list[object]:
    """Return the values of a row, texts decoded; the types of the values follow them."""
    values, types = row[:count], row[count:]
    return [
        value.decode() if kind == b"text" and isinstance(value, bytes) else value
        for value, kind in zip(values, types, strict=True)
    ]


def _copy_sequences(foreign: sqlite3.Connection, own: sqlite3.Connection) -> None:
    """Take over the highest ids, so that none of a deleted row is given again."""
    has_sequences = "SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'"
    if not own.execute(has_sequences).fetchone() or not foreign.execute(has_sequences).fetchone():
        return
    for table in _tables(own):
        rows = foreign.execute(
            "SELECT max(seq) FROM sqlite_sequence WHERE name = ? AND typeof(seq) = 'integer'",
            (table,),
        ).fetchall()
        if rows[0][0] is not None:
            own.execute(
                "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", (rows[0][0], table)
            )


def _as_text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
