"""Vectors in half precision, and stores that held them in single precision."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from index.store import store as store_module
from index.store.schema import FILE_NAME, MIGRATIONS, connect
from index.store.snapshot import SqliteSnapshot
from index.store.store import Store
from index.store.stored_vectors import MIGRATION, halved, packed, unpacked
from tests.support.fakes import FakeEncoder
from tests.support.older import SINGLE_VECTORS, with_single
from tests.support.stored import put

TEXT = "The tide turns at six."


def _unit_rows(count: int) -> np.ndarray:
    rows = np.random.default_rng(0).standard_normal((count, 384)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_rounding_hardly_changes_a_cosine() -> None:
    rows = _unit_rows(200)

    stored = unpacked([packed(row) for row in rows])

    assert stored.dtype == np.float32
    assert np.abs(stored @ rows.T - rows @ rows.T).max() < 1e-4
    assert np.abs(np.linalg.norm(stored, axis=1) - 1).max() < 1e-3
    assert [packed(row) for row in stored] == [packed(row) for row in rows]


def test_vectors_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="lengths"):
        unpacked([b"1234", b"12"])


def test_an_older_store_is_packed_and_answers_as_before(data: Path) -> None:
    with Store(data) as store:
        for number in range(40):
            put(store, f"{TEXT} It is number {number}.", f"{number}.txt")
    [query] = FakeEncoder().encode_queries([TEXT])
    with closing(SqliteSnapshot(data, save_derived=False)) as snapshot:
        expected = snapshot.dense.search(query, 9)
    with closing(sqlite3.connect(data / FILE_NAME)) as db:
        with_single(db)
        for statement in (*SINGLE_VECTORS, f"PRAGMA user_version = {MIGRATIONS.index(MIGRATION)}"):
            db.execute(statement)
        db.commit()

    with closing(connect(data)) as db:
        [size] = db.execute("SELECT max(length(vector)) FROM vectors").fetchone()
        assert (size, db.execute("PRAGMA foreign_key_check").fetchall()) == (64, [])
        assert db.execute("PRAGMA foreign_keys").fetchone() == (1,)

    with closing(SqliteSnapshot(data)) as snapshot:
        np.testing.assert_array_equal(snapshot.dense.search(query, 9), expected)
    with Store(data) as store:  # the passages still refer to their vectors
        put(store, "Another text.", "0.txt")
        with closing(connect(data)) as db:
            assert db.execute("SELECT count(*) FROM vectors").fetchone() == (40,)


def test_damaged_bytes_stay_as_they_are() -> None:
    assert halved(b"12345") == b"12345"


def test_empty_pages_are_given_back(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "LEAST_PAGES", 10)
    with Store(data) as store:
        put(store, "Long text. " * 20_000, "long.txt")
        put(store, TEXT, "short.txt")
        store.give_back_space()
        before = store._db.execute("PRAGMA page_count").fetchone()
        put(store, TEXT, "long.txt")
        store.give_back_space()
        assert store._db.execute("PRAGMA page_count").fetchone() < before
        assert store._db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
