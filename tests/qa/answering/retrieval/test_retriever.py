"""question -> passages, by FAISS and BM25 together."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.store.snapshot import SqliteSnapshot
from qa.answering.retrieval.retriever import PER_DOCUMENT, HybridRetriever, RetrievedChunk
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
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> SqliteSnapshot:
    folder = tmp_path_factory.mktemp("retriever")
    indexed(settings_in(folder), carded(passage_budget=8), folder / "corpus", FILES)
    return SqliteSnapshot(folder / "data")


@pytest.fixture(scope="module")
def retriever(snapshot: SqliteSnapshot) -> HybridRetriever:
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


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> SqliteSnapshot:
    """A page that asks one question in fifty ways, an honest page, and a copy of that."""
    folder = tmp_path_factory.mktemp("crowded")
    honest = "Everybody has 29 days of leave."
    files = {
        "faq.txt": "\n\n".join(
            f"Question {number}: how many days of leave has everybody, is it {number} days?"
            for number in range(150)
        ),
        "same.txt": "\n\n".join(["How many days of leave has everybody? It is 40 days."] * 50),
        "honest.txt": honest,
        "honest-copy.txt": honest.upper(),
        "pier.txt": "The pier opens at six.",
    }
    indexed(settings_in(folder), carded(passage_budget=24), folder / "corpus", files)
    return SqliteSnapshot(folder / "data")


def uris(passages: list[RetrievedChunk]) -> list[str]:
    return [passage.document.uri for passage in passages]


def test_a_page_that_repeats_a_question_does_not_hide_the_others(crowded: SqliteSnapshot) -> None:
    retriever = HybridRetriever(crowded, FakeEncoder())

    passages = retriever.retrieve("How many days of leave has everybody?", 6)

    found = uris(passages)
    assert found.count("same.txt") == 1
    assert "honest.txt" in found or "honest-copy.txt" in found
    assert PER_DOCUMENT <= found.count("faq.txt") <= PER_DOCUMENT + 1
    assert [each.hit.score for each in passages] == sorted(
        (each.hit.score for each in passages), reverse=True
    )
    assert [each.rank for each in passages] == list(range(1, len(passages) + 1))


def test_one_document_alone_may_fill_the_passages(crowded: SqliteSnapshot) -> None:
    faq = next(info.id for info in crowded.documents() if info.uri == "faq.txt")

    retriever = HybridRetriever(crowded, FakeEncoder())
    passages = retriever.retrieve("How many days?", 8, crowded.scope([faq]))

    assert uris(passages) == ["faq.txt"] * 8


def test_a_copy_in_another_document_is_named_with_the_passage(crowded: SqliteSnapshot) -> None:
    [first, *_] = HybridRetriever(crowded, FakeEncoder()).retrieve("29 days of leave", 1)

    assert {info.uri for info in first.documents} == {"honest.txt", "honest-copy.txt"}


def test_an_exact_code_goes_before_similar_passages(tmp_path: Path) -> None:
    similar = "Which rule detects a change of the firewall: the rule of the firewall detects it."
    files = {"a.txt": similar, "b.txt": "RULE-A002 is the one.", "c.txt": "RULE-A001 is another."}
    indexed(settings_in(tmp_path), carded(), tmp_path / "corpus", files)

    passages = HybridRetriever(SqliteSnapshot(tmp_path / "data"), FakeEncoder()).retrieve(
        "Which rule of the firewall detects a change, is it A002?", 3
    )

    assert uris(passages)[0] == "b.txt"


def test_it_searches_only_the_given_documents(
    retriever: HybridRetriever, snapshot: SqliteSnapshot
) -> None:
    bread = next(info.id for info in snapshot.documents() if info.uri == "bread.txt")

    passages = retriever.retrieve("When does the tide turn?", 5, snapshot.scope([bread]))

    assert {passage.document.uri for passage in passages} == {"bread.txt"}
    assert passages[0].hit.dense_rank == 1


def test_a_document_without_passages_gives_none(
    retriever: HybridRetriever, snapshot: SqliteSnapshot
) -> None:
    assert retriever.retrieve("tide", 5, snapshot.scope(["no such id"])) == []


def test_an_empty_index_gives_none(tmp_path: Path) -> None:
    assert HybridRetriever(SqliteSnapshot(tmp_path), FakeEncoder()).retrieve("tide", 5) == []
