"""Search of the chunks of a shared store: the engine finds candidates, we score them.

LanceDB's index of words ranks by another formula than ours, and its index of vectors is
approximate. So each gives more rows than are wanted, which are then scored by the same formulas
as in an embedded store: cosines of the stored vectors, and BM25Plus with the document frequencies
of the whole store.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from index.lance.location import sql_in, sql_text
from index.lance.tables import CHUNKS, count, select
from index.search.bm25 import gains, inverse_frequencies

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import pyarrow as pa
    from lancedb.table import Table

    from index.lance.manifest import Manifest

OVERFETCH = 3
"""Rows taken from the engine for one that is wanted, as it ranks them differently."""
PROBES = 40
"""Partitions of the index of vectors that are searched, if there is one."""
REFINE = 5
"""Rows of the index of vectors that are compared exactly, for one that is wanted."""
_READ = ["id", "document_id", "terms", "length", "vector"]


class EngineView(Protocol):
    """Snapshot, as far as the search needs it."""

    manifest: Manifest

    @property
    def size(self) -> int:
        """Number of chunks of the view."""

    def table(self, name: str) -> Table | None:
        """Return a table at its version."""

    def reading(self) -> AbstractContextManager[None]:
        """Translate errors."""

    def of_chunks(self) -> str:
        """Return the condition of the chunks of the view."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Chunk that was found, with its `terms`; `vector` is float32 (dimension,)."""

    row: int
    document_id: str
    vector: NDArray[np.float32]
    terms: Sequence[str]
    length: int


class PassageEngine:
    """Search of the chunks of one view of a shared store."""

    def __init__(self, view: EngineView) -> None:
        self._view = view
        self._idf: dict[str, float] = {}

    def holds(self, term: str) -> bool:
        """Return True if any chunk has the term."""
        return self.idf(term) > 0

    def rows_with_all(self, terms: Iterable[str]) -> NDArray[np.int64]:
        """Return the chunks that hold every one of some terms, ascending; none for no terms."""
        wanted = list(dict.fromkeys(terms))
        if not wanted:
            return np.zeros(0, dtype=np.int64)
        table = self._view.table(CHUNKS)
        with self._view.reading():
            rows = select(table, ["id"], self._where(_has_all(wanted)))
        return np.sort(np.array([row["id"] for row in rows], dtype=np.int64))

    def idf(self, term: str) -> float:
        """Return the inverse document frequency of a term among the chunks of the view; 0: none."""
        if term not in self._idf:
            with self._view.reading():
                chunks = count(self._view.table(CHUNKS), self._where(_has_all([term])))
            found = inverse_frequencies(self._view.size, {term: chunks})[term] if chunks else 0.0
            self._idf[term] = found
        return self._idf[term]

    def nearest(
        self,
        query: NDArray[np.float32],
        k: int,
        within: Sequence[str] | None,
        without: Iterable[str],
    ) -> list[Candidate]:
        """Return the k chunks nearest to a unit vector, best first, of equal ones the oldest first.

        They are of the documents `within` (None: all), and of none of those `without`.
        """
        table = self._view.table(CHUNKS)
        if table is None:
            return []
        with self._view.reading():
            search = (
                table.search(query, vector_column_name="vector")
                .distance_type("dot")
                .where(self._where(*_documents(within, without)), prefilter=True)
                .nprobes(PROBES)
                .refine_factor(REFINE)
                .select([*_READ, "_distance"])
                .limit(k)
            )
            found = self._candidates(search.to_arrow())
        return sorted(found, key=lambda each: (-float(each.vector @ query), each.row))

    def matching(
        self,
        terms: Sequence[str],
        k: int,
        within: Sequence[str] | None,
        without: Iterable[str],
    ) -> list[Candidate]:
        """Return candidates for the k chunks that match some terms best, in no order."""
        known = [term for term in dict.fromkeys(terms) if self.idf(term) > 0]
        table = self._view.table(CHUNKS)
        if table is None or not known:
            return []
        from lancedb.query import MatchQuery

        with self._view.reading():
            search = (
                table.search(MatchQuery(" ".join(known), "terms"), query_type="fts")
                .where(self._where(*_documents(within, without)), prefilter=True)
                .select([*_READ, "_score"])
                .limit(OVERFETCH * k)
            )
            return self._candidates(search.to_arrow())

    def scores(self, terms: Sequence[str], found: Sequence[Candidate]) -> NDArray[np.float64]:
        """Return the BM25Plus scores of candidates without the constant, float64 (n,).

        They equal those of `index.search.bm25.PostingsBM25.match_scores`.
        """
        scores = np.zeros(len(found))
        lengths = np.array([each.length for each in found], dtype=np.float64)
        manifest = self._view.manifest
        average = manifest.terms / manifest.chunks if manifest.terms else 1.0
        for term, times in Counter(terms).items():
            frequency = np.array([each.terms.count(term) for each in found], dtype=np.float64)
            if frequency.any():
                scores += times * gains(frequency, lengths, average, self.idf(term))
        return scores

    def shares(self, terms: Sequence[str], found: Sequence[Candidate]) -> NDArray[np.float64]:
        """Return the share of some terms that each candidate has, float64 (n,) in [0, 1].

        Terms weigh as much as their inverse document frequency; those of no chunk do not count.
        """
        shares = np.zeros(len(found))
        wanted = list(dict.fromkeys(terms))
        total = sum(map(self.idf, wanted))
        for term in wanted:
            shares += self.idf(term) * np.array([term in each.terms for each in found])
        return shares / total if total else shares

    def _where(self, *conditions: str) -> str:
        return " AND ".join([self._view.of_chunks(), *conditions])

    def _candidates(self, found: pa.Table) -> list[Candidate]:
        """Return the candidates of some rows."""
        if not found.num_rows:
            return []
        flat = found["vector"].combine_chunks().flatten().to_numpy()
        vectors = flat.reshape(found.num_rows, -1).astype(np.float32)
        columns = [found[name].to_pylist() for name in ("id", "document_id", "terms", "length")]
        return [
            Candidate(row, document_id, vector, terms.split(" "), length)
            for row, document_id, terms, length, vector in zip(*columns, vectors, strict=True)
        ]


def _has_all(terms: Sequence[str]) -> str:
    """Return the condition of chunks that have all of some terms."""
    return f"array_has_all(term_set, [{', '.join(map(sql_text, terms))}])"


def _documents(within: Sequence[str] | None, without: Iterable[str]) -> list[str]:
    """Return the conditions of chunks of some documents."""
    conditions = [] if within is None else [sql_in("document_id", within)]
    excluded = sorted(without)
    if excluded:
        conditions.append(f"NOT ({sql_in('document_id', excluded)})")
    return conditions
