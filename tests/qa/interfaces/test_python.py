"""`from qa import Library`: from a folder to a cited answer, with the real models."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import index
import qa
from index.errors import UnknownDocument
from qa import Library
from qa.errors import NoIndex, UnknownDocumentId, UnknownTag
from qa.settings import Settings

RULES = "The gate opens at seven.\n\nThe harbour master is Ada Brook.\n"


@pytest.fixture
def settings(tmp_path: Path, converted: Path) -> Settings:
    return Settings(tmp_path / "data", converted)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "rules"
    made.mkdir()
    (made / "harbour.txt").write_text(RULES)
    (made / "kitchen.md").write_text("# Kitchen\n\nThe kettle is red.\n")
    return made


def test_public_names_are_pinned() -> None:
    assert qa.__all__ == [
        "Answer",
        "AnswerSpan",
        "Citation",
        "Library",
        "QAError",
        "Refusal",
        "Settings",
        "__version__",
    ]
    assert index.__all__ == ["Chunk", "Document", "IndexingError", "Snapshot", "Store", "ingest"]
    for package in (qa, index):
        assert set(package.__all__) <= set(dir(package))
        assert all(getattr(package, name) for name in package.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        qa.nothing  # noqa: B018


def test_importing_the_packages_imports_nothing_else() -> None:
    script = (
        "import qa, index, sys; print([m for m in sys.modules if m.startswith(('qa.', 'index.'))])"
    )

    printed = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout

    assert printed.strip() == "[]"


def test_a_folder_is_indexed_and_answers(folder: Path, settings: Settings) -> None:
    with Library.of_folder(folder, settings=settings) as library:
        answer = library.ask("Who is the harbour master?")

        span = answer.spans[0]
        assert span.text == "Ada Brook"
        assert (
            library.text(span.citation.document_id)[span.citation.start : span.citation.end]
            == "Ada Brook"
        )
        assert [each.uri for each in library] == ["harbour.txt", "kitchen.md"]
        assert len(library) == 2
        assert library.search("kettle", top_k=1)[0].uri == "kitchen.md"
        assert not settings.data.joinpath("index.db").exists()
    assert sorted(path.name for path in folder.iterdir()) == ["harbour.txt", "kitchen.md"]


def test_a_folder_is_brought_up_to_date_when_it_is_opened_again(
    folder: Path, settings: Settings
) -> None:
    with Library.of_folder(folder, settings=settings):
        pass
    (folder / "kitchen.md").unlink()
    (folder / "yard.txt").write_text("The yard is closed.")

    with Library.of_folder(folder, settings=settings) as library:
        assert [each.uri for each in library] == ["harbour.txt", "yard.txt"]


def test_two_folders_of_one_name_stay_apart(tmp_path: Path, settings: Settings) -> None:
    for place in ("a", "b"):
        (tmp_path / place / "notes").mkdir(parents=True)
        (tmp_path / place / "notes" / f"{place}.txt").write_text(f"This is {place}.")

    for place in ("a", "b"):
        with Library.of_folder(tmp_path / place / "notes", settings=settings) as library:
            assert [each.uri for each in library] == [f"{place}.txt"]


def test_a_data_directory_is_indexed_asked_and_emptied(folder: Path, settings: Settings) -> None:
    seen: list[str] = []
    with Library(settings=settings) as library:
        summary = library.index(
            folder / "harbour.txt", tags=["harbour"], on_file=lambda each: seen.append(each.uri)
        )
        library.index(folder)

        assert (summary.count("added"), seen) == (1, ["harbour.txt"])
        assert [each.uri for each in library.documents(["harbour"])] == ["harbour.txt"]
        assert not library.ask("What colour is the kettle?", tags=["harbour"]).spans
        assert library.ask("What colour is the kettle?").spans[0].text == "red"
        with pytest.raises(UnknownTag):
            library.ask("What colour is the kettle?", tags=["roof"])

        assert library.remove("kitchen.md").path == folder / "kitchen.md"
        assert [each.uri for each in library] == ["harbour.txt"]
        with pytest.raises(UnknownDocument):
            library.remove("kitchen.md")
        assert library.clear() == 1
        assert list(library) == []
    assert (folder / "kitchen.md").exists()


def test_what_is_not_there_is_a_clear_error(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(NotADirectoryError, match="expected a folder of documents"):
        Library.of_folder(tmp_path / "nowhere", settings=settings)
    library = Library(settings=settings)
    assert (len(library), library.clear()) == (0, 0)
    with pytest.raises(NoIndex):
        library.text("0" * 16)
    library.index(_file(tmp_path))
    with pytest.raises(UnknownDocumentId):
        library.text("0" * 16)
    library.close()
    with pytest.raises(ValueError, match="this library is closed"):
        library.ask("Who?")


def test_settings_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setenv("QUOTED_DATA", str(tmp_path / "there"))

    assert Library().settings.data == tmp_path / "there"
    assert Library(tmp_path / "here").settings.data == tmp_path / "here"
    assert Library(settings=replace(settings, top_k=3)).settings.top_k == 3
    assert repr(Library(tmp_path)) == f"Library({str(tmp_path)!r})"


def _file(folder: Path) -> Path:
    path = folder / "note.txt"
    path.write_text("The roof leaks.")
    return path
