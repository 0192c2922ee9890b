"""Detection and repair of flipped bits in stored documents."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.store.document_row import ROW_COLUMNS
from index.store.document_text import CONTENT
from index.store.integrity import IntegrityIssue
from index.store.schema import FILE_NAME, MIGRATIONS, connect
from qa import doctor
from qa.settings import Settings
from tests.support.older import SINGLE_VECTORS, with_single
from tests.support.serving import carded, indexed, settings_in

FILES = {
    "gate.txt": "The gate opens at seven.\r\n\r\n"
    "On Sundays it opens at nine, says the café’s owner.\r\n",
    "long.md": "---\ndate: 2026-03-01\n---\n# Tides\n\n"
    + "\n\n".join(f"Tide {number} turns at {number * 7}." for number in range(200)),
    "prices.csv": "Item,Price\nLamp,39.90\nChair,120\n",
}


@pytest.fixture
def desk(tmp_path: Path) -> Settings:
    made = settings_in(tmp_path)
    indexed(made, carded(), tmp_path / "corpus", FILES)
    return made


def stored(desk: Settings) -> list[tuple[object, ...]]:
    """All that came of reading the files, as it is."""
    with closing(connect(desk.data)) as db:
        columns = ", ".join(f"CAST({name} AS BLOB)" for name in (*ROW_COLUMNS, *CONTENT))
        joined = "documents JOIN text_blocks ON document_id = id ORDER BY uri, start"
        return db.execute(f"SELECT uri, {columns} FROM {joined}").fetchall()  # noqa: S608 - fixed names


def flip(desk: Settings, uri: str, column: str, at: int) -> None:
    """Flip a bit of a column's value; bit 0 is the first one."""
    with closing(sqlite3.connect(desk.data / FILE_NAME, isolation_level=None)) as db:
        table, key = (
            ("documents", "id") if column in ROW_COLUMNS else ("text_blocks", "document_id")
        )
        [(identity,)] = db.execute("SELECT id FROM documents WHERE uri = ?", (uri,)).fetchall()
        before = f"SELECT CAST({column} AS BLOB), typeof({column}) FROM {table} WHERE {key} = ?"  # noqa: S608 - fixed names
        [(value, kind)] = db.execute(before, (identity,)).fetchall()
        turned = bytearray(value)
        turned[at // 8 % len(turned)] ^= 1 << at % 8
        db.execute(
            f"UPDATE {table} SET {column} = CAST(? AS {kind}) WHERE {key} = ?",  # noqa: S608
            (bytes(turned), identity),
        )


def findings(desk: Settings) -> list[IntegrityIssue]:
    """Return the issues of `qa doctor`, damaged documents first.

    With a character more or less, a chunk may reach beyond the text, too.
    """
    return sorted(doctor._index(desk).findings, key=lambda found: "is damaged" not in found.problem)


def repaired(desk: Settings) -> None:
    doctor.repair(desk, [doctor._index(desk)])


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    uri=st.sampled_from(sorted(FILES)),
    column=st.sampled_from(["text", "text", "title", "sha256"]),
    at=st.integers(0, 2**20),
)
def test_any_flipped_bit_is_found_and_repaired(
    desk: Settings, uri: str, column: str, at: int
) -> None:
    whole = stored(desk)
    flip(desk, uri, column, at)
    found = findings(desk)[0]
    assert found.problem.startswith(f"{uri} (id ")
    assert "read its file again" in found.remedy

    assert found.repair
    found.repair()

    assert stored(desk) == whole
    assert findings(desk) == []


@pytest.mark.parametrize(
    ("uri", "column"),
    [("gate.txt", "crlf"), ("prices.csv", "places"), ("gate.txt", "size"), ("long.md", "date")],
)
def test_a_flipped_bit_in_the_places_is_found_and_repaired(
    desk: Settings, uri: str, column: str
) -> None:
    whole = stored(desk)
    flip(desk, uri, column, 9)
    assert [each.problem.split(" ")[0] for each in findings(desk)] == [uri]

    repaired(desk)

    assert stored(desk) == whole
    assert findings(desk) == []


