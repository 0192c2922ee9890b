"""The retriever from a shared store: its engine finds candidates, which are scored as elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence

import numpy as np

from index.lance.passages import Candidate
from index.lance.snapshot import LanceSnapshot
from index.search.bm25 import analyse_query
from index.search.fusion import Hit, fuse, top_k
from index.search.scope import Scope
from qa.answering.retrieval.retriever import CANDIDATES, CROWDED, Retriever, ranked

READ_AHEAD = 40
"""Best candidates that are read at once: those among which passages are chosen, nearly always."""


class SharedRetriever(Retriever):
    """Retriever from a shared store; a row is the id of a chunk."""

    _snapshot: LanceSnapshot

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
        engine = self._snapshot.engine
        if self._snapshot.size == 0:
            return []
        query = self._encoder.encode_queries([question])[0]
        terms, codes = analyse_query(question)
        documents = None if scope is None else scope.document_ids

        def nearest(excluded: Iterable[str]) -> list[Candidate]:
            return engine.nearest(query, CANDIDATES, documents, excluded)

        def best(
            wanted: Sequence[str], excluded: Iterable[str], *, shares: bool
        ) -> list[Candidate]:
            found = engine.matching(wanted, CANDIDATES, documents, excluded)
            found.sort(key=lambda each: each.row)
            scores = engine.shares(wanted, found) if shares else engine.scores(wanted, found)
            order = top_k(scores, CANDIDATES)
            return [found[at] for at in order.tolist() if scores[at] > 0]

        dense_list = _uncrowded(nearest, without)
        bm25_list = _uncrowded(lambda each: best(terms, each, shares=False), without)
        # The passages with a code of the question are among the first, however long they are.
        exact_list = _uncrowded(lambda each: best(codes, each, shares=True), without)
        # A row of any list gets all scores, so that fusion compares like with like.
        by_row = {each.row: each for each in (*dense_list, *bm25_list, *exact_list)}
        found = [by_row[row] for row in sorted(by_row)]
        if not found:
            return []
        dense = np.stack([each.vector for each in found]) @ query
        bm25 = engine.scores(terms, found)
        scores = fuse(dense, bm25, engine.shares(codes, found), cosine_floor=self.cosine_floor)
        hits = ranked(_rows(found), scores, dense, bm25, _rows(dense_list), _rows(bm25_list))
        self._snapshot.read_ahead([hit.row for hit in hits[:READ_AHEAD]])
        return hits


def _uncrowded(
    best: Callable[[Iterable[str]], list[Candidate]], excluded: Collection[str]
) -> list[Candidate]:
    """Return the CANDIDATES best rows, and those of other documents if a few crowd the list.

    `best` returns the best rows without some documents; the `excluded` ones are never among them.
    """
    found = best(excluded)
    counts = Counter(each.document_id for each in found)
    crowding = {each for each, count in counts.items() if count > CROWDED * CANDIDATES}
    if len(found) < CANDIDATES or not crowding:
        return found
    rows = {each.row for each in found}
    others = best({*excluded, *crowding})
    return [*found, *(each for each in others if each.row not in rows)]


def _rows(found: Sequence[Candidate]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([each.row for each in found], dtype=np.int64)
