"""The store: atomic changes, generations, and complete deletion."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from index.errors import ModelMismatch, StoreBusy, StoreCorrupt, UnknownDocument
from index.ingestion.ingest import RECIPE
from index.store.derivation import derive
from index.store.document_versions import Neighbourhood, relate
from index.store.schema import FILE_NAME
from index.store.snapshot import SqliteSnapshot, current_generation
from index.store.store import IndexedChunk, Store
from index.text.chunking import chunk_document
from tests.support.fakes import FakeEncoder, plain_document
from tests.support.stored import put

QUOTED = "The passphrase xylophonist unlocks it."


def _count(data: Path, table: str) -> int:
    connection = sqlite3.connect(data / FILE_NAME)
    [count] = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - fixed names
    connection.close()
    return int(count)


def _holds(data: Path, needle: str) -> list[str]:
    """Return the files that hold a string, ignoring case."""
    return [
        path.name
        for path in data.rglob("*")
        if path.is_file() and needle.lower().encode() in path.read_bytes().lower()
    ]


@pytest.fixture
def snapshot(store: Store, data: Path) -> Iterator[SqliteSnapshot]:
    """Return the snapshot of a store with two documents."""
    for name in ("a.txt", "b.txt"):
        put(
            store,
            f"Text of {name} about stocks.\n\nAnother paragraph of the same file says more.",
            name,
        )
    opened = SqliteSnapshot(data)
    yield opened
    opened.close()


def test_each_change_raises_the_generation_by_one(store: Store, data: Path) -> None:
    seen = [current_generation(data)]
    document_id = put(store, "Text.")
    seen.append(current_generation(data))
    store.set_state(document_id, "changed")
    seen.append(current_generation(data))
    store.remove([document_id])
    seen.append(current_generation(data))

    assert seen == [0, 1, 2, 3]


def test_putting_again_replaces_the_chunks_and_drops_unused_vectors(
    store: Store, data: Path
) -> None:
    put(store, "Old text.\n\nA paragraph that stays the same here, word for word.")
    put(store, "A paragraph that stays the same here, word for word.")

    assert [_count(data, table) for table in ("documents", "chunks", "terms", "vectors")] == [
        1,
        1,
        1,
        1,
    ]


def test_a_vector_that_another_document_needs_is_kept(store: Store, data: Path) -> None:
    document_id = put(store, "The same text in both files.", "a.txt")
    put(store, "The same text in both files.", "b.txt")
    store.remove([document_id])

    assert [_count(data, table) for table in ("documents", "vectors")] == [1, 1]


def test_an_error_while_putting_leaves_the_old_version(store: Store, data: Path) -> None:
    put(store, "The old version of this text.")
    document = plain_document("A new version.")
    chunk = chunk_document(document, FakeEncoder())[0]

    with pytest.raises(StoreCorrupt):  # the vector that the chunk refers to is missing
        store.put(
            document, Path("/corpus/a.txt"), [IndexedChunk(chunk, ["new"], b"unknown")], {}, RECIPE
        )
    with pytest.raises(ValueError, match="surrogates"):
        store.put(
            document,
            Path("/corpus/a.txt"),
            [IndexedChunk(chunk, ["\ud800"], b"key")],
            {b"key": FakeEncoder().encode_queries(["x"])[0]},
            RECIPE,
        )

    assert current_generation(data) == 1
    with_old = SqliteSnapshot(data)
    assert with_old.document(document.id).text == "The old version of this text."
    assert with_old.chunk(0).text == "The old version of this text."


def test_a_snapshot_keeps_its_generation_while_another_connection_writes(
    snapshot: SqliteSnapshot, store: Store, data: Path
) -> None:
    before = [snapshot.chunk(row).text for row in range(snapshot.size)]
    put(store, "Something else altogether.", "a.txt")
    put(store, "A third file.", "c.txt")

    assert [snapshot.chunk(row).text for row in range(snapshot.size)] == before
    assert snapshot.generation == 2
    assert (current_generation(data), len(SqliteSnapshot(data).documents())) == (4, 3)


def test_documents_are_found_by_id_uri_and_path(store: Store) -> None:
    document_id = put(store, "Text.", "sub/a.txt")

    assert {
        store.find(name).document_id for name in (document_id, "sub/a.txt", "/corpus/sub/a.txt")
    } == {document_id}
    with pytest.raises(UnknownDocument, match="qa list"):
        store.find("b.txt")


def test_files_under_a_root_are_those_below_it_and_not_beside_it(store: Store) -> None:
    for name in ("a.txt", "sub/b.txt", "sub2/c.txt", "sub%/d.txt"):
        put(store, "Text.", name)

    assert [file.uri for file in store.files_under(Path("/corpus/sub"))] == ["sub/b.txt"]
    assert [file.uri for file in store.files_under(Path("/corpus/a.txt"))] == ["a.txt"]
    assert len(store.files_under(Path("/"))) == 4


def test_another_model_is_refused_with_the_way_out(store: Store) -> None:
    store.claim_model("one", "f1")
    store.claim_model("the same under another name", "f1")

    with pytest.raises(ModelMismatch, match=r"QUOTED_MODEL=one.*qa forget --all"):
        store.claim_model("two", "f2")


def test_after_deleting_everything_any_model_is_accepted(store: Store, data: Path) -> None:
    store.claim_model("one", "f1")
    put(store, "Text.")

    assert store.delete_all() == 1
    store.claim_model("two", "f2")
    assert [_count(data, table) for table in ("documents", "chunks", "terms", "vectors")] == [
        0,
        0,
        0,
        0,
    ]


@pytest.mark.parametrize("neighbours", [0, 1, 40])
@pytest.mark.parametrize("everything", [False, True])
def test_nothing_is_left_of_a_removed_document(
    store: Store,
    data: Path,
    neighbours: int,
    everything: bool,  # noqa: FBT001
) -> None:
    for number in range(neighbours):
        put(store, f"Neighbour {number}. " * (number + 1), f"{number}.txt")
    document_id = put(store, QUOTED + " It is long. " * 500 + QUOTED, "secret.txt")
    for number in range(neighbours):
        put(store, f"Changed neighbour {number}. " * (60 - number), f"{number}.txt")
    derive(data)
    assert _holds(data, "xylophonist")

    if everything:
        store.delete_all()
    else:
        store.remove([document_id])

    assert _holds(data, "xylophonist") == _holds(data, "secret.txt") == []
    assert _count(data, "documents") == (0 if everything else neighbours)


def test_nothing_is_left_of_the_old_version_of_a_changed_document(data: Path) -> None:
    with Store(data) as store:
        put(store, QUOTED)
        derive(data)
        put(store, "Nothing to see here any more.")
        derive(data)

    assert _holds(data, "xylophonist") == []


def test_versions_are_looked_for_only_after_a_change(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[object] = []

    def found(db: sqlite3.Connection) -> Neighbourhood:
        looked.append(db)
        return relate(db)

    monkeypatch.setattr("index.store.store.relate", found)
    ids = [
        put(store, f"The price list, version {number}.", f"list v{number}.txt") for number in (1, 2)
    ]
    for changes, times in ((False, 1), (False, 1), (True, 2), (False, 2)):
        if changes:
            put(store, "The price list, version 3.", "list v3.txt")
        store.relate_versions()
        assert len(looked) == times
    monkeypatch.setattr("index.store.document_versions.RULES", 99)
    store.relate_versions()
    assert len(looked) == 3
    store.remove(ids[:1])
    store.relate_versions()
    assert len(looked) == 4  # the removal itself looked


def test_waiting_for_another_writer_is_reported_once(
    store: Store, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.store.store.LOCK_SECONDS", 0.2)
    said: list[str] = []

    with (
        Store(data) as other,
        other.writing(),
        pytest.raises(StoreBusy, match="try again later"),
        store.writing(lambda: said.append("waiting")),
    ):
        pass

    assert said == ["waiting"]
    with store.writing(lambda: said.append("again")):
        assert said == ["waiting"]


def test_damage_in_the_middle_of_the_file_is_called_corrupt(data: Path) -> None:
    with Store(data) as store:
        for number in range(60):
            put(store, f"Text number {number}. " * 40, f"{number}.txt")
    path = data / FILE_NAME
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))

    with pytest.raises(StoreCorrupt):
        SqliteSnapshot(data).documents()
    with (
        pytest.raises(StoreCorrupt, match="move the file away"),
        Store(data) as damaged,
        damaged.writing(),
    ):
        damaged.file("x")


INDEXER = """
import sys
from pathlib import Path
from index.ingestion.ingest import ingest
from index.store.derivation import derive
from index.store.store import Store
from tests.support.fakes import FakeEncoder, RecordingReporter
with Store(Path(sys.argv[1])) as store, store.writing():
    ingest([Path(sys.argv[2])], store, FakeEncoder(), RecordingReporter())
    derive(Path(sys.argv[1]))
