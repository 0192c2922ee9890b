"""HybridRetriever: question -> passages, by FAISS and BM25 together."""

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
"""Rows taken from each list before fusing; after it the right one is among the first 20 for 96% of
the held-out questions.
"""

COPIES_ALLOWED = 3
"""So many times k hits are looked at for k distinct passages."""


class QueryEncoder(Protocol):
    """What retrieval must know of the encoder."""

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """float32 (len(texts), dimension), unit rows."""


@dataclass(frozen=True, slots=True)
class RetrievedChunk:
    """A retrieved chunk with its document, its scores, and its rank from 1 among the passages that
    are read.
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
        """At most k passages, best first, none a copy of a better one; `documents` limits the
        search to these ids.
        """
        hits = self.hits(question, documents)[: COPIES_ALLOWED * k]
        chunks = [self._snapshot.chunk(hit.row) for hit in hits]
        chosen = distinct_positions([chunk.rendering.text for chunk in chunks])[:k]
        return [
            RetrievedChunk(
                chunks[at], self._snapshot.document_info(chunks[at].document_id), hits[at], rank
            )
            for rank, at in enumerate(chosen, 1)
        ]

    def hits(self, question: str, documents: Sequence[str] | None = None) -> list[Hit]:
        """The candidates of both lists with their scores, best first; of equal ones the one indexed
        first.
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
        bm25_rows = bm25_rows[bm25_all[bm25_rows] > 0]
        rows = np.union1d(dense_rows, bm25_rows)
        return _fused(
            rows, snapshot.dense.scores(query, rows), bm25_all[rows], dense_rows, bm25_rows
        )


def _fused(
    rows: NDArray[np.int64],
    dense: NDArray[np.float32],
    bm25: NDArray[np.float64],
    dense_rows: NDArray[np.int64],
    bm25_rows: NDArray[np.int64],
) -> list[Hit]:
    scores = fuse(dense, bm25)
    dense_rank = {row: rank for rank, row in enumerate(dense_rows.tolist(), 1)}
    bm25_rank = {row: rank for rank, row in enumerate(bm25_rows.tolist(), 1)}
    return [
        Hit(
            row,
            float(scores[at]),
            float(dense[at]),
            float(bm25[at]),
            dense_rank.get(row),
            bm25_rank.get(row),
        )
        for at, row in ((at, int(rows[at])) for at in top_k(scores, len(scores)).tolist())
    ]