def test_bits_flipped_on_the_disk_are_found(desk: Settings) -> None:
    with closing(connect(desk.data)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path, whole = desk.data / FILE_NAME, stored(desk)
    content = path.read_bytes()
    text = FILES["gate.txt"].replace("\r\n", "\n").encode()
    assert content.count(text) == 1
    for at in range(content.index(text), content.index(text) + len(text)):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1 << at % 8]) + content[at + 1 :])
        assert "gate.txt" in findings(desk)[0].problem
    repaired(desk)
    assert stored(desk) == whole


def test_a_digest_that_is_damaged_or_lost_is_written_again(desk: Settings) -> None:
    whole = stored(desk)
    for statement in (
        "UPDATE digests SET digest = '0' WHERE document_id = (SELECT min(id) FROM documents)",
        "DELETE FROM digests",
    ):
        with closing(sqlite3.connect(desk.data / FILE_NAME, isolation_level=None)) as db:
            db.execute(statement)
        assert findings(desk)
        repaired(desk)
        assert findings(desk) == []
        assert stored(desk) == whole


def test_a_damaged_document_without_its_file_stays_with_advice(
    desk: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "corpus" / "gate.txt"
    away, whole = path.rename(tmp_path / "away.txt"), stored(desk)
    flip(desk, "gate.txt", "text", 100)
    [found] = findings(desk)
    assert found.repair is None
    assert "put it back" in found.remedy
    assert "`qa remove " in found.remedy
    repaired(desk)
    assert len(stored(desk)) == len(FILES)

    away.rename(path)
    repaired(desk)
    assert stored(desk) == whole


def test_a_file_that_has_changed_is_read_by_the_next_run(desk: Settings, tmp_path: Path) -> None:
    path = tmp_path / "corpus" / "gate.txt"
    flip(desk, "gate.txt", "text", 100)
    path.write_text("The gate is closed.")
    [found] = findings(desk)
    assert "next `qa index`" in found.remedy
    repaired(desk)

    assert indexed(desk, carded(), tmp_path / "corpus", {}).count("updated") == 1

    assert findings(desk) == []


def test_a_document_written_meanwhile_is_not_repaired(desk: Settings, tmp_path: Path) -> None:
    flip(desk, "gate.txt", "text", 100)
    [found] = findings(desk)
    indexed(desk, carded(), tmp_path / "corpus", {"gate.txt": "The gate is closed."})
    newer = stored(desk)

    assert found.repair
    found.repair()

    assert stored(desk) == newer


def test_a_store_of_the_version_before_gets_its_digests(desk: Settings, tmp_path: Path) -> None:
    flip(
        desk, "prices.csv", "text", 7
    )  # a text that is no UTF-8 must not keep the store from opening
    with closing(sqlite3.connect(desk.data / FILE_NAME)) as db:
        versions = ("version_traits", "document_versions", "superseded_sections")
        later = ("extraction_reports", "unclaimed_vectors", "removed_chunks")
        with_single(db)
        for statement in SINGLE_VECTORS:
            db.execute(statement)
        for table in ("digests", "structures", *later, *versions):
            db.execute(f"DROP TABLE {table}")
        db.execute("DROP INDEX documents_by_uri")
        db.execute("ALTER TABLE documents DROP COLUMN date_source")
        digests = next(
            number for number, each in enumerate(MIGRATIONS) if "CREATE TABLE digests" in str(each)
        )
        db.execute(f"PRAGMA user_version = {digests}")
        db.commit()

    [found] = findings(desk)

    assert "prices.csv" in found.problem
    repaired(desk)
    indexed(desk, carded(), tmp_path / "corpus", {})
    assert findings(desk) == []
