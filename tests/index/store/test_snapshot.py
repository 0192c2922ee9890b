"""Reading one generation, with indexes that can always be derived again."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from index.errors import StoreCorrupt
from index.ingestion.ingest import ingest
from index.search.bm25 import analyse
from index.search.index_file import DERIVED
from index.search.segments import ARRAYS, MANIFEST, VECTORS
from index.store.snapshot import SqliteSnapshot, current_generation
from index.store.sqlite import BUSY_SECONDS
from index.store.store import Store
from tests.support.fakes import FakeEncoder, RecordingReporter

TEXTS = {
    "a.txt": "Amazon will invest in Anthropic.\r\n\r\nThe US Trade Office was closed on Monday.",
    "b.md": "---\ntitle: Memo\n---\n# Rain\n\nIt rained in London. Then it stopped.\n",
}


@pytest.fixture
def snapshot(store: Store, corpus: Path, data: Path) -> Iterator[SqliteSnapshot]:
    for name, text in TEXTS.items():
        (corpus / name).write_bytes(text.encode())
    ingest([corpus], store, FakeEncoder(), RecordingReporter())
    opened = SqliteSnapshot(data)
    opened.load()
    yield opened
    opened.close()


def test_every_row_is_a_chunk_of_its_document(snapshot: SqliteSnapshot) -> None:
    for info in snapshot.documents():
        document = snapshot.document(info.id)
        rows = snapshot.rows_of([info.id])
        assert (len(rows), len(document.text)) == (info.chunks, info.characters)
        for row in rows:
            chunk = snapshot.chunk(int(row))
            assert chunk.document_id == info.id
            assert document.text[chunk.start : chunk.end] == chunk.text
            assert all(chunk.start <= start < end <= chunk.end for start, end in chunk.sentences)


def test_rows_are_those_of_both_indexes(snapshot: SqliteSnapshot) -> None:
    for row in range(snapshot.size):
        text = snapshot.chunk(row).embedded_text
        [vector] = FakeEncoder().encode_queries([text])
        assert snapshot.dense.search(vector, 1)[0].tolist() == [row]
        assert int(snapshot.lexical.match_scores(analyse(text)).argmax()) == row


def test_documents_know_their_source(snapshot: SqliteSnapshot, corpus: Path) -> None:
    infos = {info.uri: info for info in snapshot.documents()}
    document = snapshot.document(infos["a.txt"].id)
    start, end = document.source.offsets(
        document.text, [document.text.index("The"), len(document.text)]
    )

    assert (corpus / "a.txt").read_bytes()[
        start:end
    ] == b"The US Trade Office was closed on Monday."
    assert (infos["b.md"].title, infos["b.md"].encoding, infos["b.md"].size) == (
        "Memo",
        "utf-8",
        len(TEXTS["b.md"]),
    )
    assert snapshot.chunk(int(snapshot.rows_of([infos["b.md"].id])[0])).headings == ("Memo", "Rain")


def test_unknown_documents_have_no_rows(snapshot: SqliteSnapshot) -> None:
    assert not snapshot.has_document("unknown")
    known = snapshot.document_ids
    assert snapshot.unknown_ids(["unknown", *known, "\ud800"]) == ["unknown", "\ud800"]
    assert snapshot.unknown_ids(known) == snapshot.unknown_ids([]) == []
    assert snapshot.rows_of(["unknown"]).tolist() == []


@pytest.mark.parametrize("damage", ["delete", "flip", "truncate", "none"])
def test_derived_files_come_back_when_they_are_damaged(
    snapshot: SqliteSnapshot, data: Path, damage: str
) -> None:
    [vector] = FakeEncoder().encode_queries(["Anthropic"])
    before = snapshot.dense.search(vector, 3), snapshot.lexical.get_scores(["rain"])
    files = [path for path in (data / DERIVED).rglob("*") if path.is_file()]
    originals = [file.read_bytes() for file in files]
    for file, content in zip(files, originals, strict=True):
        if damage == "delete":
            file.unlink()
        elif damage != "none":
            file.write_bytes(
                content[:-9]
                if damage == "truncate"
                else content[:-9] + bytes([content[-9] ^ 4]) + content[-8:]
            )

    again = SqliteSnapshot(data)
    again.load()

    np.testing.assert_equal(
        (again.dense.search(vector, 3), again.lexical.get_scores(["rain"])), before
    )
    assert [path.read_bytes() for path in files] == originals
    assert {path.name for path in files} == {MANIFEST, VECTORS, *(f"{a}.npy" for a in ARRAYS)}


def test_a_snapshot_opens_where_no_index_can_be_saved(snapshot: SqliteSnapshot, data: Path) -> None:
    shutil.rmtree(data / DERIVED)
    (data / DERIVED).write_text("a file where the folder should be")

    assert SqliteSnapshot(data).size == snapshot.size


def test_several_threads_may_read(snapshot: SqliteSnapshot) -> None:
    with ThreadPoolExecutor(8) as pool:
        chunks = list(pool.map(snapshot.chunk, [row % snapshot.size for row in range(200)]))

    assert {chunk.text for chunk in chunks} == {
        snapshot.chunk(row).text for row in range(snapshot.size)
    }


def test_a_paused_snapshot_resumes_only_its_own_generation(
    snapshot: SqliteSnapshot, store: Store
) -> None:
    snapshot.pause()
    snapshot.pause()
    assert snapshot.resume()
    assert snapshot.resume()
    assert snapshot.chunk(0).text

    snapshot.pause()
    store.remove([snapshot.document_id(0)])

    assert not snapshot.resume()


def test_removing_does_not_wait_for_a_paused_snapshot(
    snapshot: SqliteSnapshot, store: Store, data: Path
) -> None:
    snapshot.pause()
    started = time.perf_counter()

    store.delete_all()

    assert time.perf_counter() - started < BUSY_SECONDS / 2
    assert not any(b"Anthropic" in path.read_bytes() for path in data.iterdir() if path.is_file())


def test_an_empty_store_is_an_empty_snapshot(store: Store, data: Path) -> None:  # noqa: ARG001 - the fixture creates the store
    snapshot = SqliteSnapshot(data)

    assert (snapshot.generation, snapshot.size, snapshot.documents(), snapshot.dense.size) == (
        0,
        0,
        [],
        0,
    )
    assert snapshot.lexical.get_scores(["rain"]).tolist() == []


def test_there_is_no_generation_without_a_store(data: Path) -> None:
    assert current_generation(data) is None
    assert not data.exists()


def test_a_file_that_is_not_a_store_is_corrupt(data: Path) -> None:
    data.mkdir()
    (data / "index.db").write_bytes(b"not a database, but long enough to look like one" * 100)

    with pytest.raises(StoreCorrupt):
        current_generation(data)
