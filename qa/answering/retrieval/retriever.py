"""The retriever: question -> passages, by FAISS and BM25 together."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from index.document import Chunk, TextRange
from index.search.bm25 import analyse, analyse_query
from index.search.copies import CopyFilter
from index.search.fusion import Hit, fuse, top_k
from index.search.scope import Scope
from index.store.snapshot import DocumentInfo, Snapshot, SqliteSnapshot
from index.text.versions import Relation

CANDIDATES = 100
"""Rows taken from each list before fusion.

After it the right one is among the first 20 for 96% of the held-out questions.
"""

CROWDED = 0.2
"""Share of a list's rows from which a document crowds it.

The list is continued without such documents: a page that repeats a question must not fill it.
"""
PER_DOCUMENT = 3
"""Passages of one document that are read while those of others match comparably."""
COMPARABLE = 0.1
"""Largest difference of fused scores between passages that match comparably.

With each article of SQuAD 1.1 dev as one document, where the right paragraph always competes with
others of its document, it costs 0.001 of recall@5; 0.2 would cost 0.006.
"""
REPETITION = 0.7
"""Smallest Jaccard similarity of the words of two passages of which one repeats the other.

Numbers do not count: "3. How many days?" repeats "2. How many days?".
"""
COMPARABLE_REPETITION = 0.5
"""Like COMPARABLE, for a passage that repeats another of its document.

A question that a page repeats matches itself better than any answer does.
"""
MOST_COPIES = 10
"""Most other documents named with a passage that stands in them, too."""
_NO_ROWS = np.zeros(0, dtype=np.int64)
_SAME_SCORE = 1e-6
"""Difference of the scores of equal texts, from rounding."""


class QueryEncoder(Protocol):
    """An encoder of queries as unit vectors."""

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of queries, float32 (len(texts), dimension), unit rows."""


@dataclass(frozen=True, slots=True)
class PassageCopy:
    """A chunk of another document that repeats a retrieved one."""

    chunk: Chunk
    document: DocumentInfo


@dataclass(frozen=True, slots=True)
class Standing:
    """Standing of a passage among the versions of its document, for one question.

    `reason` says why another version is asked for, empty for the one that is. `sections` are the
    ranges of superseded sections in the document's text, with the reason. `period` is that of the
    question; `off_period` says that no version is of it, `is_newer` that an older version is asked
    for. With `asks_past` a value that a text calls past may be the answer, with `newest_first` the
    newest of contradicting documents is.
    """

    family: str = ""
    relation: Relation = "version"
    reason: str = ""
    sections: tuple[tuple[TextRange, str], ...] = ()
    period: tuple[date, date] | None = None
    off_period: bool = False
    is_newer: bool = False
    asks_past: bool = False
    newest_first: bool = False

    def is_akin_to(self, other: Standing) -> bool:
        """Return True if two passages are of versions or reports of one document."""
        return bool(self.family) and self.family == other.family


CURRENT = Standing()
"""Standing of a passage whose document has no versions."""


@dataclass(frozen=True, slots=True)
class RetrievedChunk:
    """A retrieved chunk with its document and scores.

    `rank` counts from 1 among the passages that are read. `copies` are chunks of other documents
    that say nothing else, and are not read.
    """

    chunk: Chunk
    document: DocumentInfo
    hit: Hit
    rank: int = 1
    copies: tuple[PassageCopy, ...] = ()
    standing: Standing = CURRENT

    @property
    def documents(self) -> tuple[DocumentInfo, ...]:
        """The passage's document and those of its copies."""
        return (self.document, *(copy.document for copy in self.copies))


@dataclass
class _Found:
    """A hit that is no copy of a better one, with the rows that are copies of it."""

    hit: Hit
    chunk: Chunk
    copies: list[Chunk] = field(default_factory=list)

    @cached_property
    def words(self) -> frozenset[str]:
        """Stems of the chunk, without numbers."""
        return frozenset(term for term in analyse(self.chunk.text) if term.isalpha())

    def repeats(self, other: _Found) -> bool:
        """Return True if this chunk is nearly the same as another one of its document."""
        if self.chunk.document_id != other.chunk.document_id:
            return False
        shared, together = len(self.words & other.words), len(self.words | other.words)
        return shared >= REPETITION * max(together, 1)


