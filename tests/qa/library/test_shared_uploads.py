"""Uploads over a shared store: what one server takes, all others index, show and delete."""

from __future__ import annotations

import hashlib
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from qa.errors import UnknownDocumentId
from qa.library.documents import forget_all, list_documents, open_snapshot, open_store
from qa.library.migration import migrate_documents
from qa.library.upload_folder import open_upload_folder
from qa.library.upload_service import UploadService
from qa.library.upload_worker import UploadWorker
from qa.settings import Settings
from qa.state.database import open_state
from qa.state.upload_jobs import UploadedFile, UploadJobs
from qa.verification.source_pages import read, source_of
from tests.qa.library.test_upload_service import Broken, interrupt
from tests.support.postgres import PostgresServer
from tests.support.serving import carded, eventually, settings_in

GATE = b"The gate code is 1234.\n"
NEW = b"The gate code is 5678.\n"


def servers(folder: Path, store: str, state: str = "") -> list[Settings]:
    """Return the settings of three servers with data directories of their own."""
    names = ("one", "two", "three")
    return [settings_in(folder / name, store=store, state=state) for name in names]


def upload(service: UploadService, name: str, content: bytes) -> UploadedFile:
    path = service.uploads.new() / name
    path.write_bytes(content)
    return UploadedFile(name, path, hashlib.sha256(content).hexdigest(), size=len(content))


def work(settings: Settings, moment: str = "") -> list[str]:
    """Let the worker of a server make documents of what waits; return what kept it from it.

    At a `moment` its process ends.
    """
    said: list[str] = []
    on_change = interrupt if moment == "committed" else lambda: None
    worker = UploadWorker(settings, carded(), on_change, said.append)
    if moment == "placed":
        worker._encoder = Broken()  # type: ignore[assignment]
    with closing(open_state(settings)) as state, open_store(settings) as store, store.writing():
        worker.work(UploadJobs(state), store)
    return said


def original(settings: Settings) -> bytes:
    """Return the bytes of the one document's file, as a server gives them out."""
    with closing(open_snapshot(settings)) as snapshot:
        [file] = snapshot.files()
        opened = snapshot.original(file)
    with opened as path:
        return path.read_bytes()


def left_in(settings: Settings) -> list[Path]:
    """Return the uploaded files that lie in the data directory of a server."""
    return [each for each in (settings.data / "uploads").rglob("*") if each.is_file()]


@pytest.mark.slow
def test_each_server_indexes_shows_replaces_and_deletes_what_another_took(
    tmp_path: Path, store_place: str, postgres: PostgresServer
) -> None:
    one, two, three = servers(tmp_path, store_place, postgres.location)
    services = [UploadService(each) for each in (one, two, three)]
    job = services[0].take([upload(services[0], "gate.txt", GATE)], ["harbour"])
    assert left_in(one) == []

    assert work(two) == []
    assert [file.status for file in services[2].jobs.job(job.id).files] == ["added"]
    assert [info.tags for info in list_documents(three)] == [("harbour",)]
    assert original(one) == original(two) == original(three) == GATE

    with closing(open_snapshot(three)) as snapshot:
        [known] = snapshot.files()
    services[2].replace(known, [upload(services[2], "new.txt", NEW)], [])
    assert work(one) == []
    assert original(one) == original(two) == original(three) == NEW
    assert all(left_in(each) == [] for each in (one, two, three))
    assert [each.size for each in open_upload_folder(two)._objects.objects()] == [len(NEW)]  # type: ignore[union-attr]

    services[2].check_uploaded(known)
    assert services[2].delete(known)
    assert open_upload_folder(one)._objects.objects() == []  # type: ignore[union-attr]
    with closing(open_snapshot(one)) as snapshot, pytest.raises(UnknownDocumentId):
        source_of(snapshot, known.document_id, None)


