"""question -> passages, by FAISS and BM25 together."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.store.snapshot import Snapshot
from qa.answering.retriever import HybridRetriever
from tests.support.fakes import FakeEncoder
from tests.support.serving import carded, indexed, settings_in

FILES = {
    "tides.txt": "The tide at Porto turns twice a day.\n\nFishermen leave with the ebb.",
    "bread.txt": "Bread needs flour, water and salt.\n\nIt rises for two hours.",
    "copies.txt": (
        "The harbour code is 4711.\n\nTHE harbour  code is 4711.\n\nThe harbour code is 47…\n\n"
        "The harbour opens at six."
    ),
}
WORDS = st.sampled_from(
    ["tide", "Porto", "bread", "harbour", "code", "4711", "six", "flour", "zebra", "?", "the"]
)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    folder = tmp_path_factory.mktemp("retriever")
    indexed(settings_in(folder), carded(passage_budget=8), folder / "corpus", FILES)
    return Snapshot(folder / "data")


@pytest.fixture(scope="module")
def retriever(snapshot: Snapshot) -> HybridRetriever:
    return HybridRetriever(snapshot, FakeEncoder())


@pytest.mark.parametrize(
    ("question", "uri"),
    [("When does the tide turn?", "tides.txt"), ("What does bread need?", "bread.txt")],
)
def test_the_passage_that_shares_words_comes_first(
    retriever: HybridRetriever, question: str, uri: str
) -> None:
    assert retriever.retrieve(question, 3)[0].document.uri == uri


@given(words=st.lists(WORDS, min_size=1, max_size=6), k=st.integers(1, 12))
def test_passages_are_distinct_ordered_and_no_more_than_asked_for(
    retriever: HybridRetriever, words: list[str], k: int
) -> None:
    passages = retriever.retrieve(" ".join(words), k)

    texts = [" ".join(passage.chunk.text.casefold().split()) for passage in passages]
    assert len(passages) <= k
    assert len(set(texts)) == len(texts)
    assert all(passage.chunk.document_id == passage.document.id for passage in passages)


@given(words=st.lists(WORDS, min_size=1, max_size=6))
def test_scores_and_ranks_agree(retriever: HybridRetriever, words: list[str]) -> None:
    hits = retriever.hits(" ".join(words))

    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert sorted(hit.dense_rank for hit in hits if hit.dense_rank) == list(range(1, len(hits) + 1))
    by_rank = sorted((hit.bm25_rank, -hit.bm25_score) for hit in hits if hit.bm25_rank)
    assert [score for _, score in by_rank] == sorted(score for _, score in by_rank)
    assert all((hit.bm25_rank is None) == (hit.bm25_score == 0) for hit in hits)


def test_copies_do_not_crowd_out_others(retriever: HybridRetriever) -> None:
    texts = [passage.chunk.text for passage in retriever.retrieve("harbour code", 3)]

    assert sum("47" in text for text in texts) == 1
    assert "The harbour opens at six." in texts


def test_it_searches_only_the_given_documents(
    retriever: HybridRetriever, snapshot: Snapshot
) -> None:
    bread = next(info.id for info in snapshot.documents() if info.uri == "bread.txt")

    passages = retriever.retrieve("When does the tide turn?", 5, [bread])

    assert {passage.document.uri for passage in passages} == {"bread.txt"}
    assert passages[0].hit.dense_rank == 1


def test_a_document_without_passages_gives_none(retriever: HybridRetriever) -> None:
    assert retriever.retrieve("tide", 5, ["no such id"]) == []


def test_an_empty_index_gives_none(tmp_path: Path) -> None:
    assert HybridRetriever(Snapshot(tmp_path), FakeEncoder()).retrieve("tide", 5) == []
