"""Selection of the database with what users make: a file of its own, or one that is shared."""

from __future__ import annotations

from pathlib import Path

from qa.state.postgres import PostgresDatabase
from qa.state.sql import Database, DatabaseSchema
from qa.state.sqlite_database import SqliteDatabase


def open_database(folder: Path, location: str, schema: DatabaseSchema) -> Database:
    """Open the database at a location, without one the file in a data directory.

    It is created if necessary. Raises StoreError.
    """
    if location:
        return PostgresDatabase(location, schema)
    return SqliteDatabase(folder, schema.file)
