"""Crafted backups: none takes effect, and each is refused with a message."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from index.store.schema import FILE_NAME
from qa.errors import BackupError
from qa.library.index_follower import open_saved_questions
from qa.library.upload_folder import UploadFolder
from qa.settings import CALIBRATION, Settings
from qa.state.backup import MANIFEST, back_up, restore
from qa.state.database import FILE_NAME as STATE
from tests.support.serving import carded, indexed, settings_in


@pytest.fixture
def desk(tmp_path: Path) -> Settings:
    settings = settings_in(tmp_path)
    indexed(settings, carded(), tmp_path / "corpus", {"gate.txt": "The gate opens at seven."})
    with open_saved_questions(settings) as saved:
        saved.add("When does the gate open?")
    return settings


def tree(data: Path) -> dict[str, bytes]:
    """Return the files of a data directory, the logs of SQLite left out."""
    return {
        path.relative_to(data).as_posix(): path.read_bytes()
        for path in data.rglob("*")
        if path.is_file() and not path.name.endswith((".lock", "-wal", "-shm"))
    }


def members(settings: Settings, folder: Path) -> dict[str, bytes]:
    """Return the files of a good backup, by name."""
    back_up(settings.data, folder / "good.zip")
    with zipfile.ZipFile(folder / "good.zip") as archive:
        return {name: archive.read(name) for name in archive.namelist() if name != MANIFEST}


def packed(path: Path, held: dict[str, bytes], manifest: object = None) -> Path:
    """Write a backup, with a right manifest unless another one is given."""
    files = {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        for name, data in held.items()
    }
    content = {"format": 1, "files": files} if manifest is None else manifest
    with zipfile.ZipFile(path, "w") as archive:
        text = content if isinstance(content, str) else json.dumps(content)
        archive.writestr(MANIFEST, text)
        for name, data in held.items():
            archive.writestr(name, data)
    return path


def edited(content: bytes, folder: Path, script: str) -> bytes:
    """Return a database after a script of SQL."""
    path = folder / "edited.db"
    path.write_bytes(content)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA foreign_keys=OFF")
        db.executescript(script)
        db.commit()
    return path.read_bytes()


EVIL = "UPDATE documents SET path = CAST({!r} AS BLOB)"
IN_INDEX = {
    "a trigger": "CREATE TRIGGER t AFTER UPDATE ON meta BEGIN DELETE FROM documents; END",
    "a trigger with our name": (
        "CREATE TRIGGER documents_of_tag2 AFTER INSERT ON tags BEGIN DELETE FROM tags; END"
    ),
    "a view": "CREATE VIEW v AS SELECT * FROM documents",
    "a view in place of a table": (
        "ALTER TABLE tags RENAME TO t2; CREATE VIEW tags AS SELECT * FROM t2"
    ),
    "a virtual table": "CREATE VIRTUAL TABLE f USING fts5(text)",
    "an unknown table": "CREATE TABLE extra (a)",
    "an unknown index": "CREATE INDEX extra ON documents (lower(title))",
    "a table without a column": "ALTER TABLE documents DROP COLUMN title_is_real",
    "a table with another column": "ALTER TABLE documents ADD COLUMN extra",
    "a computed column": "ALTER TABLE documents ADD COLUMN extra AS (upper(title))",
    "a missing table": "DROP TABLE terms",
    "a generation that is none": "UPDATE meta SET value = 'x' WHERE key = 'generation'",
    "a huge generation": "UPDATE meta SET value = '1152921504606846976' WHERE key = 'generation'",
    "no generation": "DELETE FROM meta WHERE key = 'generation'",
    "a path out of uploads": EVIL.format("data:/uploads/../x"),
    "a path out of a folder": EVIL.format("data:/uploads/0123456789abcdef/../../x"),
    "a path of the state": EVIL.format("data:/state.db"),
    "a path with a NUL": "UPDATE documents SET path = CAST('data:/pages/' || char(0) AS BLOB)",
    "a path as text": "UPDATE documents SET path = '/etc/passwd'",
    "an absolute path with ..": EVIL.format("/srv/../etc/passwd"),
    "another prefix of data": EVIL.format("data:uploads/x"),
    "text that is none": "UPDATE documents SET title = CAST(x'ff' AS TEXT)",
    "no version": "PRAGMA user_version = 0",
}
JOB = "INSERT INTO jobs (id, created_at, tags) VALUES ('j', '', '[]');"
JOB_FILE = "INSERT INTO job_files VALUES ('j', 0, 'n', NULL, {}, {}, '', 'waiting', '', 0, 0)"
IN_STATE = {
    "a trigger": "CREATE TRIGGER t AFTER INSERT ON turns BEGIN DELETE FROM turns; END",
    "a job out of uploads": JOB + JOB_FILE.format("CAST('data:/uploads/../x' AS BLOB)", "NULL"),
    "a size that makes room": "INSERT INTO uploads VALUES ('d', 'key:anna', -1000000000)",
    "a size that is none": "INSERT INTO uploads VALUES ('d', 'key:anna', 'x')",
    "a staged file elsewhere": JOB
    + JOB_FILE.format(
        "CAST('data:/uploads/0123456789abcdef/a' AS BLOB)", "CAST('data:/../../x' AS BLOB)"
    ),
}


@pytest.mark.parametrize("script", IN_INDEX.values(), ids=IN_INDEX.keys())
def test_an_index_that_is_none_of_ours_is_refused(
    desk: Settings, tmp_path: Path, script: str
) -> None:
    held = members(desk, tmp_path)
    held[FILE_NAME] = edited(held[FILE_NAME], tmp_path, script)

    assert_refused(desk, packed(tmp_path / "b.zip", held))


@pytest.mark.parametrize("script", IN_STATE.values(), ids=IN_STATE.keys())
def test_a_state_that_is_none_of_ours_is_refused(
    desk: Settings, tmp_path: Path, script: str
) -> None:
    held = members(desk, tmp_path)
    held[STATE] = edited(held[STATE], tmp_path, script)

    assert_refused(desk, packed(tmp_path / "b.zip", held))


@pytest.mark.parametrize(
    "name",
    [
        "uploads/../x",
        "uploads/a/../../x",
        "uploads/x",
        "uploads//x",
        "uploads/0123456789abcdef/a/b",
        "pages/../index.db",
        "pages/a/b",
        "access.db",
        ".restoring/x",
        "/etc/x",
    ],
)
def test_members_stay_in_their_folders(desk: Settings, tmp_path: Path, name: str) -> None:
    assert_refused(desk, packed(tmp_path / "b.zip", members(desk, tmp_path) | {name: b"x"}))


@pytest.mark.parametrize(
    "manifest",
    [
        [],
        "[" * 200_000,
        7,
        {"format": 1},
        {"format": 1, "files": []},
        {"format": 1, "files": {FILE_NAME: 3}},
        {"format": 1, "files": {FILE_NAME: {"sha256": "", "size": -1}}},
        {"format": 1, "files": {FILE_NAME: {"sha256": "", "size": 2**50}}},
        {"format": 1, "files": {FILE_NAME: {"sha256": "", "size": True}}},
        {"format": 1, "files": {f"pages/{n}": {"sha256": "", "size": 2**39} for n in range(99)}},
    ],
    ids=range(10),
)
def test_a_manifest_that_is_none_is_a_message(
    desk: Settings, tmp_path: Path, manifest: object
) -> None:
    assert_refused(desk, packed(tmp_path / "b.zip", members(desk, tmp_path), manifest))


@pytest.mark.parametrize("held", [b"", b"x" * 9, b"\0" * 10_000_000])
def test_a_member_that_is_not_as_the_manifest_says_is_refused(
    desk: Settings, tmp_path: Path, held: bytes
) -> None:
    """It is missing bytes, has others, or unpacks to a million times as many."""
    name, told = "uploads/0123456789abcdef/a.txt", b"a member"
    backup = packed(tmp_path / "b.zip", members(desk, tmp_path) | {name: told})
    bomb = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(backup) as source,
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for each in source.namelist():
            archive.writestr(each, held if each == name else source.read(each))

    assert_refused(desk, bomb)


def test_a_calibration_that_is_none_is_refused(desk: Settings, tmp_path: Path) -> None:
    held = members(desk, tmp_path) | {CALIBRATION: b"[]"}

    assert_refused(desk, packed(tmp_path / "b.zip", held))


def assert_refused(settings: Settings, backup: Path) -> None:
    before = tree(settings.data)
    with pytest.raises(BackupError) as refused:
        restore(backup, settings.data, yes=True)

    assert str(refused.value)
    assert tree(settings.data) == before


def test_a_backup_of_an_older_version_is_taken_over(desk: Settings, tmp_path: Path) -> None:
    held = members(desk, tmp_path)
    script = (
        "DROP INDEX turns_refused; ALTER TABLE turns DROP COLUMN refused; DROP TABLE refused;"
        "ALTER TABLE jobs DROP COLUMN limits; ALTER TABLE jobs DROP COLUMN owner;"
        "ALTER TABLE job_files DROP COLUMN size; DROP TABLE uploads;"
        "PRAGMA user_version = 4"
    )
    held[STATE] = edited(held[STATE], tmp_path, script)

    restore(packed(tmp_path / "b.zip", held), desk.data, yes=True)

    with open_saved_questions(desk) as saved:
        assert [each.question for each in saved.questions()] == ["When does the gate open?"]


def test_only_folders_that_uploads_make_are_discarded(tmp_path: Path) -> None:
    folder = UploadFolder(tmp_path / "data")
    made = folder.new()
    discard: Callable[[Path], bool] = folder.discard

    assert not discard(folder.folder / ".." / "x")
    assert not discard(folder.folder / "notes" / "x")
    assert folder.folder.is_dir()
    assert discard(made / "x")
    assert not made.exists()
