"""The documents of a data directory, for the person who starts the MCP server on this machine."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from index.store.snapshot import DocumentInfo
from qa.answer import RetrievedPassage
from qa.interfaces.python import Library
from qa.library.documents import open_snapshot
from qa.verification.quote_check import quotes_of, verification


class LibraryDocuments:
    """The documents of a `Library` (see `tools.Documents`), which the caller closes."""

    def __init__(self, library: Library) -> None:
        self._library = library

    async def ask(self, question: str, tags: Sequence[str], *, sure: bool) -> dict[str, Any]:
        """Return the JSON of the answer to a question."""
        answer = await to_thread(self._library.ask, question, tags=tags or None, sure=sure)
        return answer.to_dict()

    async def search(
        self, query: str, tags: Sequence[str], top_k: int
    ) -> Sequence[RetrievedPassage]:
        """Return the passages that a query retrieves, best first."""
        return await to_thread(self._library.search, query, top_k=top_k, tags=tags or None)

    async def listed(self, tags: Sequence[str]) -> Sequence[DocumentInfo]:
        """Return the documents by uri."""
        return await to_thread(self._library.documents, tags)

    async def text(self, document_id: str) -> str:
        """Return the text of a document."""
        return await to_thread(self._library.text, document_id)

    async def verify(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Return the JSON of the proofs of an answer's quotes."""
        return await to_thread(self._verify, answer)

    def words(self, error: Exception) -> str:
        """Return an error as it is: whoever started the server owns the documents."""
        return str(error)

    def _verify(self, answer: dict[str, Any]) -> dict[str, Any]:
        quotes = quotes_of(answer)
        with closing(open_snapshot(self._library.settings)) as snapshot:
            return verification(quotes, snapshot)
