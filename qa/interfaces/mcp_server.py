"""MCP server: the documents as tools and resources of an assistant, over standard input and output.

It needs the extra `mcp`, the official SDK. The handshake is answered before anything is loaded:
models and index are loaded at the first call that needs them.

Source: modelcontextprotocol.io/specification, "Tools" and "Resources".
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from functools import wraps
from importlib.metadata import version
from typing import Any, ParamSpec, TypeVar

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from index.errors import IndexingError
from qa.errors import QAError
from qa.interfaces.python import Library
from qa.library.documents import open_snapshot
from qa.verification.quote_check import in_index, quotes_of, verify

_INSTRUCTIONS = (
    "Answers questions over the user's own documents. Every answer is a span copied from a "
    "document, with a citation that `verify_answer` proves. Quote answers as they are, with their "
    "source. `certainty` is sure, likely (say that it is probable) or none (the documents do not "
    "answer; the nearest passages are shown)."
)
MAX_CHARACTERS = 20_000
"""Characters of a document that one call reads."""
_MOST_PASSAGES = 50

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def mcp_server(library: Library) -> MCPServer[Any]:
    """Return a server over the documents of a library, which the caller closes."""
    server: MCPServer[Any] = MCPServer(
        "quoted",
        title="quoted",
        instructions=_INSTRUCTIONS,
        version=version("quoted-qa"),
        log_level="WARNING",
    )

    @server.tool(title="Ask the documents")
    @_told
    def ask(question: str, tags: list[str] | None = None, *, sure: bool = False) -> dict[str, Any]:
        """Answer a question with quotes from the documents.

        `tags` limits the search to documents with any of them; with `sure`, answers that are only
        likely are withheld.
        """
        return library.ask(question, tags=tags, sure=sure).to_dict()

    @server.tool(title="Search the documents")
    @_told
    def search(query: str, top_k: int = 10, tags: list[str] | None = None) -> dict[str, Any]:
        """Return the passages that a query retrieves, best first."""
        count = min(max(top_k, 1), _MOST_PASSAGES)
        found = library.search(query, top_k=count, tags=tags)
        return {"passages": [asdict(each) for each in found]}

    @server.tool(title="List the documents")
    @_told
    def list_documents(tags: list[str] | None = None) -> dict[str, Any]:
        """List the documents with their ids, titles, dates and tags."""
        return {"documents": [asdict(each) for each in library.documents(tags or ())]}

    @server.tool(title="Read a document")
    @_told
    def read_document(
        document_id: str, start: int = 0, length: int = MAX_CHARACTERS
    ) -> dict[str, Any]:
        """Return the characters [start, start + length) of a document, in which citations count."""
        text = library.text(document_id)
        first = min(max(start, 0), len(text))
        end = min(first + min(max(length, 1), MAX_CHARACTERS), len(text))
        return {"text": text[first:end], "start": first, "end": end, "characters": len(text)}

    @server.tool(title="Verify quotes")
    @_told
    def verify_answer(answer: dict[str, Any]) -> dict[str, Any]:
        """Prove or disprove each quote of an answer of `ask` against the indexed documents."""
        quotes = quotes_of(answer)
        with closing(open_snapshot(library.settings)) as snapshot:
            proofs = [proof.to_dict() for proof in verify(quotes, in_index(snapshot))]
        return {"proved": all(proof["proved"] for proof in proofs), "proofs": proofs}

    @server.resource(
        "quoted://documents/{document_id}", title="Text of a document", mime_type="text/plain"
    )
    @_told
    def document(document_id: str) -> str:
        """Return the whole text of a document."""
        return library.text(document_id)

    return server


def _told(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Tell the assistant of our errors in words; others are the SDK's to report."""

    @wraps(function)
    def telling(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        try:
            return function(*args, **kwargs)
        except (QAError, IndexingError) as error:
            raise ToolError(str(error)) from error

    return telling
