"""A limited snapshot shows what an index of its documents alone would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import UnknownDocument
from index.search.bm25 import PostingsBM25
from index.store.limited_snapshot import LimitedSnapshot
from index.store.snapshot import SqliteSnapshot
from qa.library.documents import index_paths
from qa.settings import Settings
from tests.support.fakes import DIMENSION, RecordingReporter
from tests.support.serving import carded, settings_in, write_files

OURS = {
    "tides-v1.txt": "The harbour of Ostrava is nine metres deep.\n",
    "fees.txt": "A berth in the harbour costs 40 crowns a night.\n",
}
SECRET = {
    "tides-v2.txt": "The harbour of Ostrava is twelve metres deep. Version 2 replaces version 1.\n",
    "merger.txt": "The quokka merger with Zanzibar Shipping is set for May.\n",
}


def index_with_tag(settings: Settings, folder: Path, tag: str) -> None:
    index_paths(settings, carded(), [folder], RecordingReporter(), tags=[tag])


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[SqliteSnapshot]:
    settings = settings_in(tmp_path / "both")
    write_files(tmp_path / "corpus" / "ours", OURS)
    write_files(tmp_path / "corpus" / "secret", SECRET)
    index_with_tag(settings, tmp_path / "corpus" / "ours", "harbour")
    index_with_tag(settings, tmp_path / "corpus" / "secret", "board")
    with closing(SqliteSnapshot(settings.data)) as snapshot:
        yield snapshot


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[SqliteSnapshot]:
    settings = settings_in(tmp_path / "alone")
    write_files(tmp_path / "corpus" / "ours", OURS)
    index_with_tag(settings, tmp_path / "corpus" / "ours", "harbour")
    with ExitStack() as stack:
        yield stack.enter_context(closing(SqliteSnapshot(settings.data)))


def test_everything_is_as_in_an_index_of_the_visible_documents(
    whole: SqliteSnapshot, alone: SqliteSnapshot
) -> None:
    limited = LimitedSnapshot(whole, ["harbour"])

    assert [info.uri for info in limited.documents()] == [info.uri for info in alone.documents()]
    assert limited.document_count == alone.document_count == 2
    assert limited.size == len(limited.rows) == alone.size
    assert limited.tags() == alone.tags()
    assert sorted(limited.document_ids) == sorted(alone.document_ids)
    assert [file.uri for file in limited.files()] == [file.uri for file in alone.files()]
    ids = limited.document_ids
    assert limited.families_of(ids) == alone.families_of(ids)
    for term in ("harbour", "quokka", "metr"):
        ours = {limited.chunk(row).text for row in limited.lexical.rows_with(term).tolist()}
        assert ours == {alone.chunk(row).text for row in alone.lexical.rows_with(term).tolist()}
        assert limited.lexical.holds(term) == alone.lexical.holds(term)
        # The weight of a word must not tell how often it stands in other documents.
        assert limited.lexical.shares([term, "harbour"])[limited.rows].tolist() == pytest.approx(
            alone.lexical.shares([term, "harbour"]).tolist()
        )


def test_nothing_of_another_document_can_be_had(whole: SqliteSnapshot) -> None:
    limited = LimitedSnapshot(whole, ["harbour"])
    hidden = [info.id for info in whole.documents() if info.tags == ("board",)]

    assert len(hidden) == 2
    for document_id in hidden:
        assert not limited.has_document(document_id)
        assert limited.unknown_ids([document_id]) == [document_id]
        for read in (limited.document, limited.document_info, limited.file):
            with pytest.raises(UnknownDocument):
                read(document_id)
        assert limited.blocks(document_id) == ()
        assert not limited.is_indexed(whole.file(document_id).path)
        assert limited.files_with(whole.document_info(document_id).sha256) == []
    assert limited.roots() == {}
    nearest = limited.dense.search(np.ones(DIMENSION, dtype=np.float32) / 8, 10)[0]
    assert {limited.document_id(row) for row in nearest.tolist()} == set(limited.document_ids)


def test_a_closed_view_leaves_the_snapshot_open(whole: SqliteSnapshot) -> None:
    LimitedSnapshot(whole, ["harbour"]).close()

    assert len(whole.documents()) == 4


def test_other_tags_of_a_visible_document_are_not_shown(whole: SqliteSnapshot) -> None:
    both = LimitedSnapshot(whole, ["harbour", "board"])
    limited = LimitedSnapshot(whole, ["board"])

    assert sorted(both.tags()) == ["board", "harbour"]
    assert {tag for info in limited.documents() for tag in info.tags} == {"board"}
    assert LimitedSnapshot(whole, ["nobody"]).documents() == []


@given(st.data())
def test_scores_are_those_of_the_kept_chunks_alone(data: st.DataObject) -> None:
    words = st.lists(st.sampled_from("abcd"), min_size=3, max_size=3)
    corpus = data.draw(st.lists(words, min_size=1, max_size=8))
    kept = data.draw(st.sets(st.integers(0, len(corpus) - 1), min_size=1))
    rows = np.array(sorted(kept), dtype=np.int64)
    query = data.draw(words)

    limited = PostingsBM25.build(corpus).limited(rows)
    alone = PostingsBM25.build([corpus[row] for row in rows])

    # All chunks are equally long, so that their average length tells nothing.
    assert limited.match_scores(query)[rows] == pytest.approx(alone.match_scores(query))
    assert limited.shares(query)[rows] == pytest.approx(alone.shares(query))
    assert not limited.match_scores(query)[np.setdiff1d(np.arange(len(corpus)), rows)].any()
