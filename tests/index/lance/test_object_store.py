"""The same store in an object store: moto's server is the double of S3."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.backend import backend_at
from tests.index.lance.test_contract import FILES, TAGS, write
from tests.index.lance.test_transaction import passages, uris, writer
from tests.support.stores import embedded_store, facts_of, index_folder

pytest.importorskip("lancedb")


@pytest.mark.slow
def test_a_bucket_holds_what_a_folder_does(bucket: str, tmp_path: Path) -> None:
    corpus = write(tmp_path / "corpus", FILES)
    shared, embedded = backend_at(bucket, tmp_path / "here"), embedded_store(tmp_path)
    for backend in (shared, embedded):
        index_folder(backend, corpus, TAGS)
        (corpus / "tides-v1.txt").write_text("The harbour is dry.\n")
        index_folder(backend, corpus)
        write(corpus, FILES)
        index_folder(backend, corpus)
        assert backend.derive()

    ours, theirs = facts_of(shared), facts_of(embedded)
    for name in ours.keys() - {"words"}:
        assert ours[name] == theirs[name], name
    assert not (tmp_path / "here").exists()


@pytest.mark.slow
def test_writers_at_once_lose_and_double_nothing_in_a_bucket(bucket: str, tmp_path: Path) -> None:
    from index.lance.store import LanceStore

    processes = [writer(bucket, name, 5) for name in ("one", "two")]
    reported = [process.communicate()[0].split() for process in processes]

    assert [len(each) for each in reported] == [5, 5]
    store = LanceStore(bucket, tmp_path / "data")
    assert sorted(uris(store)) == [f"{each}-{n}.txt" for each in ("one", "two") for n in range(5)]
    assert len(set(passages(store))) == 10
