"""Derived files that follow the store: base, delta, removals and compaction."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.search import index_cache, segments, vocabulary_file
from index.search.bm25 import analyse
from index.search.index_cache import Indexes, SegmentCache
from index.search.index_file import DERIVED, read_index_file
from index.search.segments import read_manifest
from index.search.vocabulary import Vocabulary
from index.search.vocabulary_file import NAME as VOCABULARY
from index.search.vocabulary_file import VocabularyFile
from index.store.derivation import derive
from index.store.schema import FILE_NAME, connect
from index.store.snapshot import SqliteSnapshot, current_generation
from index.store.store import Store
from qa.answering.retrieval.retriever import HybridRetriever
from tests.support.fakes import FakeEncoder
from tests.support.stored import put

WORDS = "tide harbour lantern pier gate keeper fog rope mast".split()  # noqa: SIM905 - shorter
NAMES = st.sampled_from(["a.txt", "b.txt", "c.txt", "d.txt", "e.txt"])
PARAGRAPH = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join)
TEXTS = st.lists(PARAGRAPH, min_size=0, max_size=5).map("\n\n".join)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), NAMES, TEXTS),
        st.tuples(st.just("remove"), NAMES, st.just("")),
        st.tuples(st.sampled_from(["derive", "open"]), st.just(""), st.just("")),
    ),
    min_size=1,
    max_size=14,
)


@pytest.fixture(autouse=True, scope="module")
def _changing() -> Iterator[None]:
    """Let the base be written anew after changes of a third of it, however small it is.

    From five passages on it has codes of its vectors.
    """
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(index_cache, "SMALL", 0)
        changed.setattr(index_cache, "SHARE", 0.34)
        changed.setattr(segments, "CODED_FROM", 5)
        yield


@pytest.fixture
def store(data: Path) -> Iterator[Store]:
    with Store(data) as opened:
        yield opened


def rebuilt(snapshot: SqliteSnapshot) -> Indexes:
    """Return the indexes of a snapshot's generation, built of the whole store."""
    with tempfile.TemporaryDirectory() as nowhere:
        whole = replace(
            snapshot._cache, folder=Path(nowhere), may_save=lambda: False, cache=SegmentCache()
        )
        return whole.indexes()


def check_equals_rebuilt(snapshot: SqliteSnapshot) -> None:
    """Compare ids and scores with those of indexes that are built anew, to the last bit."""
    ours, whole = snapshot.indexes, rebuilt(snapshot)
    np.testing.assert_array_equal(ours.ids_of(ours.rows), whole.ids_of(whole.rows))
    for query in ("tide", "harbour gate fog", "rope rope mast unknown"):
        terms, [vector] = analyse(query), FakeEncoder().encode_queries([query])
        np.testing.assert_array_equal(
            ours.lexical.match_scores(terms)[ours.rows], whole.lexical.match_scores(terms)
        )
        for k in (1, 3, 100):
            (our_rows, our_scores), (rows, scores) = (
                each.dense.search(vector, k) for each in (ours, whole)
            )
            np.testing.assert_array_equal(ours.ids_of(our_rows), whole.ids_of(rows))
            np.testing.assert_allclose(our_scores, scores, rtol=1e-6)
        assert hits(snapshot, ours, query) == hits(snapshot, whole, query)


def hits(
    snapshot: SqliteSnapshot, indexes: Indexes, query: str
) -> list[tuple[int, float, int | None]]:
    """Return chunk, rounded score and rank of each hit of a query in some indexes."""
    loaded, snapshot._loaded = snapshot._loaded, indexes
    found = HybridRetriever(snapshot, FakeEncoder()).hits(query)
    snapshot._loaded = loaded
    ids = indexes.ids_of(np.array([hit.row for hit in found], dtype=np.int64)).tolist()
    return [
        (chunk, round(hit.score, 5), hit.bm25_rank) for chunk, hit in zip(ids, found, strict=True)
    ]


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_whatever_changes_the_indexes_are_those_of_a_rebuild(
    steps: list[tuple[str, str, str]],
) -> None:
    server, seldom = SegmentCache(), SegmentCache()
    with tempfile.TemporaryDirectory() as name, Store(Path(name)) as store:
        for step, document, text in steps:
            if step == "put":
                put(store, text, document)
            elif step == "remove":
                known = [file.document_id for file in store.files_under(Path("/corpus", document))]
                store.remove(known)
            elif step == "derive":
                derive(store.folder)
            caches = [server, SegmentCache()] + ([seldom] if step == "open" else [])
            for cache in caches:
                reader = SqliteSnapshot(store.folder, save_derived=cache is seldom, segments=cache)
                with closing(reader):
                    check_equals_rebuilt(reader)


