"""Opening, creating and refusing store files."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from index.errors import SchemaTooNew, StoreBusy, StoreCorrupt
from index.store.derivation import derive
from index.store.document_row import PARSED_COLUMNS, damaged_documents
from index.store.schema import (
    FILE_NAME,
    MIGRATIONS,
    connect,
    current_generation,
    translate_sqlite_errors,
)
from index.store.sqlite import run_migration, transaction, with_functions


def _scalar(connection: sqlite3.Connection, statement: str) -> object:
    return connection.execute(statement).fetchone()[0]


def test_a_new_store_has_the_latest_schema_an_identity_and_generation_0(data: Path) -> None:
    connection = connect(data)

    assert _scalar(connection, "PRAGMA user_version") == len(MIGRATIONS)
    assert _scalar(connection, "SELECT value FROM meta WHERE key = 'generation'") == "0"
    assert _scalar(connection, "PRAGMA secure_delete") == 1
    assert _scalar(connection, "PRAGMA foreign_keys") == 1


def test_opening_again_keeps_the_identity(data: Path) -> None:
    first, second = (
        _scalar(connect(data), "SELECT value FROM meta WHERE key = 'store'") for _ in range(2)
    )

    assert first == second


def test_a_store_of_a_later_version_is_refused(data: Path) -> None:
    connect(data).execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")

    with pytest.raises(SchemaTooNew, match="install a later"):
        connect(data)


@pytest.mark.parametrize(
    "content", [b"this is no database " * 100, b"SQLite format 3\0" + b"\xff" * 4000]
)
def test_a_file_that_is_no_database_is_called_corrupt(data: Path, content: bytes) -> None:
    data.mkdir()
    (data / FILE_NAME).write_bytes(content)

    with pytest.raises(StoreCorrupt, match=FILE_NAME):
        connect(data)
    assert (data / FILE_NAME).read_bytes() == content


def test_a_folder_in_the_place_of_the_file_is_called_corrupt(data: Path) -> None:
    (data / FILE_NAME).mkdir(parents=True)

    with pytest.raises(StoreCorrupt, match="cannot use"):
        connect(data)


def test_a_transaction_is_all_or_nothing(data: Path) -> None:
    connection = connect(data)

    def interrupted() -> None:
        with transaction(connection):
            connection.execute("DELETE FROM meta")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert _scalar(connection, "SELECT count(*) FROM meta") == 2


def test_a_lock_that_is_not_released_is_called_busy(data: Path) -> None:
    holder, waiting = connect(data), connect(data)
    waiting.execute("PRAGMA busy_timeout = 50")

    with (
        transaction(holder),
        pytest.raises(StoreBusy, match="locked by another process"),
        translate_sqlite_errors(data / FILE_NAME),
    ):
        waiting.execute("BEGIN IMMEDIATE")


def test_an_empty_file_becomes_a_store(data: Path) -> None:
    data.mkdir()
    (data / FILE_NAME).touch()

    assert _scalar(connect(data), "SELECT count(*) FROM documents") == 0


def test_many_processes_may_create_the_store_at_once(data: Path) -> None:
    script = (
        "import sys, pathlib; from index.store.schema import connect; "
        "sys.stdin.read(1); connect(pathlib.Path(sys.argv[1]))"
    )
    starting = [
        subprocess.Popen(
            [sys.executable, "-c", script, data], stdin=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(6)
    ]
    for process in starting:
        assert process.stdin is not None
        process.stdin.close()

    for process in starting:
        assert process.wait(60) == 0, process.stderr.read() if process.stderr else ""
        if process.stderr:
            process.stderr.close()
    assert _scalar(connect(data), "SELECT count(*) FROM meta") == 2


FIRST_DIGESTS = 8
"""First version whose documents have digests."""


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
def test_a_store_of_an_earlier_version_is_migrated_without_loss(data: Path, version: int) -> None:
    data.mkdir()
    old = sqlite3.connect(data / FILE_NAME)
    with_functions(old)
    for migration in MIGRATIONS[:version]:
        run_migration(old, migration)
    row: dict[str, object] = {
        "id": "id",
        "path": b"/a.txt",
        "uri": "a.txt",
        "title": "Title",
        "title_is_real": 1,
        "text": "Text.",
        "sha256": "00",
        "size": 5,
        "encoding": "utf-8",
        "bom_size": 0,
        "crlf": b"",
        "language": "en",
        "state": "current",
        "recipe": 2,
        "indexed_at": "2026-01-01T00:00:00+00:00",
        "characters": 5,
    }
    columns = {name for (name,) in old.execute("SELECT name FROM pragma_table_info('documents')")}
    row = {name: value for name, value in row.items() if name in columns}
    old.execute(
        f"INSERT INTO documents ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",  # noqa: S608
        list(row.values()),
    )
    if version >= FIRST_DIGESTS:
        present = [each for each in PARSED_COLUMNS if each in columns]
        known = ", ".join(f"coalesce(CAST({each} AS BLOB), x'')" for each in present)
        old.execute(f"INSERT INTO digests SELECT id, digest({known}) FROM documents")  # noqa: S608
    old.executemany("INSERT INTO meta VALUES (?, ?)", [("store", "x"), ("generation", "7")])
    old.execute(f"PRAGMA user_version = {version}")
    old.commit()
    old.close()

    connection = connect(data)

    assert _scalar(connection, "PRAGMA user_version") == len(MIGRATIONS)
    assert _scalar(connection, "SELECT value FROM meta WHERE key = 'generation'") == "7"
    found = connection.execute(
        "SELECT text, characters, date, extractor, places FROM documents JOIN text_blocks"
        " ON document_id = id"
    )
    assert found.fetchall() == [("Text.", 5, None, None, "[]")]
    assert list(damaged_documents(connection)) == []


def test_a_file_that_was_cut_to_nothing_is_no_empty_store(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    connect(folder).close()
    derive(folder)
    for path in folder.glob(f"{FILE_NAME}*"):
        path.unlink()
    (folder / FILE_NAME).write_bytes(b"")

    with pytest.raises(StoreCorrupt, match="is empty, but was not"):
        current_generation(folder)