class Retriever(ABC):
    """Retriever from one snapshot, hence from one generation: hits become passages."""

    def __init__(
        self, snapshot: Snapshot, encoder: QueryEncoder, *, cosine_floor: float = 0.0
    ) -> None:
        """Retrieve with an encoder that gives unrelated texts the cosine `cosine_floor`."""
        self.cosine_floor = cosine_floor
        self._snapshot = snapshot
        self._encoder = encoder

    @abstractmethod
    def hits(
        self,
        question: str,
        scope: Scope | None = None,
        *,
        without: Collection[str] = (),
    ) -> list[Hit]:
        """Return the candidates of both lists with their scores, best first.

        Of equal ones the one indexed first comes first.
        """

    def over(self, snapshot: Snapshot) -> Self:
        """Return a retriever with the same encoder over a view of the snapshot."""
        return type(self)(snapshot, self._encoder, cosine_floor=self.cosine_floor)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the unit vectors of texts as those of queries, float32 (len(texts), dimension)."""
        return self._encoder.encode_queries(texts)

    def retrieve(
        self,
        question: str,
        k: int,
        scope: Scope | None = None,
        *,
        without: Collection[str] = (),
    ) -> list[RetrievedChunk]:
        """Return at most k passages, best first, none a copy of a better one.

        At most PER_DOCUMENT are of one document while those of others match comparably.
        `scope` limits the search to some documents, `without` leaves these ids out.
        """
        chosen = _Choice(k)
        finds = _Finds(self._snapshot.chunk)
        for hit in self.hits(question, scope, without=without):
            if chosen.is_complete(hit):
                break
            found = finds.add(hit)
            if found is not None:
                chosen.add(found)
        return [self._passage(found, rank) for rank, found in enumerate(chosen.best(), 1)]

    def candidates(
        self, question: str, scope: Scope | None, *, without: Collection[str]
    ) -> list[str]:
        """Return the ids of the documents among whose passages `retrieve` chooses."""
        rows = [hit.row for hit in self.hits(question, scope, without=without)]
        return list(dict.fromkeys(self._snapshot.documents_of(rows)))

    def _passage(self, found: _Found, rank: int) -> RetrievedChunk:
        """Return a passage with its copies in other documents, one of each."""
        info = self._snapshot.document_info
        chunk_of: dict[str, Chunk] = {}
        for chunk in found.copies:
            if chunk.document_id != found.chunk.document_id:
                chunk_of.setdefault(chunk.document_id, chunk)
        copies = [
            PassageCopy(chunk, info(document_id))
            for document_id, chunk in list(chunk_of.items())[:MOST_COPIES]
        ]
        document = info(found.chunk.document_id)
        return RetrievedChunk(found.chunk, document, found.hit, rank, tuple(copies))


class HybridRetriever(Retriever):
    """Retriever from an embedded store, whose rows are those of arrays."""

    _snapshot: SqliteSnapshot

    def hits(
        self,
        question: str,
        scope: Scope | None = None,
        *,
        without: Collection[str] = (),
    ) -> list[Hit]:
        """Return the candidates of both lists with their scores, best first.

        Of equal ones the one indexed first comes first.
        """
        snapshot = self._snapshot
        if snapshot.size == 0:
            return []
        query = self._encoder.encode_queries([question])[0]
        terms, codes = analyse_query(question)
        bm25_all = snapshot.lexical.match_scores(terms)
        exact_all = snapshot.lexical.shares(codes)
        mask = None if scope is None else scope.mask
        excluded = snapshot.rows_of(list(without)) if without else _NO_ROWS
        dense_rows = self._uncrowded(
            lambda rows: snapshot.dense.search(query, CANDIDATES, rows, mask)[0], excluded
        )
        bm25_rows = self._uncrowded(lambda rows: _matching(bm25_all, scope, rows), excluded)
        # The passages with a code of the question are among the first, however long they are.
        exact_rows = self._uncrowded(lambda rows: _matching(exact_all, scope, rows), excluded)
        # A row of any list gets all scores, so that fusion compares like with like.
        rows = np.union1d(np.union1d(dense_rows, bm25_rows), exact_rows)
        dense = snapshot.dense.scores(query, rows)
        scores = fuse(dense, bm25_all[rows], exact_all[rows], cosine_floor=self.cosine_floor)
        return ranked(rows, scores, dense, bm25_all[rows], dense_rows, bm25_rows)

    def _uncrowded(
        self,
        best: Callable[[NDArray[np.int64]], NDArray[np.int64]],
        excluded: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """Return the CANDIDATES best rows, and those of other documents if a few crowd the list.

        `best` returns the best rows without some; the `excluded` ones are never among them.
        """
        rows = best(excluded)
        counts = Counter(self._snapshot.documents_of(rows.tolist()))
        crowding = [each for each, count in counts.items() if count > CROWDED * CANDIDATES]
        if len(rows) < CANDIDATES or not crowding:
            return rows
        others = best(np.union1d(excluded, self._snapshot.rows_of(crowding)))
        return np.concatenate([rows, others[~np.isin(others, rows)]])


class _Finds:
    """Hits in the order of their scores, without copies of better ones."""

    def __init__(self, chunk_of: Callable[[int], Chunk]) -> None:
        self._chunk_of = chunk_of
        self._copies = CopyFilter()
        self._found: list[_Found] = []

    def add(self, hit: Hit) -> _Found | None:
        """Return a hit with its chunk, None for a copy, which is noted with the better one."""
        chunk = self._chunk_of(hit.row)
        number, novelty = self._copies.add(chunk.rendering.text, _sentences(chunk))
        if novelty == "new":
            self._found.append(_Found(hit, chunk))
            return self._found[-1]
        original = self._found[number]
        if novelty == "longer":
            original.hit = replace(hit, score=original.hit.score)
            original.chunk, chunk = chunk, original.chunk
        original.copies.append(chunk)
        return None


class _Choice:
    """The choice of k passages, with a limit for each document.

    A passage beyond the limit waits. It is chosen after all when the next one of another document
    does not match comparably.
    """

    def __init__(self, k: int) -> None:
        self._k = k
        self._chosen: list[_Found] = []
        # Each with the lowest score of a passage that goes before it.
        self._waiting: list[tuple[_Found, float]] = []
        self._of_document: Counter[str] = Counter()

    def is_complete(self, following: Hit) -> bool:
        """Return True if neither this hit nor a later one changes the choice."""
        self._admit(following.score)
        if len(self._chosen) < self._k:
            return False
        # A copy of the last one has its score.
        return following.score < self._chosen[self._k - 1].hit.score - _SAME_SCORE

    def add(self, found: _Found) -> None:
        """Choose a hit, or let it wait."""
        document_id = found.chunk.document_id
        self._of_document[document_id] += 1
        if self._of_document[document_id] <= PER_DOCUMENT:
            self._chosen.append(found)
            return
        is_repetition = any(found.repeats(other) for other in self._chosen)
        comparable = COMPARABLE_REPETITION if is_repetition else COMPARABLE
        self._waiting.append((found, found.hit.score - comparable))

    def best(self) -> list[_Found]:
        """Return the chosen ones, best first."""
        chosen = [*self._chosen, *(found for found, _ in self._waiting)][: self._k]
        return sorted(chosen, key=lambda found: -found.hit.score)

    def _admit(self, score: float) -> None:
        """Choose those that wait and match better than comparably with a score."""
        self._chosen += [found for found, lowest in self._waiting if score < lowest]
        self._waiting = [(found, lowest) for found, lowest in self._waiting if score >= lowest]


def _sentences(chunk: Chunk) -> Sequence[str]:
    """Return the sentences of a chunk; of a table's row none, as it means little without names."""
    if chunk.columns:
        return ()
    return [chunk.text[start - chunk.start : end - chunk.start] for start, end in chunk.sentences]


def _matching(
    scores: NDArray[np.float64], scope: Scope | None, without: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the CANDIDATES rows with the best scores above 0, best first.

    A score of 0 means that no term is shared: such a row was not found.
    """
    if len(without):
        scores = scores.copy()
        scores[without] = 0
    matching = scores > 0 if scope is None else (scores > 0) & scope.mask
    rows = np.flatnonzero(matching)
    return rows[top_k(scores[rows], CANDIDATES)]


def ranked(
    rows: NDArray[np.int64],
    scores: NDArray[np.float64],
    dense: NDArray[np.float32],
    bm25: NDArray[np.float64],
    dense_rows: NDArray[np.int64],
    bm25_rows: NDArray[np.int64],
) -> list[Hit]:
    """Return hits in the order of the fused scores.

    `scores`, `dense` and `bm25` are those of `rows`; `dense_rows` and `bm25_rows` the ranked lists.
    """
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
