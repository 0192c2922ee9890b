"""Tests of a data directory and a model cache that may only be read."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from index.errors import StoreReadOnly
from index.store.schema import FILE_NAME, MIGRATIONS, connect, current_generation
from index.store.snapshot import SqliteSnapshot
from index.store.store import Store
from tests.qa.interfaces.api.test_ask import problem
from tests.qa.interfaces.api.test_uploads import HARBOUR, QUESTION, ask, form
from tests.support.disks import read_only
from tests.support.serving import (
    Command,
    Server,
    carded,
    eventually,
    indexed,
    settings_in,
    write_files,
)

CUT_OFF = (
    "import os, sqlite3, sys; db = sqlite3.connect(sys.argv[1]); "
    "db.execute('DELETE FROM terms'); db.commit(); os.kill(os.getpid(), 9)"
)
"""Program that commits a change and is killed before the log is moved into the file."""


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """Return the data directory of an index."""
    settings = settings_in(tmp_path)
    indexed(settings, carded(), tmp_path / "corpus", {"gate.txt": HARBOUR})
    return settings.data


def test_an_index_is_read_and_derived_in_memory(there: Path, tmp_path: Path) -> None:
    shutil.rmtree(there / "derived")
    with (
        read_only(there, tmp_path / "disk with ?%20#") as data,
        closing(SqliteSnapshot(data)) as snapshot,
    ):
        assert snapshot.size == snapshot.dense.size == 1
        assert snapshot.resume()
        assert not (data / "derived").exists()
        with (
            pytest.raises(StoreReadOnly, match="nothing was changed: give this user the right"),
            Store(data) as store,
        ):
            store.remove([snapshot.document_id(0)])
        with (
            pytest.raises(StoreReadOnly, match="may only be read"),
            Store(data) as store,
            store.writing(),
        ):
            pass


def test_a_reader_sees_the_changes_of_a_writer(there: Path, tmp_path: Path) -> None:
    with read_only(there, tmp_path / "ro") as data, Store(there) as store:
        before = current_generation(data)
        store.remove([file.document_id for file in store.files_under(Path("/"))])
        assert current_generation(data) == (before or 0) + 1


def test_a_change_that_was_cut_off_is_not_ignored(there: Path, tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", CUT_OFF, there / FILE_NAME], check=False)
    assert killed.returncode == -signal.SIGKILL
    with read_only(there, tmp_path / "ro") as data, closing(connect(data)) as db:
        assert db.execute("SELECT count(*) FROM terms").fetchone() == (0,)
    (there / f"{FILE_NAME}-shm").unlink()
    with (
        read_only(there, tmp_path / "ro2") as data,
        pytest.raises(StoreReadOnly, match="was cut off: run `qa list` once"),
    ):
        connect(data)


def test_an_earlier_or_a_missing_store_cannot_be_made(there: Path, tmp_path: Path) -> None:
    with closing(connect(there)) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) - 1}")
    with (
        read_only(there, tmp_path / "ro") as data,
        pytest.raises(StoreReadOnly, match="earlier version"),
    ):
        connect(data)
    (there / FILE_NAME).unlink()
    with (
        read_only(there, tmp_path / "ro2") as data,
        pytest.raises(StoreReadOnly, match=r"there is no index\.db in it"),
    ):
        connect(data)


@pytest.fixture
def frozen(command: Command, corpus: Path, tmp_path: Path) -> Iterator[Command]:
    """Return the command on an index and a model cache that may only be read."""
    write_files(corpus, {"gate.txt": HARBOUR})
    assert command("index", str(corpus)).returncode == 0
    assert command("ask", QUESTION).returncode in {0, 3}
    with (
        read_only(command.data, tmp_path / "ro") as data,
        read_only(command.cache, tmp_path / "models") as cache,
    ):
        yield Command(data, cache, {"QUOTED_MIN_CONFIDENCE": "0"})


@pytest.mark.slow
def test_the_commands_that_read_work_and_the_others_say_why_not(
    frozen: Command, corpus: Path, tmp_path: Path
) -> None:
    answered = frozen("ask", QUESTION, "--json")
    assert json.loads(answered.stdout)["answer"] == "seven"
    (tmp_path / "answer.json").write_text(answered.stdout)
    for arguments in (
        ["search", QUESTION],
        ["list"],
        ["status"],
        ["verify", str(tmp_path / "answer.json")],
        ["doctor"],
    ):
        done = frozen(*arguments)
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
    assert "may only be read" in frozen("doctor").stdout
    assert frozen("backup", str(tmp_path / "b.zip")).returncode == 0

    for arguments in (
        ["index", str(corpus)],
        ["remove", "gate.txt"],
        ["forget", "--all"],
        ["chat"],
        ["watch", str(corpus)],
    ):
        done = frozen(*arguments, stdin=b"Why?\n")
        assert done.returncode == 1, (arguments, done.stdout, done.stderr)
        assert "may only be read" in done.stderr
        assert "QUOTED_DATA" in done.stderr
        assert "Traceback" not in done.stderr
    done = frozen("restore", str(tmp_path / "b.zip"), "--yes")
    assert (done.returncode, "file system is read-only" in done.stderr) == (1, True), done.stderr


@pytest.mark.slow
def test_a_server_answers_and_takes_nothing(frozen: Command) -> None:
    with Server(frozen) as server:
        server.ready()
        assert ask(server)["answer"] == "seven"
        assert [each["uri"] for each in server.client.get("/documents").json()["documents"]] == [
            "gate.txt"
        ]
        [document] = server.client.get("/documents").json()["documents"]
        place = f"/documents/{document['id']}"
        for response in (
            server.client.post("/documents", **form([("a.txt", "A text.")])),
            server.client.post("/conversations"),
            server.client.put(f"{place}/tags", json={"tags": ["sea"]}),
            server.client.delete(place),
        ):
            assert "may only read its data directory" in problem(response, 507)["detail"]
        eventually(lambda: "Uploaded files wait" in server.log)
        assert "Traceback" not in server.log


@pytest.mark.slow
def test_a_model_that_cannot_be_kept_is_said(
    command: Command, corpus: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    with read_only(tmp_path / "empty", tmp_path / "models") as cache:
        done = Command(command.data, cache)("index", str(corpus))
    assert done.returncode == 1
    assert "the converted model cannot be kept" in done.stderr
    assert "QUOTED_CACHE" in done.stderr
    assert list((tmp_path / "empty").iterdir()) == []