def test_a_reader_that_stays_open_adds_each_change_to_a_few_segments(
    store: Store, data: Path
) -> None:
    put(store, "The keeper of the pier.", "first.txt")
    derive(data)
    cache = SegmentCache()
    sizes = []
    long = "\n\n".join(f"Rope {number} of the harbour mast. " * 8 for number in range(9))
    for number, text in enumerate([long, "Fog.", "Tide.", "Gate.", "Fog of the tide.", long]):
        put(store, text, f"{number}.txt")
        with closing(SqliteSnapshot(data, segments=cache)) as reader:
            sizes.append([segment.size for segment in reader.indexes.segments])
            check_equals_rebuilt(reader)

    assert sizes[0][0] == 1
    large = sizes[0][1]
    assert sizes[1:5] == [[1, large, *small] for small in ([1], [2], [3], [3, 1])]
    assert len(sizes[5]) == 2


def bases(data: Path) -> list[tuple[int, int]]:
    """Return generation and size of the bases on the disk."""
    manifests = [read_manifest(path) for path in (data / DERIVED).glob("base-*")]
    return [(manifest.generation, manifest.size) for manifest in manifests if manifest]


def test_a_small_change_leaves_the_base_as_it_is(store: Store, data: Path) -> None:
    for number in range(9):
        put(store, f"Text {number} about the tide.", f"{number}.txt")
    assert derive(data)
    [before] = bases(data)

    put(store, "Another text about the tide.", "3.txt")
    assert derive(data)

    assert [before] == bases(data) == [(9, 9)]
    with closing(SqliteSnapshot(data)) as reader:
        assert (reader.size, reader.rows.tolist()) == (9, [0, 1, 2, 4, 5, 6, 7, 8, 9])
        assert reader.chunk(9).text == "Another text about the tide."
        assert reader.documents_of([9]) == [reader.chunk(9).document_id]


def test_many_changes_write_a_new_base_and_forget_what_was_removed(
    store: Store, data: Path
) -> None:
    for number in range(6):
        put(store, f"Text {number} about the tide.", f"{number}.txt")
    derive(data)
    for number in range(3):
        put(store, f"New text {number} about the tide.", f"{number}.txt")

    derive(data)

    assert bases(data) == [(9, 6)]
    with closing(connect(data)) as db:
        assert db.execute("SELECT count(*) FROM removed_chunks").fetchone() == (0,)


def test_a_removal_leaves_no_passage_of_the_document_in_the_base(store: Store, data: Path) -> None:
    ids = [put(store, f"Text {number} about the tide.", f"{number}.txt") for number in range(9)]
    derive(data)

    store.remove(ids[:1])

    assert bases(data) == [(10, 8)]


