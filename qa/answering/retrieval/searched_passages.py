"""The passages that a question is asked of, as far as the words in them matter."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from index.search.bm25 import STOP_WORDS, analyse
from index.search.scope import Scope
from index.search.vocabulary import MOST_PASSAGES, words_of
from index.store.snapshot import Snapshot


class SearchedPassages:
    """The passages of the documents that are searched (scope; None: all)."""

    def __init__(
        self,
        snapshot: Snapshot,
        scope: Scope | None = None,
        absent: Callable[[Iterable[str]], Container[str]] = lambda _: (),
    ) -> None:
        """Search some documents; `hold` leaves out those that `absent` returns of some ids."""
        self._snapshot = snapshot
        self._absent = absent
        self._scope = scope

    @property
    def size(self) -> int:
        """Number of passages."""
        return self._snapshot.size if self._scope is None else self._scope.size

    def know(self, word: str) -> bool:
        """Return True if a passage has a form of the word, or if it is a function word."""
        return self.count(word) > 0

    def count(self, word: str) -> int:
        """Return the number of passages with a form of the word; all, for a function word."""
        if word.lower() in STOP_WORDS:
            return max(self._snapshot.size, 1)
        return len(self.rows_with_all(analyse(word)))

    def rows_with_all(self, terms: Iterable[str]) -> NDArray[np.int64]:
        """Return the rows of the passages that have all of some index terms, int64 (n,)."""
        rows = self._snapshot.lexical.rows_with_all(terms)
        return rows if self._scope is None else self._scope.inside(rows)

    def hold(self, word: str) -> bool:
        """Return True if a passage of a document that counts has the word in this very form.

        All words are of a passage if all documents may be shown.
        """
        if word in STOP_WORDS:
            return True
        rows = self.rows_with_all(analyse(word))[:MOST_PASSAGES].tolist()
        documents = self._snapshot.documents_of(rows)
        absent = self._absent(set(documents))
        present = [row for row, each in zip(rows, documents, strict=True) if each not in absent]
        if self._scope is None and not self._snapshot.has_other_words:
            return bool(present)
        texts = (self._snapshot.chunk(row).embedded_text for row in present)
        return any(word in words_of(text) for text in texts)

    def texts_with_all(self, terms: Iterable[str]) -> Iterator[str]:
        """Yield the texts of the first passages that have all of some index terms."""
        rows = self.rows_with_all(terms)[:MOST_PASSAGES]
        return (self._snapshot.chunk(row).embedded_text for row in rows.tolist())
