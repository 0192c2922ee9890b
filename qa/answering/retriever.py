"""The retriever: question -> passages, by FAISS and BM25 together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from index.document import Chunk
from index.search.bm25 import analyse
from index.search.fusion import Hit, distinct_positions, fuse, top_k
from index.store.snapshot import DocumentInfo, Snapshot

CANDIDATES = 100
"""Rows taken from each list before fusion.

After it the right one is among the first 20 for 96% of the held-out questions.
"""

COPIES_ALLOWED = 3
"""Hits looked at for each distinct passage that is wanted."""


class QueryEncoder(Protocol):
    """An encoder of queries as unit vectors."""

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of queries, float32 (len(texts), dimension), unit rows."""


@dataclass(frozen=True, slots=True)
class RetrievedChunk:
    """A retrieved chunk with its document and scores.

    `rank` counts from 1 among the passages that are read.
    """

    chunk: Chunk
    document: DocumentInfo
    hit: Hit
    rank: int = 1


class HybridRetriever:
    """Retrieves from one snapshot, hence from one generation."""

    def __init__(self, snapshot: Snapshot, encoder: QueryEncoder) -> None:
        self._snapshot = snapshot
        self._encoder = encoder

    def retrieve(
        self, question: str, k: int, documents: Sequence[str] | None = None
    ) -> list[RetrievedChunk]:
        """Return at most k passages, best first, none a copy of a better one.

        `documents` limits the search to these ids.
        """
        hits = self.hits(question, documents)[: COPIES_ALLOWED * k]
        chunks = [self._snapshot.chunk(hit.row) for hit in hits]
        chosen = distinct_positions([chunk.rendering.text for chunk in chunks])[:k]
        passages = []
        for rank, at in enumerate(chosen, 1):
            document = self._snapshot.document_info(chunks[at].document_id)
            passages.append(RetrievedChunk(chunks[at], document, hits[at], rank))
        return passages

    def hits(self, question: str, documents: Sequence[str] | None = None) -> list[Hit]:
        """Return the candidates of both lists with their scores, best first.

        Of equal ones the one indexed first comes first.
        """
        snapshot = self._snapshot
        if snapshot.size == 0:
            return []
        query = self._encoder.encode_queries([question])[0]
        bm25_all = snapshot.lexical.match_scores(analyse(question))
        if documents is None:
            dense_rows, _ = snapshot.dense.search(query, CANDIDATES)
            bm25_rows = top_k(bm25_all, CANDIDATES)
        else:
            allowed = snapshot.rows_of(documents)
            dense_rows = allowed[top_k(snapshot.dense.scores(query, allowed), CANDIDATES)]
            bm25_rows = allowed[top_k(bm25_all[allowed], CANDIDATES)]
        # A BM25 score of 0 means that no word is shared: such a row was not found.
        bm25_rows = bm25_rows[bm25_all[bm25_rows] > 0]
        # A row of either list gets both scores, so that fusion compares like with like.
        rows = np.union1d(dense_rows, bm25_rows)
        dense = snapshot.dense.scores(query, rows)
        return _fused(rows, dense, bm25_all[rows], dense_rows, bm25_rows)


def _fused(
    rows: NDArray[np.int64],
    dense: NDArray[np.float32],
    bm25: NDArray[np.float64],
    dense_rows: NDArray[np.int64],
    bm25_rows: NDArray[np.int64],
) -> list[Hit]:
    """Return hits in the order of the fused scores.

    `dense` and `bm25` are the scores of `rows`; `dense_rows` and `bm25_rows` the two ranked lists.
    """
    scores = fuse(dense, bm25)
    dense_ranks = _ranks(dense_rows)
    bm25_ranks = _ranks(bm25_rows)
    hits = []
    for at in top_k(scores, len(scores)).tolist():
        row = int(rows[at])
        hit = Hit(
            row,
            float(scores[at]),
            float(dense[at]),
            float(bm25[at]),
            dense_ranks.get(row),
            bm25_ranks.get(row),
        )
        hits.append(hit)
    return hits


def _ranks(rows: NDArray[np.int64]) -> dict[int, int]:
    """Return the rank, from 1, of each row of a ranked list."""
    return {row: rank for rank, row in enumerate(rows.tolist(), 1)}
