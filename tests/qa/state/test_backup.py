"""Backup and restore: consistent, complete or without effect, beside a running server."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import threading
import time
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from index.errors import SchemaTooNew
from index.filesystem.portable_path import RESTORING
from index.store.schema import FILE_NAME
from index.store.snapshot import SqliteSnapshot, current_generation
from qa.answering.live_pipeline import LivePipeline
from qa.bootstrap import live_pipeline
from qa.errors import BackupError
from qa.library.index_follower import open_saved_questions
from qa.settings import Settings
from qa.state.backup import MANIFEST, back_up, restore
from qa.state.database import FILE_NAME as STATE
from tests.support.fakes import SharedWordsReader
from tests.support.serving import (
    Command,
    Server,
    carded,
    eventually,
    indexed,
    settings_in,
    write_files,
)

GATE = "Which code opens the gate?"


def text(code: str) -> str:
    return f"The gate opens with the code {code}."


@pytest.fixture
def desk(tmp_path: Path) -> Settings:
    settings = settings_in(tmp_path, min_confidence=0.0)
    indexed(settings, carded(), tmp_path / "corpus", {"gate.txt": text("seven")})
    with open_saved_questions(settings) as saved:
        saved.add(GATE)
    return settings


def texts(data: Path) -> list[str]:
    with closing(SqliteSnapshot(data)) as snapshot:
        return [snapshot.document(info.id).text for info in snapshot.documents()]


def test_a_backup_is_restored_elsewhere(desk: Settings, tmp_path: Path) -> None:
    assert back_up(desk.data, tmp_path / "b.zip") == [FILE_NAME, STATE]
    other = settings_in(tmp_path / "other")

    assert restore(tmp_path / "b.zip", other.data) == [FILE_NAME, STATE]

    assert texts(other.data) == [text("seven")]
    with open_saved_questions(other) as saved:
        assert [each.question for each in saved.questions()] == [GATE]
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []
    assert not list(other.data.glob(".restore-*"))


def test_an_upload_named_like_a_database_is_restored(desk: Settings, tmp_path: Path) -> None:
    kept = {
        "uploads/0a/gate.txt": b"seven",
        "uploads/0b/index.db": b"no database",
        "pages/a.html": b"<p>Page</p>",
    }
    for name, content in kept.items():
        write_files((desk.data / name).parent, {Path(name).name: content})

    assert set(back_up(desk.data, tmp_path / "b.zip")) == {FILE_NAME, STATE, *kept}
    shutil.rmtree(desk.data)
    restore(tmp_path / "b.zip", desk.data)

    assert {name: (desk.data / name).read_bytes() for name in kept} == kept
    assert texts(desk.data) == [text("seven")]


@pytest.mark.parametrize(
    "name", ["uploads/../../x", "/etc/x", "uploads", "other/x", "uploads/a/../x", "uploads//x"]
)
def test_a_backup_that_leads_elsewhere_is_refused(
    desk: Settings, tmp_path: Path, name: str
) -> None:
    back_up(desk.data, tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        members = {each: archive.read(each) for each in archive.namelist()}
    manifest = json.loads(members[MANIFEST])
    manifest["files"][name] = {"sha256": hashlib.sha256(b"x").hexdigest(), "size": 1}
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        for each, content in (
            members | {MANIFEST: json.dumps(manifest).encode(), name: b"x"}
        ).items():
            archive.writestr(each, content)

    with pytest.raises(BackupError, match="is no backup of quoted, or is damaged"):
        restore(tmp_path / "c.zip", tmp_path / "elsewhere")
    assert not (tmp_path / "x").exists()


def test_restoring_over_data_needs_yes_and_gives_a_new_generation(
    desk: Settings, tmp_path: Path
) -> None:
    back_up(desk.data, tmp_path / "b.zip")
    indexed(desk, carded(), tmp_path / "corpus", {"gate.txt": text("eight")})
    live = live_pipeline(desk, carded(), SharedWordsReader())
    assert said(live) == text("eight")
    before = current_generation(desk.data) or 0
    with pytest.raises(
        BackupError, match="which would be replaced: back them up, then repeat with --yes"
    ):
        restore(tmp_path / "b.zip", desk.data)

    restore(tmp_path / "b.zip", desk.data, yes=True)

    assert current_generation(desk.data) == before + 1
    (tmp_path / "corpus" / "gate.txt").write_text(text("seven"))
    assert said(live) == text("seven")
    live.close()


def said(live: LivePipeline) -> str | None:
    live.refresh()
    with live.use() as pipeline:
        return pipeline.ask(GATE).text


def test_while_others_write_a_backup_is_one_generation(desk: Settings, tmp_path: Path) -> None:
    """Each run of indexing replaces one document, so a generation tells the text."""
    stopping = threading.Event()
    seen = {current_generation(desk.data): text("seven")}

    def write() -> None:
        for number in range(1000):
            if stopping.is_set():
                return
            indexed(desk, carded(), tmp_path / "corpus", {"gate.txt": text(f"number {number}")})
            seen[current_generation(desk.data)] = text(f"number {number}")

    writer = threading.Thread(target=write)
    writer.start()
    for number in range(5):
        back_up(desk.data, tmp_path / f"{number}.zip")
        time.sleep(0.05)
    stopping.set()
    writer.join(60)

    for number in range(5):
        data = tmp_path / f"restored-{number}"
        restore(tmp_path / f"{number}.zip", data)
        assert texts(data) == [
            seen[(current_generation(data) or 0) - 1]
        ]  # restoring is a generation


def test_a_restore_that_was_cut_off_is_finished_by_the_next_command(
    desk: Settings, tmp_path: Path
) -> None:
    write_files(desk.data / "uploads" / "0a", {"gate.txt": "seven"})
    back_up(desk.data, tmp_path / "b.zip")
    indexed(
        desk,
        carded(),
        tmp_path / "corpus",
        {"gate.txt": text("eight"), "bread.txt": "Bread rises."},
    )
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        archive.extractall(
            desk.data / RESTORING, [name for name in archive.namelist() if name != MANIFEST]
        )
    (desk.data / RESTORING / "uploads" / "0a" / "gate.txt").replace(
        desk.data / "uploads" / "0a" / "gate.txt"
    )  # so far it came

    done = Command(desk.data, desk.cache)("list")

    assert (done.returncode, done.stderr) == (0, "Finishing a restore that was interrupted ...\n")
    assert texts(desk.data) == [text("seven")]
    assert not [path.name for path in desk.data.iterdir() if path.name.startswith(".")]


@pytest.mark.slow
def test_a_restore_that_was_cut_off_is_finished_by_a_server_that_runs(
    command: Command, corpus: Path, tmp_path: Path
) -> None:
    write_files(corpus, {"gate.txt": text("seven")})
    assert command("index", str(corpus)).returncode == 0
    assert command("backup", str(tmp_path / "b.zip")).returncode == 0
    write_files(corpus, {"bread.txt": "Bread rises for two hours."})
    assert command("index", str(corpus)).returncode == 0
    with Server(command) as server:
        server.ready()
        assert len(server.client.get("/documents").json()["documents"]) == 2
        with zipfile.ZipFile(tmp_path / "b.zip") as archive:
            archive.extractall(
                tmp_path / "staged", [name for name in archive.namelist() if name != MANIFEST]
            )
        (tmp_path / "staged").rename(command.data / RESTORING)

        eventually(lambda: len(server.client.get("/documents").json()["documents"]) == 1)

        assert not (command.data / RESTORING).exists()


def _entry(zip_file: Path, name: str) -> tuple[int, int]:
    with zipfile.ZipFile(zip_file) as archive:
        info = archive.getinfo(name)
        return info.header_offset + 30 + len(name), info.compress_size


@pytest.mark.parametrize("name", [FILE_NAME, STATE, MANIFEST])
def test_one_flipped_byte_is_detected_and_changes_nothing(
    desk: Settings, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "b.zip"
    back_up(desk.data, path)
    start, size = _entry(path, name)
    whole, before = path.read_bytes(), current_generation(desk.data)
    for at in range(
        start, start + size - 4, max(size // 12, 1)
    ):  # the last bits of a compressed file mean nothing
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        with pytest.raises(BackupError):
            restore(path, desk.data, yes=True)
    assert (texts(desk.data), current_generation(desk.data)) == ([text("seven")], before)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + b"\0" * 18])
def test_a_file_that_is_no_backup_is_refused(
    desk: Settings, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "b.zip").write_bytes(content)

    with pytest.raises(BackupError, match="is no backup of quoted"):
        restore(tmp_path / "b.zip", desk.data, yes=True)


def _packed(path: Path, held: dict[str, bytes], **changes: object) -> Path:

    about = {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        for name, data in held.items()
    }
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(MANIFEST, json.dumps({"format": 1, "files": about} | changes))
        for name, data in held.items():
            archive.writestr(name, data)
    return path


def test_a_hostile_or_later_backup_is_refused(desk: Settings, tmp_path: Path) -> None:
    for name in ("../evil.txt", "/etc/evil", "derived/dense.faiss"):
        with pytest.raises(BackupError, match="unexpected"):
            restore(_packed(tmp_path / "b.zip", {name: b"x"}), desk.data, yes=True)
    with pytest.raises(BackupError, match="larger than the manifest says"):
        restore(
            _packed(tmp_path / "b.zip", {STATE: b"x"}, files={STATE: {"sha256": "", "size": 0}}),
            desk.data,
            yes=True,
        )
    with pytest.raises(BackupError, match="has format 2"):
        restore(_packed(tmp_path / "b.zip", {}, format=2), desk.data, yes=True)
    later = tmp_path / "later.db"
    with closing(sqlite3.connect(later)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(SchemaTooNew):
        restore(_packed(tmp_path / "b.zip", {FILE_NAME: later.read_bytes()}), desk.data, yes=True)
    assert texts(desk.data) == [text("seven")]


def test_an_existing_target_or_an_empty_directory_is_refused(
    desk: Settings, tmp_path: Path
) -> None:
    (tmp_path / "b.zip").write_text("mine")
    with pytest.raises(BackupError, match="exists already"):
        back_up(desk.data, tmp_path / "b.zip")
    with pytest.raises(BackupError, match="nothing to back up"):
        back_up(tmp_path / "nowhere", tmp_path / "c.zip")
    assert (tmp_path / "b.zip").read_text() == "mine"


@pytest.mark.slow
def test_a_server_goes_on_through_backup_and_restore(
    command: Command, corpus: Path, tmp_path: Path
) -> None:
    sure = command.on(command.data, QUOTED_MIN_CONFIDENCE="0")
    write_files(corpus, {"gate.txt": text("seven"), "bread.txt": "Bread rises for two hours."})
    assert sure("index", str(corpus)).returncode == 0
    with Server(sure) as server:
        server.ready()
        conversation = server.client.post("/conversations").json()["id"]
        asked = {"question": GATE, "conversation_id": conversation}
        assert (
            "seven"
            in server.client.post("/ask", json=asked).json()["answers"][0]["citation"]["sentence"]
        )
        assert sure("backup", str(tmp_path / "b.zip")).returncode == 0

        write_files(corpus, {"gate.txt": text("eight")})
        assert sure("index", str(corpus)).returncode == 0
        assert server.client.delete(f"/conversations/{conversation}").status_code == 204
        write_files(corpus, {"gate.txt": text("seven")})
        failed: list[int] = []
        stopping = threading.Event()

        def ask() -> None:
            while not stopping.is_set():
                status = server.client.post("/ask", json={"question": GATE}).status_code
                failed.extend([status] if status != 200 else [])

        asking = threading.Thread(target=ask)
        asking.start()
        done = sure("restore", str(tmp_path / "b.zip"), "--yes")
        stopping.set()
        asking.join(60)
        assert (done.returncode, failed) == (0, []), done.stderr

        eventually(
            lambda: (
                "seven"
                in server.client.post("/ask", json={"question": GATE}).json()["citations"][0][
                    "sentence"
                ]
            )
        )
        [turn] = server.client.get(f"/conversations/{conversation}").json()["turns"]
        assert turn["question"] == GATE
        assert "Traceback" not in server.log
    assert sure("doctor").returncode == 0
