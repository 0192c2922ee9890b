"""Scope of a search: documents, and the rows of their chunks."""

from __future__ import annotations

import numpy as np

from index.search.scope import Scope


def test_a_scope_knows_its_documents_and_rows() -> None:
    scope = Scope.of(["b", "a", "b"], np.array([1, 4]), 6)

    assert scope.document_ids == ("b", "a")
    assert "a" in scope
    assert "c" not in scope
    assert scope.size == 2
    assert scope.mask.tolist() == [False, True, False, False, True, False]
    assert scope.inside(np.array([4, 0, 1, 4])).tolist() == [4, 1, 4]


def test_an_empty_scope_has_no_rows() -> None:
    scope = Scope.of([], np.zeros(0, dtype=np.int64), 3)

    assert scope.size == 0
    assert scope.inside(np.array([0, 2])).tolist() == []
