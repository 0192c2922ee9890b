"""The same question finds the same passages in both stores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import cast

import pytest

from index.backend import limited_to
from index.lance.maintenance import Upkeep, maintain
from index.lance.snapshot import LanceSnapshot
from index.lance.transaction import Transactions
from index.store.snapshot import SqliteSnapshot
from qa.answering.retrieval.retriever import HybridRetriever, Retriever
from qa.answering.retrieval.shared_retriever import SharedRetriever
from tests.support.fakes import FakeEncoder
from tests.support.stores import STORES, index_folder

pytest.importorskip("lancedb")

SUBJECTS = ["harbour", "quay", "berth", "crane", "ferry", "pilot", "dock", "tide"]
QUESTIONS = [
    "How deep is the harbour?",
    "What does the berth at quay 7 cost?",
    "Who calls CN-0147?",
    "the ferry and the pilot",
    "nothing of that kind",
    "harbour harbour harbour",
]


def texts() -> dict[str, str]:
    made = {
        f"{subject}-{number}.txt": (
            f"The {subject} number {number} is {number + 2} metres deep. A berth costs {number * 7}"
            f" crowns a night. Call CN-0{number + 140} for the {SUBJECTS[number % 8]}.\n"
        )
        for subject in SUBJECTS
        for number in range(12)
    }
    # One that would fill the list alone.
    made["long.txt"] = "\n\n".join(f"The harbour is deep at mile {mile}." for mile in range(120))
    return made


@pytest.fixture(scope="module")
def retrievers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Retriever, Retriever]]:
    folder = tmp_path_factory.mktemp("retrievers")
    corpus = folder / "corpus"
    corpus.mkdir()
    for name, text in texts().items():
        (corpus / name).write_text(text)
    tags = {name: ["few"] for name in ("berth-1.txt", "berth-2.txt", "quay-7.txt", "long.txt")}
    with ExitStack() as stack:
        opened = []
        for name, make in STORES.items():
            backend = make(folder / name)
            index_folder(backend, corpus, tags)
            opened.append(stack.enter_context(closing(backend.open_snapshot())))
        embedded, shared = opened
        yield (
            HybridRetriever(cast("SqliteSnapshot", embedded), FakeEncoder()),
            SharedRetriever(cast("LanceSnapshot", shared), FakeEncoder()),
        )


def shown(retriever: Retriever, question: str, **options: object) -> list[tuple[object, ...]]:
    return [
        (each.chunk.document_id, each.chunk.start, round(each.hit.score, 3), len(each.copies))
        for each in retriever.retrieve(question, 8, **options)  # type: ignore[arg-type]
    ]


def assert_equal(retrievers: tuple[Retriever, Retriever]) -> None:
    for question in QUESTIONS:
        embedded, shared = (shown(each, question) for each in retrievers)
        assert shared == embedded, question


def test_the_same_passages_are_found_with_the_same_scores(
    retrievers: tuple[Retriever, Retriever],
) -> None:
    assert_equal(retrievers)
    assert shown(retrievers[1], QUESTIONS[0])


def test_documents_limit_the_search(retrievers: tuple[Retriever, Retriever]) -> None:
    ids = [info.id for info in retrievers[1]._snapshot.documents()][5:40]
    for question in QUESTIONS:
        embedded, shared = (
            shown(each, question, scope=each._snapshot.scope(ids), without=ids[:10])
            for each in retrievers
        )
        assert shared == embedded, question
        scope = retrievers[1]._snapshot.scope(ids)
        candidates = retrievers[1].candidates(question, scope, without=ids[:10])
        assert set(candidates) <= set(ids[10:])


def test_a_view_is_searched_as_if_there_were_no_others(
    retrievers: tuple[Retriever, Retriever],
) -> None:
    views = tuple(each.over(limited_to(each._snapshot, ["few"])) for each in retrievers)
    for question in QUESTIONS:
        embedded, shared = (shown(each, question) for each in views)
        assert shared == embedded, question


def test_indexes_change_no_answer(retrievers: tuple[Retriever, Retriever]) -> None:
    snapshot = cast("LanceSnapshot", retrievers[1]._snapshot)
    transactions = Transactions(snapshot.location)
    limits = Upkeep(fragments=1, unindexed=0, indexed_from=100)

    assert maintain(transactions, limits)
    assert not maintain(transactions, Upkeep(indexed_from=100))
    with closing(LanceSnapshot(snapshot.location, Path("/nowhere"))) as indexed:
        table = indexed.table("chunks")
        assert table is not None
        columns = {column for index in table.list_indices() for column in index.columns}
        assert columns == {"id", "document_id", "vector_key", "term_set", "terms", "vector"}
        assert indexed.generation == snapshot.generation + 1
        assert_equal((retrievers[0], SharedRetriever(indexed, FakeEncoder())))
