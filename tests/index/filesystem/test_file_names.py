"""Names of files that differ in Unicode normalisation alone."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from index.filesystem.file_names import existing_path
from index.ingestion.ingest import ingest
from index.store.store import Store
from tests.support.fakes import FakeEncoder, RecordingReporter

TYPED = "Übersicht Kündigung.md"
ON_DISK = unicodedata.normalize("NFD", TYPED)


def test_a_path_is_found_in_the_form_of_the_disk(tmp_path: Path) -> None:
    folder = tmp_path / unicodedata.normalize("NFD", "Büro")
    folder.mkdir()
    (folder / ON_DISK).touch()

    assert existing_path(tmp_path / "Büro" / TYPED) == folder / ON_DISK
    assert existing_path(folder / ON_DISK) == folder / ON_DISK
    assert existing_path(tmp_path / "Büro" / "no.md") == folder / "no.md"


def test_both_forms_side_by_side_are_two_files(tmp_path: Path) -> None:
    for name in (TYPED, ON_DISK):
        (tmp_path / name).touch()

    for name in (TYPED, ON_DISK):
        assert existing_path(tmp_path / name).name == name


def test_documents_and_roots_are_named_in_either_form(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / ON_DISK).write_text("Notice is three months.")
    (folder / ".quotedignore").write_text(unicodedata.normalize("NFC", "Ältere.md"))
    (folder / unicodedata.normalize("NFD", "Ältere.md")).write_text("Left out.")
    with Store(tmp_path / "data") as store, store.writing():
        ingest([folder, folder / TYPED], store, FakeEncoder(), RecordingReporter())

        assert [file.uri for file in store.files_under(folder)] == [ON_DISK]
        assert store.find(TYPED).uri == store.find(str(folder / TYPED)).uri == ON_DISK