def test_a_removal_that_was_cut_off_is_finished_by_the_next_run(
    store: Store, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [put(store, f"Text {number} about the tide.", f"{number}.txt") for number in range(9)]
    derive(data)
    with monkeypatch.context() as killed:
        killed.setattr("index.store.store.derive", _killed)
        with pytest.raises(KeyboardInterrupt):
            store.remove(ids[:1])
    assert bases(data) == [(9, 9)]

    derive(data)

    assert bases(data) == [(10, 8)]


def _killed(*_: object) -> bool:
    raise KeyboardInterrupt


def test_a_reader_of_an_older_generation_goes_on_with_its_own(store: Store, data: Path) -> None:
    put(store, "The tide turns at six.", "a.txt")
    derive(data)
    with closing(SqliteSnapshot(data)) as old, closing(SqliteSnapshot(data)) as late:
        old.load()
        for number in range(9):
            put(store, f"Text {number} about the tide.", f"{number}.txt")
        derive(data)

        # It had not loaded anything when the base was replaced.
        assert [old.size, late.size, old.generation] == [1, 1, 1]
        assert old.chunk(0).text == late.chunk(0).text == "The tide turns at six."


def test_a_reader_that_is_overtaken_while_it_opens_takes_the_newer_generation(
    store: Store, data: Path
) -> None:
    put(store, "The tide turns at six.", "a.txt")
    derive(data)
    with closing(SqliteSnapshot(data)) as late:
        put(store, "The tide turns at seven.", "a.txt")
        put(store, "The gate is shut.", "b.txt")
        derive(data)
        late.load()

        assert (late.generation, late.size) == (3, 2)


def test_a_base_that_does_not_fit_the_store_is_not_used(store: Store, data: Path) -> None:
    for number in range(4):
        put(store, f"Text {number} about the tide.", f"{number}.txt")
    derive(data)
    with closing(connect(data)) as db:  # behind the back of the store, which records removals
        db.execute("DELETE FROM terms WHERE chunk_id = 2")
        db.execute("DELETE FROM chunks WHERE id = 2")

    with closing(SqliteSnapshot(data)) as reader:
        assert reader.size == 3
        check_equals_rebuilt(reader)


def test_a_full_disk_leaves_the_old_base(
    store: Store, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, "The tide turns at six.", "a.txt")
    derive(data)
    put(store, "The tide turns at seven.", "a.txt")
    monkeypatch.setattr(np, "save", _full)

    assert not derive(data)

    assert bases(data) == [(1, 1)]
    assert {path.name for path in (data / DERIVED).iterdir()} == {"base-1", VOCABULARY}
    with closing(SqliteSnapshot(data)) as reader:
        assert reader.chunk(int(reader.rows[0])).text == "The tide turns at seven."


def _full(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_an_index_of_an_earlier_version_is_replaced(store: Store, data: Path) -> None:
    put(store, "The tide turns at six.", "a.txt")
    (data / DERIVED).mkdir()
    for name in index_cache.EARLIER_FILES:
        (data / DERIVED / name).write_bytes(b"old")

    derive(data)

    assert {path.name for path in (data / DERIVED).iterdir()} == {"base-1", VOCABULARY}
    assert (data / FILE_NAME).exists()


def words_in(data: Path) -> set[str]:
    """Return the words of the file of the store's present state."""
    read = read_index_file(data / DERIVED / VOCABULARY)
    assert read is not None
    assert read[0].generation == current_generation(data)
    return {*Vocabulary.from_bytes(read[1]).words}


def test_words_follow_the_documents(store: Store, data: Path) -> None:
    for number in range(6):
        put(store, f"Lantern number {number} of the harbour.", f"{number}.txt")
    derive(data)
    assert words_in(data) == {"lantern", "number", "the", "harbour"}
    put(store, "A seagull of the pier.", "0.txt")

    with closing(SqliteSnapshot(data)) as reader:
        assert {"lantern", "seagull"} <= {*reader.vocabulary.words}
        # The words of the document as it was before may still be among them.
        assert reader.has_other_words
    derive(data)
    assert "seagull" in words_in(data)
    with closing(SqliteSnapshot(data)) as reader:
        assert not reader.has_other_words


def test_words_of_removed_documents_are_taken_out(
    store: Store, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, "One lantern burns.", "0.txt")
    removed = put(store, "Two lanterns burn near the zebra.", "1.txt")
    derive(data)
    put(store, "Three gulls cry.", "2.txt")
    # As in a large store, where a twentieth of the chunks may change before all are read again.
    monkeypatch.setattr(vocabulary_file, "SMALL", 0)
    monkeypatch.setattr(vocabulary_file, "SHARE", 9)

    def read_again(_: object) -> None:
        raise AssertionError("all documents are read again")

    monkeypatch.setattr(VocabularyFile, "_built", read_again)
    store.remove([removed])

    # "lanterns" has the terms of "lantern", which is left.
    assert words_in(data) == {"one", "lantern", "burns", "three", "gulls", "cry"}
    with closing(SqliteSnapshot(data)) as reader:
        assert not reader.has_other_words


def base_of(data: Path) -> int:
    """Return the generation of the base on the disk."""
    with closing(SqliteSnapshot(data)) as snapshot:
        return snapshot.base_generation


def test_an_erasure_is_put_off_for_a_minute_at_most(store: Store, data: Path) -> None:
    for number in range(40):
        put(store, f"The keeper of pier {number}.", f"{number}.txt")
    derive(data)
    first = base_of(data)
    files = store.files_under(Path("/corpus"))
    [gone, next_gone, last_gone] = (file.document_id for file in files[:3])

    store.remove([gone], erase_later=True)
    store.remove([next_gone], erase_later=True)

    with closing(SqliteSnapshot(data)) as snapshot:
        assert snapshot.base_generation == first
        assert not {gone, next_gone} & {*snapshot.documents_of(snapshot.rows.tolist())}
        check_equals_rebuilt(snapshot)
    due = float(store._db.execute("SELECT value FROM meta WHERE key = 'erase_by'").fetchone()[0])
    with pytest.MonkeyPatch.context() as later:
        later.setattr(index_cache.time, "time", lambda: due - 1)
        derive(data)
        assert base_of(data) == first
        later.setattr(index_cache.time, "time", lambda: due)
        derive(data)
    erased = base_of(data)
    assert erased > first

    store.remove([last_gone])

    assert base_of(data) > erased


def test_what_is_removed_at_once_takes_along_what_was_put_off(store: Store, data: Path) -> None:
    for number in range(40):
        put(store, f"The keeper of pier {number}.", f"{number}.txt")
    derive(data)
    gone = [file.document_id for file in store.files_under(Path("/corpus"))]

    store.remove(gone[:1], erase_later=True)
    store.remove(gone[1:2])

    with closing(SqliteSnapshot(data)) as snapshot:
        assert snapshot.base_generation == snapshot.generation
