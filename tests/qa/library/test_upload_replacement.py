"""Jobs that replace the bytes of documents: in order, whatever is lost or cut off in between."""

from __future__ import annotations

import hashlib
import itertools
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from index.store.snapshot import SqliteSnapshot
from qa.errors import UnknownDocumentId
from qa.library.upload_service import UploadService
from qa.state.backup import back_up, restore
from qa.state.upload_jobs import MAX_ATTEMPTS, UploadedFile
from tests.qa.library.test_upload_service import TEXT, Harbour, cut_off
from tests.support.serving import PATIENCE, settings_in

BAD = b"\0\1\2"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Harbour]:
    """Return a data directory with one document, gate.txt."""
    made = Harbour(settings_in(tmp_path), now=datetime.now(UTC))
    made.done(made.jobs.add([made.file("gate.txt")]))
    yield made
    made.state.close()


def gate(desk: Harbour) -> Path:
    """Return the path of the document's file."""
    return next(path for path in desk.uploads.folder.rglob("gate.txt"))


def is_as_its_file(desk: Harbour) -> str:
    """Return the document's text, which its file must hold; no other file may be left."""
    with closing(SqliteSnapshot(desk.settings.data)) as snapshot:
        [info] = snapshot.documents()
        text = snapshot.document(info.id).text
    assert info.state == "current"
    assert desk.files() == ["gate.txt"]
    assert gate(desk).read_text() == text
    return text


@pytest.mark.parametrize(
    ("contents", "statuses", "text"),
    [
        (["Code eight.", TEXT], ["updated", "updated"], TEXT),
        (["Code eight.", BAD], ["updated", "skipped"], "Code eight."),
        ([BAD, "Code eight."], ["skipped", "updated"], "Code eight."),
        (
            ["Code eight.", "Code nine.", BAD, TEXT, "Code ten."],
            ["updated", "updated", "skipped", "updated", "updated"],
            "Code ten.",
        ),
    ],
)
def test_of_several_replacements_that_wait_the_last_one_stays(
    desk: Harbour, contents: list[str | bytes], statuses: list[str], text: str
) -> None:
    place = gate(desk)
    jobs = [desk.jobs.add([desk.file("new.txt", content, place)]) for content in contents]

    assert [desk.done(job)[0][1] for job in reversed(jobs)] == statuses[::-1]
    assert is_as_its_file(desk) == text


def test_a_replacement_that_was_cut_off_comes_before_the_next_one_all_the_same(
    desk: Harbour,
) -> None:
    place = gate(desk)
    first = desk.jobs.add([desk.file("new.txt", "Code eight.", place)])
    desk.jobs.begin(desk.jobs.waiting())
    last = desk.jobs.add([desk.file("new.txt", "Code nine.", place)])

    assert [desk.done(job)[0][1] for job in (last, first)] == ["updated", "updated"]
    assert is_as_its_file(desk) == "Code nine."


def test_a_replacement_whose_bytes_are_lost_is_said_and_keeps_no_other_waiting(
    desk: Harbour,
) -> None:
    """Such files appear after a restore.

    The bytes were then moved into place between the copies of the jobs and of the files.
    """
    lost: UploadedFile = desk.file("new.txt", "Code eight.", gate(desk))
    job = desk.jobs.add([lost])
    assert lost.staged is not None
    desk.uploads.discard(lost.staged)

    assert desk.done(job) == [
        ("new.txt", "skipped", "is no longer there, or the document was deleted: upload it again")
    ]
    assert is_as_its_file(desk) == TEXT


def test_a_replacement_that_is_given_up_leaves_the_document_as_it_was(desk: Harbour) -> None:
    job = desk.jobs.add([desk.file("new.txt", "Code eight.", gate(desk))])
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(KeyboardInterrupt):
            cut_off(desk, "placed")
    assert gate(desk).read_text() == "Code eight."

    [(_, status, detail)] = desk.done(job)

    assert (status, detail.endswith("the document is as it was")) == ("skipped", True)
    assert is_as_its_file(desk) == TEXT


def test_what_was_done_before_the_process_ended_is_not_given_up(desk: Harbour) -> None:
    """It ended each time when the document was made, but not yet served."""
    replacing = desk.jobs.add([desk.file("new.txt", "Code eight.", gate(desk))])
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(KeyboardInterrupt):
            cut_off(desk, "restored")

    assert desk.done(replacing) == [("new.txt", "updated", "")]
    assert is_as_its_file(desk) == "Code eight."

    adding = desk.jobs.add([desk.file("bread.txt", "Bread rises.")])
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(KeyboardInterrupt):
            cut_off(desk, "restored")

    assert desk.done(adding) == [("bread.txt", "added", "")]
    assert desk.files() == ["bread.txt", "gate.txt"]


def test_what_is_deleted_takes_along_what_was_to_replace_it(desk: Harbour) -> None:
    place, intake = gate(desk), UploadService(desk.settings)
    waiting = desk.jobs.add([desk.file("new.txt", "Code eight.", place)])
    with closing(SqliteSnapshot(desk.settings.data)) as snapshot:
        [known] = snapshot.files()

    assert intake.delete(known)
    late = intake.replace(known, [desk.file("gate.txt", "Code nine.")], [])
    intake.tag(known.document_id, ["sea"])

    assert desk.done(waiting) == []
    assert [(status, "was deleted" in detail) for _, status, detail in desk.done(late)] == [
        ("skipped", True)
    ]
    assert (desk.texts(), desk.files()) == ({}, [])
    with closing(SqliteSnapshot(desk.settings.data)) as snapshot:
        assert snapshot.tags() == {}
    with closing(sqlite3.connect(desk.settings.data / "index.db")) as db:
        assert db.execute("SELECT count(*) FROM tags").fetchone() == (0,)
    with pytest.raises(UnknownDocumentId, match="any more"):
        intake.delete(known)


def test_a_backup_has_the_files_that_its_index_is_made_of_whatever_is_replaced_meanwhile(
    desk: Harbour, tmp_path: Path
) -> None:
    desk.done(
        desk.jobs.add(
            [desk.file(f"{number}.txt", f"Buoy {number}. " * 20_000) for number in range(20)]
        )
    )
    places = [path for path in desk.uploads.folder.rglob("*.txt") if path.name != "gate.txt"]
    stopping = threading.Event()

    def replace_them() -> None:
        for number, place in enumerate(itertools.cycle(places)):
            if stopping.is_set():
                return
            desk.done(desk.jobs.add([desk.file(place.name, f"Buoy {number}. ", place)]))

    replacing = threading.Thread(target=replace_them)
    replacing.start()
    for number in range(4):
        back_up(desk.settings.data, tmp_path / f"{number}.zip")
    stopping.set()
    replacing.join(PATIENCE)

    for number in range(4):
        restore(tmp_path / f"{number}.zip", tmp_path / f"{number}")
        with closing(SqliteSnapshot(tmp_path / f"{number}")) as snapshot:
            files = snapshot.files()
        assert len(files) == 21
        assert [
            file.uri
            for file in files
            if hashlib.sha256(file.path.read_bytes()).hexdigest() != file.sha256
        ] == []
