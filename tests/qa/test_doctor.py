"""Tests of finding and repairing damage without losing a document."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from index.search.index_file import DERIVED
from index.store.derivation import derive
from index.store.schema import FILE_NAME, connect
from index.store.snapshot import SqliteSnapshot
from qa import doctor
from qa.library.index_follower import document_status
from qa.settings import Settings
from qa.state.database import FILE_NAME as STATE
from qa.state.database import State
from tests.support.serving import Command, carded, indexed, settings_in, write_files

FILES = {
    f"{name}.txt": f"The text of {name}.\n\nIt has two paragraphs, says {name}."
    for name in ("a", "b", "c")
}


@pytest.fixture
def desk(tmp_path: Path) -> Settings:
    settings = settings_in(tmp_path)
    indexed(settings, carded(), tmp_path / "corpus", FILES)
    return settings


def index_check(settings: Settings) -> doctor.CheckResult:
    return doctor._index(settings)


def spoiled(settings: Settings, *statements: str) -> None:
    """Damage the store with SQL statements."""
    with closing(sqlite3.connect(settings.data / FILE_NAME, isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)


DAMAGES: dict[str, tuple[str, ...]] = {
    "documents have passages that reach beyond their text": (
        'UPDATE chunks SET "end" = 10000 WHERE id = 1',
    ),
    "documents have passages without terms": ("DELETE FROM terms WHERE chunk_id = 2",),
    "documents have passages whose terms are damaged": (
        "UPDATE terms SET terms = x'00' WHERE chunk_id = 2",
    ),
    "documents have passages without a vector": (
        "DELETE FROM vectors WHERE key = (SELECT min(key) FROM vectors)",
    ),
    "lists of terms of no passage": ("INSERT INTO terms VALUES (999, x'00')",),
    "vectors are not of length 1": (
        "UPDATE vectors SET vector = zeroblob(128) WHERE key = (SELECT min(key) FROM vectors)",
    ),
}


@pytest.mark.parametrize("what", DAMAGES)
def test_a_damage_is_found_and_mended_and_no_document_is_lost(
    desk: Settings, what: str, tmp_path: Path
) -> None:
    assert index_check(desk).findings == ()
    spoiled(desk, *DAMAGES[what])
    found = index_check(desk)
    assert not found.passed
    assert any(what in each.problem for each in found.findings)

    doctor.repair(desk, [found])
    summary = indexed(desk, carded(), tmp_path / "corpus", {})

    assert index_check(desk).findings == ()
    assert len(document_status(desk)) == 3
    assert summary.count("unchanged", "updated") == 3
    with closing(SqliteSnapshot(desk.data)) as snapshot:
        assert snapshot.size == snapshot.dense.size == snapshot.lexical.corpus_size == 3


def test_remains_of_a_deleted_document_are_deleted(desk: Settings) -> None:
    spoiled(desk, "DELETE FROM documents WHERE uri = 'a.txt'")
    found = index_check(desk)
    assert found.findings[0].problem == "1 passages of no document"

    doctor.repair(desk, [found])
    doctor.repair(desk, [index_check(desk)])  # what hung on those passages

    assert index_check(desk).findings == ()
    with closing(SqliteSnapshot(desk.data)) as snapshot:
        assert snapshot.size == snapshot.document_count == 2


def test_conversations_that_belong_to_nothing_need_a_backup(desk: Settings) -> None:
    State(desk.data).close()
    with closing(sqlite3.connect(desk.data / STATE, isolation_level=None)) as db:
        db.execute(
            "INSERT INTO turns"
            " (conversation_id, question, understood, result, generation, asked_at)"
            " VALUES ('none', '?', '?', '{}', 1, '')"
        )

    [finding] = doctor._state(desk).findings

    assert finding.problem == "1 rows of turns belong to rows that are gone"
    assert "qa restore" in finding.remedy


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


@pytest.mark.parametrize(
    "damage", [_flip, _truncate, Path.unlink, lambda path: path.write_bytes(b"")]
)
@pytest.mark.parametrize("name", ["dense.faiss", "rows.npy", "manifest.json"])
def test_a_damaged_derived_file_is_found_and_made_anew(
    desk: Settings, damage: Callable[[Path], None], name: str
) -> None:
    [path] = (desk.data / DERIVED).glob(f"*/{name}")
    damage(path)
    found = index_check(desk)
    assert [each.problem.split(" ")[0] for each in found.findings] == [
        path.relative_to(desk.data).as_posix()
    ]

    doctor.repair(desk, [found])

    assert not path.exists()
    assert index_check(desk).passed
    derive(desk.data)
    assert path.exists()


def test_what_a_stopped_run_leaves_is_harmless(desk: Settings) -> None:
    (desk.data / DERIVED / ".writing-abc").write_bytes(b"half")
    spoiled(desk, "INSERT INTO vectors SELECT x'00', vector FROM vectors LIMIT 1")
    found = index_check(desk)
    assert found.passed
    assert len(found.findings) == 2

    doctor.repair(desk, [found])
    assert index_check(desk).findings == ()


def test_an_unreadable_file_is_found_in_either_database(desk: Settings) -> None:
    State(desk.data).close()
    for name in (FILE_NAME, STATE):
        path = desk.data / name
        data = bytearray(path.read_bytes())
        data[:200] = b"x" * 200
        path.write_bytes(data)

    checks = {each.name: each for each in doctor.examine(desk)}

    assert "SQLite cannot read" in checks["index"].findings[0].problem
    assert "SQLite cannot read" in checks["state"].findings[0].problem


def test_a_damaged_page_is_found(desk: Settings) -> None:
    with closing(connect(desk.data)) as db:
        # The pages of the schema are left alone: with these, the file cannot be opened at all.
        tables = "SELECT rootpage FROM sqlite_schema WHERE name IN ('chunks', 'terms', 'vectors')"
        roots = [root for (root,) in db.execute(tables)]
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path = desk.data / FILE_NAME
    data = bytearray(path.read_bytes())
    for root in roots:
        data[(root - 1) * 4096 : (root - 1) * 4096 + 8] = b"\xff" * 8
    path.write_bytes(data)

    assert not index_check(desk).passed


def test_without_an_index_nothing_is_wrong_and_nothing_is_created(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)

    assert index_check(settings).passed
    doctor.repair(settings, [index_check(settings)])
    assert not settings.data.exists()


@pytest.mark.slow
def test_the_command_says_what_is_wrong_and_mends_it(command: Command, corpus: Path) -> None:
    write_files(corpus, FILES)
    assert command("index", str(corpus)).returncode == 0
    done = command("doctor")
    assert (done.returncode, [line.split()[0] for line in done.stdout.splitlines()]) == (
        0,
        ["ok"] * 5,
    )

    [path] = (command.data / DERIVED).glob("*/counts.npy")
    _flip(path)
    done = command("doctor")
    assert done.returncode == 1
    assert (
        f"{path.relative_to(command.data).as_posix()} is damaged: its checksum does not match: "
        "delete it: it is built again (--repair does)" in done.stdout
    )
    done = command("doctor", "--repair")
    assert done.returncode == 0, done.stdout

    path, text = command.data / FILE_NAME, FILES["b.txt"].encode()
    path.write_bytes(path.read_bytes().replace(text, text.replace(b"two", b"twn")))  # one bit
    done = command("doctor")
    assert done.returncode == 1
    assert "b.txt (id " in done.stdout
    assert command("doctor", "--repair").returncode == 0
    assert [each["wrong"] for each in json.loads(command("doctor", "--json").stdout)] == [[]] * 5


def test_a_file_that_goes_while_it_is_looked_at_is_nobodys(tmp_path: Path) -> None:
    assert not doctor._is_shared(tmp_path / "state.db-wal")


def test_a_data_directory_that_others_may_read_is_told_of_and_closed(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    settings.data.mkdir(mode=0o755)
    (settings.data / "state.db").write_bytes(b"")
    (settings.data / "state.db").chmod(0o644)

    result = doctor._privacy(settings)
    assert not result.passed
    assert "2 files and folders" in result.findings[0].problem
    repair = result.findings[0].repair
    assert repair is not None
    repair()

    assert doctor._privacy(settings).findings == ()
    assert (settings.data / "state.db").stat().st_mode & 0o777 == 0o600
