"""Copy of the state of one database into another one that is empty.

One is the file of a data directory, the other a shared database.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from index.errors import StoreError
from qa.state.connections import open_database
from qa.state.sql import Database, DatabaseSchema, Transaction, marks

_BOOLEANS = {("turns", "refused"), ("keys", "is_person")}
"""Columns that hold 0 and 1 in SQLite."""


def copy_state(
    folder: Path, location: str, schema: DatabaseSchema, tables: Sequence[str], *, back: bool
) -> dict[str, int]:
    """Copy tables between the file in a folder and the database at a location, all or nothing.

    They are copied to the database, or `back` to the file. A table that others refer to comes
    before them. Returns the number of rows of each. Raises StoreError, also if there is anything in
    the tables already.
    """
    if not back and not (folder / schema.file.file_name).is_file():
        return dict.fromkeys(tables, 0)
    places = (location, "") if back else ("", location)
    with (
        closing(open_database(folder, places[0], schema)) as source,
        closing(open_database(folder, places[1], schema)) as target,
    ):
        names = _columns(target if back else source, tables)
        with target.writing() as db:
            _check_empty(db, target.place, tables)
            counts = {table: _copy_table(source, db, table, names[table]) for table in tables}
            if not back:
                _continue_numbers(db, names)
            return counts


def _check_empty(db: Transaction, place: str, tables: Sequence[str]) -> None:
    for table in tables:
        if db.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchall():  # noqa: S608 - fixed names
            raise StoreError(f"{place} holds {table} already: state is copied to an empty database")


def _columns(file: Database, tables: Sequence[str]) -> dict[str, list[str]]:
    """Return the columns of tables of a file, which have the same names in both databases."""
    query = "SELECT name FROM pragma_table_info(?)"
    return {table: [name for (name,) in file.query(query, (table,))] for table in tables}


def _copy_table(source: Database, db: Transaction, table: str, names: Sequence[str]) -> int:
    columns = ", ".join(names)
    rows = [
        _row(table, names, row)
        for row in source.query(f"SELECT {columns} FROM {table}")  # noqa: S608 - fixed names
    ]
    db.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks(names)})", rows)  # noqa: S608 - as above
    return len(rows)


def _row(table: str, names: Sequence[str], row: Sequence[object]) -> list[object]:
    return [
        bool(value) if (table, name) in _BOOLEANS else value
        for name, value in zip(names, row, strict=True)
    ]


def _continue_numbers(db: Transaction, names: dict[str, list[str]]) -> None:
    """Let the numbers that PostgreSQL gives follow the last ones that were copied."""
    for table in (table for table, columns in names.items() if "id" in columns):
        [(last,)] = db.execute(f"SELECT max(id) FROM {table}").fetchall()  # noqa: S608 - fixed names
        if isinstance(last, int):
            db.execute("SELECT setval(pg_get_serial_sequence(?, 'id'), ?)", (table, last))
