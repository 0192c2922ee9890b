"""Tests with damaged files.

Files that can be built again are. For all others a message says what to do, without a traceback.
"""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from index.errors import IndexingError, StoreCorrupt
from index.filesystem import checksums
from index.models.conversion import damaged_graphs, ensure_converted
from index.search.index_file import DERIVED
from index.store.schema import FILE_NAME
from index.store.snapshot import SqliteSnapshot
from qa import doctor
from qa.bootstrap import load_pipeline
from qa.errors import QAError
from qa.library.index_follower import document_status
from qa.settings import Settings
from qa.state.database import FILE_NAME as STATE
from qa.state.database import State
from tests.qa.interfaces.api.test_ask import problem
from tests.qa.interfaces.api.test_uploads import HARBOUR, QUESTION, ask
from tests.support.fakes import SharedWordsReader
from tests.support.serving import Command, Server, carded, indexed, settings_in, write_files

FILES = {
    f"{number}.md": f"# Gate {number}\n\nGate {number} opens with code {number * 7}.\n"
    for number in range(8)
}


@pytest.fixture
def desk(tmp_path: Path) -> Settings:
    """Return the settings of an index without a write-ahead log."""
    settings = settings_in(tmp_path, min_confidence=0.0)
    indexed(settings, carded(), tmp_path / "corpus", FILES)
    with closing(sqlite3.connect(settings.data / FILE_NAME)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return settings


def answered(settings: Settings) -> str:
    """Return the JSON of an answer, with all numbers but the times."""
    pipeline = load_pipeline(settings, carded(), SharedWordsReader())
    with closing(pipeline.snapshot):
        return json.dumps(pipeline.ask("Which code opens gate 3?").to_dict() | {"timings_ms": None})


def flip(path: Path, at: int) -> None:
    """Change one bit."""
    data = bytearray(path.read_bytes())
    data[at] ^= 1 << at % 8
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["dense.faiss", "rows.npy", "manifest.json"])
def test_a_damaged_derived_file_changes_no_answer(desk: Settings, name: str) -> None:
    expected = answered(desk)
    [path] = (desk.data / DERIVED).glob(f"*/{name}")
    whole = path.read_bytes()
    for at in range(0, len(whole), max(len(whole) // 25, 1)):
        for damage in (lambda at=at: flip(path, at), lambda at=at: path.write_bytes(whole[:at])):
            path.write_bytes(whole)
            damage()
            [finding] = doctor._index(desk).findings
            assert name in finding.problem
            assert answered(desk) == expected
            assert path.read_bytes() == whole  # made anew


def damages(whole: bytes, chance: random.Random) -> bytes:
    """Flip some bits, or cut off the end."""
    if chance.random() < 0.25:
        return whole[: chance.randrange(len(whole))]
    data = bytearray(whole)
    for _ in range(chance.choice([1, 3, 30])):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_damaged_in_a_store_is_an_error_of_ours(
    desk: Settings, tmp_path: Path, seed: int
) -> None:
    whole, chance = (desk.data / FILE_NAME).read_bytes(), random.Random(seed)
    works: list[Callable[[], object]] = [
        lambda: answered(desk),
        lambda: doctor._index(desk),
        lambda: document_status(desk),
        lambda: indexed(desk, carded(), tmp_path / "corpus", {}),
    ]
    for _ in range(15):
        shutil.rmtree(desk.data)
        desk.data.mkdir()
        (desk.data / FILE_NAME).write_bytes(damages(whole, chance))
        for work in works:
            with suppress(IndexingError, QAError):
                work()


def test_values_that_were_never_written_are_called_damage(desk: Settings) -> None:
    for statement in (
        "UPDATE documents SET encoding = 'utf-9'",
        "UPDATE chunks SET headings = '['",
        "DELETE FROM vectors",
    ):
        with closing(sqlite3.connect(desk.data / FILE_NAME)) as db:
            db.execute(statement)
            db.commit()
        with pytest.raises(StoreCorrupt, match="qa restore FILE --yes"):
            read(desk)


def test_a_text_that_is_not_what_was_read_is_never_quoted(desk: Settings) -> None:
    assert "code 21" in answered(desk)
    with closing(sqlite3.connect(desk.data / FILE_NAME)) as db:
        db.execute("UPDATE text_blocks SET text = replace(text, 'code 21', 'code 27')")
        db.commit()

    with pytest.raises(StoreCorrupt, match=r"3\.md is stored .* other words .*qa doctor --repair"):
        answered(desk)


def read(settings: Settings) -> None:
    """Read all documents and passages."""
    with closing(SqliteSnapshot(settings.data)) as snapshot:
        for each in snapshot.document_ids:
            snapshot.document(each)
        for row in range(snapshot.size):
            snapshot.chunk(row)


def _convert(folder: Path) -> None:
    (folder / "card.json").write_text("{}")
    (folder / "model.bin").write_bytes(b"weights" * 100)


@pytest.mark.parametrize(
    "damage", [lambda path: flip(path, 5), lambda path: path.write_bytes(b""), Path.unlink]
)
@pytest.mark.parametrize("name", ["card.json", "model.bin", checksums.FILE_NAME])
def test_a_damaged_conversion_is_made_anew(
    tmp_path: Path, name: str, damage: Callable[[Path], object]
) -> None:
    place = ensure_converted(tmp_path, "f" * 64, "1", "card.json", _convert)
    assert (
        ensure_converted(tmp_path, "f" * 64, "1", "card.json", lambda _: pytest.fail("it is there"))
        == place
    )
    if (place / name).stat().st_size <= 5:
        (place / name).write_bytes(b"{ }")
    else:
        damage(place / name)
    if name != checksums.FILE_NAME:
        assert damaged_graphs(tmp_path) == {place: [name]}

    assert ensure_converted(tmp_path, "f" * 64, "1", "card.json", _convert) == place
    assert (place / "model.bin").read_bytes() == b"weights" * 100
    assert (place / "card.json").read_text() == "{}"
    assert damaged_graphs(tmp_path) == {}
    assert [path.name for path in (tmp_path / "graphs").iterdir()] == [place.name]


def test_a_conversion_under_way_is_no_damage(tmp_path: Path) -> None:
    def convert(folder: Path) -> None:
        _convert(folder)
        checksums.write_checksums(folder, ["card.json"])
        (folder / "card.json").write_text("{1}")
        assert damaged_graphs(tmp_path) == {}

    ensure_converted(tmp_path, "f" * 64, "1", "card.json", convert)


def test_a_copied_folder_is_read_once_and_believed_then(tmp_path: Path) -> None:
    place = ensure_converted(tmp_path / "a", "f" * 64, "1", "card.json", _convert)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    copy = tmp_path / "b" / place.relative_to(tmp_path / "a")
    before = checksums.read_checksums(copy)

    assert checksums.damaged_files(copy) == []
    assert checksums.read_checksums(copy) != before
    assert {name: digest for name, (digest, _) in before.items()} == {
        name: digest for name, (digest, _) in checksums.read_checksums(copy).items()
    }


@pytest.mark.slow
def test_damaged_models_are_named_and_made_anew(
    command: Command, corpus: Path, tmp_path: Path
) -> None:
    # Other tests may be compiling in the shared cache, so that no blobs are copied from there.
    shutil.copytree(
        command.cache, tmp_path / "models", ignore=shutil.ignore_patterns("compiled", ".*")
    )
    sure = Command(command.data, tmp_path / "models", {"QUOTED_MIN_CONFIDENCE": "0"})
    write_files(corpus, {"gate.txt": HARBOUR})
    assert sure("index", str(corpus)).returncode == 0
    expected = json.loads(sure("ask", QUESTION, "--json").stdout)
    assert sure("doctor").returncode == 0
    [blob, *_] = sorted((tmp_path / "models" / "graphs").rglob("*.blob"))
    # Other tests may have made further readers in the shared cache.
    readers = sorted((tmp_path / "models" / "graphs").glob("*-reader-*"))
    assert readers
    parts = [reader / name for reader in readers for name in ("model.bin", "tokenizer.json")]
    for path in (blob, *parts):
        flip(path, path.stat().st_size // 2)

    found = sure("doctor")
    assert found.returncode == 1
    assert all(
        f"{name} " in found.stdout or f"{name}," in found.stdout
        for name in (blob.name, "model.bin", "tokenizer.json")
    )
    answer = json.loads(sure("ask", QUESTION, "--json").stdout)
    assert [answer[name] for name in ("answer", "confidence")] == [
        expected[name] for name in ("answer", "confidence")
    ]

    for reader in readers:
        flip(reader / "reader.json", 40)
    assert sure("doctor", "--repair").returncode == 0
    assert (
        json.loads(sure("ask", QUESTION, "--json").stdout)["confidence"] == expected["confidence"]
    )


@pytest.mark.slow
def test_damaged_databases_over_the_command_and_http(command: Command, corpus: Path) -> None:
    sure = command.on(command.data, QUOTED_MIN_CONFIDENCE="0")
    write_files(corpus, {"gate.txt": HARBOUR})
    assert sure("index", str(corpus)).returncode == 0
    State(sure.data).close()
    (sure.data / STATE).write_bytes(b"no database " * 1000)
    assert "seven" in sure("ask", QUESTION).stdout
    with Server(sure) as server:
        server.ready()
        assert ask(server)["answer"] == "seven"
        problem(server.client.post("/conversations"), 500)
        assert "Traceback" not in server.log
    (sure.data / FILE_NAME).write_bytes((sure.data / FILE_NAME).read_bytes()[:5000])
    for arguments in (
        ["ask", QUESTION],
        ["index", str(corpus)],
        ["list"],
        ["remove", "gate.txt"],
        ["chat"],
        ["doctor"],
    ):
        done = sure(*arguments, stdin=b"Why?\n")
        assert (done.returncode, "Traceback" in done.stderr) == (1, False), (arguments, done.stderr)
        assert "qa restore" in done.stdout + done.stderr or STATE in done.stderr