"""


def test_two_processes_may_index_at_once(data: Path, corpus: Path) -> None:
    for side in ("left", "right"):
        (corpus / side).mkdir()
        for number in range(30):
            (corpus / side / f"{number}.txt").write_text(
                f"Document {number} on the {side}. " * (number + 1)
            )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    commands = [
        [sys.executable, "-c", INDEXER, str(data), str(corpus / side)] for side in ("left", "right")
    ]
    running = [subprocess.Popen(command, env=environment) for command in commands]

    assert [process.wait(60) for process in running] == [0, 0]

    [verdict] = sqlite3.connect(data / FILE_NAME).execute("PRAGMA integrity_check").fetchone()
    snapshot = SqliteSnapshot(data)
    assert (verdict, len(snapshot.documents()), snapshot.generation) == ("ok", 60, 60)
    assert snapshot.dense.size == snapshot.lexical.corpus_size == snapshot.size > 0


def test_a_reader_elsewhere_keeps_no_derived_file(store: Store, data: Path) -> None:
    (data / "derived").mkdir()
    (data / "derived" / "lexical.npz").write_bytes(b"terms")
    reader = sqlite3.connect(data / "index.db")
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM meta").fetchall()
    store._db.execute("PRAGMA busy_timeout = 10")

    with pytest.raises(StoreBusy, match="another process"):
        store.delete_all()

    assert not (data / "derived").exists()
    reader.close()