@pytest.mark.slow
def test_a_replacement_that_cannot_be_read_changes_nothing(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    one, two, _ = servers(tmp_path, str(tmp_path / "store"), postgres.location)
    service = UploadService(one)
    service.take([upload(service, "gate.txt", GATE)], [])
    work(two)
    with closing(open_snapshot(one)) as snapshot:
        [known] = snapshot.files()
    job = service.replace(known, [upload(service, "empty.txt", b" \n")], [])
    work(two)

    [result] = service.jobs.job(job.id).files
    assert result.status == "skipped"
    assert "as it was" in result.detail
    assert original(one) == GATE
    assert left_in(one) == left_in(two) == []


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["placed", "committed"])
def test_a_replacement_that_one_server_was_cut_off_from_is_finished_by_another(
    tmp_path: Path, postgres: PostgresServer, moment: str
) -> None:
    one, two, three = servers(tmp_path, str(tmp_path / "store"), postgres.location)
    service = UploadService(one)
    service.take([upload(service, "gate.txt", GATE)], [])
    work(one)
    with closing(open_snapshot(one)) as snapshot:
        [known] = snapshot.files()
    job = service.replace(known, [upload(service, "new.txt", NEW)], [])
    with pytest.raises(KeyboardInterrupt):
        work(one, moment)
    assert original(three) == (GATE if moment == "placed" else NEW)

    work(two)
    assert [file.status for file in service.jobs.job(job.id).files] == ["updated"]
    assert original(three) == NEW
    assert left_in(two) == []
    [kept] = open_upload_folder(two)._objects.objects()  # type: ignore[union-attr]
    assert kept.path.name == "gate.txt"


@pytest.mark.slow
def test_one_server_at_a_time_works_on_uploads(tmp_path: Path, postgres: PostgresServer) -> None:
    one, two, _ = servers(tmp_path, str(tmp_path / "store"), postgres.location)
    with closing(open_state(two)) as second:
        with closing(open_state(one)) as first:
            assert first.has_turn("uploading")
            assert first.has_turn("uploading")
            assert not second.has_turn("uploading")
            assert second.has_turn("something else")
        # The server notices a moment later.
        eventually(lambda: second.has_turn("uploading"))


def test_without_a_shared_state_each_server_reads_its_own(tmp_path: Path) -> None:
    pytest.importorskip("lancedb")
    one, two, three = servers(tmp_path, str(tmp_path / "store"))
    service = UploadService(one)
    service.take([upload(service, "gate.txt", GATE)], [])
    work(two)
    assert list_documents(two) == []
    work(one)

    assert original(three) == GATE
    worker = UploadWorker(two, carded(), lambda: None, lambda _: None)
    with closing(open_state(two)) as state, open_store(two) as store:
        worker._forget_old(state, UploadJobs(state), store)
        assert UploadJobs(state).usage("local").total_bytes == len(GATE)
    assert original(three) == GATE
    assert forget_all(two) == 1
    assert open_upload_folder(one)._objects.objects() == []  # type: ignore[union-attr]


def test_pages_of_an_upload_are_read_from_the_store(tmp_path: Path) -> None:
    pytest.importorskip("lancedb")
    fpdf = pytest.importorskip("fpdf")
    document = fpdf.FPDF()
    document.add_page()
    document.set_font("Helvetica", size=12)
    document.cell(text="The gate code is 1234.")
    one, two, _ = servers(tmp_path, str(tmp_path / "store"))
    service = UploadService(one)
    content = bytes(document.output())
    service.take([upload(service, "gate.pdf", content)], [])
    work(one)

    with closing(open_snapshot(two)) as snapshot:
        [info] = snapshot.documents()
        source = source_of(snapshot, info.id, None)
    assert read(source).data == content


def test_a_migration_takes_the_uploaded_files_along(tmp_path: Path) -> None:
    pytest.importorskip("lancedb")
    embedded = settings_in(tmp_path / "one")
    service = UploadService(embedded)
    service.take([upload(service, "gate.txt", GATE)], [])
    work(embedded)
    shared = replace(embedded, store=str(tmp_path / "store"))
    assert migrate_documents(embedded, shared, carded()).copied == 1

    elsewhere = replace(shared, data=tmp_path / "two" / "data")
    assert original(elsewhere) == GATE
    assert migrate_documents(elsewhere, replace(elsewhere, store=""), carded()).copied == 1
    assert [each.read_bytes() for each in left_in(elsewhere)] == [GATE]
    assert original(replace(elsewhere, store="")) == GATE
