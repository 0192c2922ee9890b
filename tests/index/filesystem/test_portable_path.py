"""Tests that uploads and pages are found after the data directory has moved."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.filesystem.portable_path import PAGES, UPLOADS, Paths, is_stored_path, part_of_stored
from index.ingestion.ingest import Ingestion
from index.models.encoder import Encoder
from index.store.schema import FILE_NAME, MIGRATIONS, connect
from index.store.snapshot import SqliteSnapshot
from index.store.sqlite import run_migration
from index.store.store import Store
from qa.library.documents import remove_document
from qa.library.upload_service import UploadService
from qa.library.upload_worker import UploadWorker
from qa.settings import Settings
from qa.state.database import State
from qa.state.upload_jobs import UploadedFile, UploadJobs
from tests.qa.interfaces.api.test_uploads import (
    HARBOUR,
    QUESTION,
    ask,
    documents,
    results,
    uploaded,
)
from tests.support.fakes import RecordingReporter
from tests.support.serving import Command, Server, carded, settings_in

PAGE = "https://example.org/tides/today.html"
TOKEN = "0123456789abcdef"  # noqa: S105 - the name of a folder


@given(
    parts=st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1).filter(
            lambda part: part not in {".", ".."}
        ),
        min_size=1,
    )
)
def test_a_stored_path_leads_back_to_the_path(parts: list[str]) -> None:
    paths, moved = Paths(Path("/data")), Paths(Path("/elsewhere"))
    outside, inside = Path("/corpus", *parts), Path("/data", UPLOADS, *parts)

    assert paths.path(paths.stored(outside)) == moved.path(paths.stored(outside)) == outside
    assert paths.path(paths.stored(inside)) == inside
    assert moved.path(paths.stored(inside)) == Path("/elsewhere", UPLOADS, *parts)
    assert paths.stored(inside).startswith(paths.stored_prefix(Path("/data", UPLOADS)))
    assert not paths.stored(outside).startswith(paths.stored_prefix(Path("/data", UPLOADS)))


def test_the_path_of_a_part_is_that_of_its_file() -> None:
    paths, file = Paths(Path("/data")), Path("/data", UPLOADS, TOKEN, "a.eml")

    stored = paths.stored(file, "2.1")

    assert (paths.path(stored), part_of_stored(stored)) == (file, "2.1")
    assert part_of_stored(paths.stored(file)) == ""
    assert is_stored_path(stored)
    assert is_stored_path(paths.stored(file))
    assert not is_stored_path(paths.stored(file) + b"\0../x")
    assert not is_stored_path(b"data:/../x\x002")


def waiting(settings: Settings, known: Path | None = None, replaces: str | None = None) -> str:
    """Queue a job for an uploaded file and return the id of its document.

    The file replaces the document `replaces` at the path `known`, or becomes a new document.
    """
    intake = UploadService(settings)
    path = intake.uploads.new() / "gate.txt"
    path.write_text(HARBOUR if known is None else HARBOUR.replace("seven", "eight"))
    arrived = UploadedFile(
        "gate.txt", known or path, "0" * 64, staged=path if known else None, replaces=replaces
    )
    intake.take([arrived], [])
    [task] = intake.jobs.waiting()
    return task.document_id


def worked(settings: Settings) -> list[tuple[str, str]]:
    """Work the jobs off and return the id and the text of each document."""
    with closing(State(settings.data)) as state, Store(settings.data) as store, store.writing():
        UploadWorker(settings, carded(), lambda: None, lambda _: None).work(
            UploadJobs(state), store
        )
    with closing(SqliteSnapshot(settings.data)) as snapshot:
        assert all(file.path.is_file() for file in snapshot.files())
        return [(info.id, snapshot.document(info.id).text) for info in snapshot.documents()]


def test_waiting_jobs_are_worked_off_after_the_directory_has_moved(tmp_path: Path) -> None:
    old, new = settings_in(tmp_path / "old"), settings_in(tmp_path / "new")
    old.data.mkdir(parents=True)
    identity = waiting(old)
    (tmp_path / "old").rename(tmp_path / "new")
    assert worked(new) == [(identity, HARBOUR)]

    [folder] = (new.data / UPLOADS).iterdir()
    assert waiting(new, folder / "gate.txt", identity) == identity
    (tmp_path / "new").rename(tmp_path / "old")
    assert worked(old) == [(identity, HARBOUR.replace("seven", "eight"))]

    remove_document(old, identity)
    assert list((old.data / UPLOADS).iterdir()) == []


def test_a_store_with_absolute_paths_is_migrated(tmp_path: Path) -> None:
    data, was = tmp_path / "data", Path("/srv/uploads/quoted")
    rows = {
        "upload": (was / UPLOADS / TOKEN / "gate.txt", "gate.txt"),
        "page": (was / PAGES / f"{TOKEN}.html", PAGE),
        "deeper": (was / UPLOADS / TOKEN / "a" / "gate.txt", "a.txt"),
        "other": (Path("/home/uploads/notes/gate.txt"), "gate.txt"),
        "others page": (Path("/home/pages") / f"{TOKEN}.html", "b.html"),
    }
    data.mkdir()
    with closing(sqlite3.connect(data / FILE_NAME)) as old:
        for migration in MIGRATIONS[:5]:
            run_migration(old, migration)
        for identity, (path, uri) in rows.items():
            old.execute(
                "INSERT INTO documents VALUES (?, ?, ?, '', 0, '', '', 0, '', 0, x'', NULL,"
                " 'current', 1, '', NULL, NULL, '[]')",
                (identity, bytes(path), uri),
            )
        old.execute("PRAGMA user_version = 5")
        old.commit()

    with closing(connect(data)) as db:
        found = dict(db.execute("SELECT id, path FROM documents"))

    assert Paths(data).path(found["upload"]) == data / UPLOADS / TOKEN / "gate.txt"
    assert Paths(data).path(found["page"]) == data / PAGES / f"{TOKEN}.html"
    assert {name: Path(found[name].decode()) for name in ("deeper", "other", "others page")} == {
        name: rows[name][0] for name in ("deeper", "other", "others page")
    }


def take_page(command: Command, encoder: Encoder) -> None:
    """Index a page as if it had been fetched, without the network."""
    path = command.data / PAGES / f"{TOKEN}.html"
    path.parent.mkdir(parents=True)
    path.write_text("<title>Tides</title><p>The tide turns at half past nine.</p>")
    with Store(command.data) as store, store.writing():
        run = Ingestion(store, encoder, RecordingReporter())
        run.process_file(path, path.parent, uri=PAGE)
        run.flush()


@pytest.mark.slow
def test_a_backup_of_another_machine_answers_verifies_and_changes(
    command: Command, encoder: Encoder, tmp_path: Path
) -> None:
    sure = command.on(command.data, QUOTED_MIN_CONFIDENCE="0")
    take_page(sure, encoder)
    with Server(sure) as server:
        server.ready()
        [gate] = uploaded(server, [("gate.txt", HARBOUR)])
    assert sure("backup", str(tmp_path / "b.zip")).returncode == 0
    shutil.rmtree(sure.data)
    there = sure.on(tmp_path / "another machine" / "data")
    assert there("restore", str(tmp_path / "b.zip")).returncode == 0
    (there.data.parent).rename(tmp_path / "moved")
    there = there.on(tmp_path / "moved" / "data")

    for question in (QUESTION, "When does the tide turn?"):
        answer = json.loads(there("ask", question, "--json").stdout)
        assert (answer["citations"][0]["freshness"], answer["notes"]) == ("current", [])
        (tmp_path / "answer.json").write_text(json.dumps(answer))
        done = there("verify", str(tmp_path / "answer.json"))
        assert done.returncode == 0, done.stdout
    assert "new" not in there("status").stdout

    with Server(there) as server:
        server.ready()
        place = f"/documents/{gate['document_id']}"
        [replaced] = results(
            server,
            server.client.put(
                place, files=[("file", ("x.txt", HARBOUR.replace("seven", "eight")))]
            ),
        )
        assert (replaced["status"], replaced["document_id"]) == ("updated", gate["document_id"])
        assert "eight" in ask(server)["answers"][0]["citation"]["sentence"]
        assert server.client.delete(place).json()["file"] == "deleted"
        [page] = documents(server)
        assert server.client.delete(f"/documents/{page}").status_code == 200
    assert not [
        path
        for path in (*(there.data / UPLOADS).rglob("*"), *(there.data / PAGES).iterdir())
        if path.is_file()
    ]
    assert there("doctor").returncode == 0
