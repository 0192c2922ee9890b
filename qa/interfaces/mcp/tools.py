"""Tools and resources of the MCP server, over whatever gives it the documents."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from importlib.metadata import version
from inspect import cleandoc
from typing import Any, ParamSpec, Protocol, TypeVar

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ResourceNotFoundError, ToolError
from mcp.types import Resource, ToolAnnotations
from pydantic import BaseModel

from index.errors import IndexingError
from index.store.snapshot import DocumentInfo
from qa.answer import RetrievedPassage
from qa.errors import QAError, UnknownDocumentId
from qa.interfaces.api.schemas import AnswerOut, VerificationOut

_INSTRUCTIONS = (
    "Answers questions over the user's own documents. Every answer is a span copied from a "
    "document, with a citation that `verify` proves. Quote answers as they are, with their "
    "source. `certainty` is sure, likely (say that it is probable) or none (the documents do not "
    "answer; the nearest passages are shown)."
)
MAX_CHARACTERS = 20_000
"""Characters of a document that one call reads."""
MAX_RESOURCES = 1000
"""Documents that are listed as resources; all of them can be read by their ids."""
_MOST_PASSAGES = 50
_READ_ONLY = ToolAnnotations(read_only_hint=True, open_world_hint=False)

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Documents(Protocol):
    """The documents that one asker may read; its methods raise QAError or IndexingError."""

    async def ask(self, question: str, tags: Sequence[str], *, sure: bool) -> dict[str, Any]:
        """Return the JSON of the answer to a question."""

    async def search(
        self, query: str, tags: Sequence[str], top_k: int
    ) -> Sequence[RetrievedPassage]:
        """Return the passages that a query retrieves, best first."""

    async def listed(self, tags: Sequence[str]) -> Sequence[DocumentInfo]:
        """Return the documents by uri, those with any of the tags if there are any."""

    async def text(self, document_id: str) -> str:
        """Return the text of a document, in which citations count."""

    async def verify(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Return the JSON of the proofs of an answer's quotes."""

    def words(self, error: Exception) -> str:
        """Return what the asker may know of an error."""


class Passages(BaseModel):
    """Passages, best first."""

    passages: list[RetrievedPassage]


class DocumentList(BaseModel):
    """Documents by uri."""

    documents: list[DocumentInfo]


class TextPart(BaseModel):
    """The characters [start, end) of a document that has `characters` of them."""

    text: str
    start: int
    end: int
    characters: int


class _Server(MCPServer[Any]):
    """The SDK's server, whose list of resources is made anew for each asker."""

    def __init__(self, documents: Documents) -> None:
        super().__init__(
            "quoted",
            title="quoted",
            instructions=_INSTRUCTIONS,
            version=version("quoted-qa"),
            log_level="WARNING",
        )
        self._documents = documents

    async def list_resources(self) -> list[Resource]:
        """Return the documents as resources."""
        documents = await self._documents.listed(())
        return [
            Resource(
                uri=f"quoted://documents/{each.id}",
                name=each.uri,
                title=each.title,
                mime_type="text/plain",
            )
            for each in documents[:MAX_RESOURCES]
        ]


def mcp_server(documents: Documents) -> MCPServer[Any]:
    """Return a server of tools and resources over documents."""
    server = _Server(documents)
    _add_asking(server, documents)
    _add_reading(server, documents)
    return server


def _add_asking(server: MCPServer[Any], documents: Documents) -> None:
    """Add the tools that answer, retrieve and verify."""
    told = _telling(documents.words)

    @server.tool(title="Ask the documents", annotations=_READ_ONLY)
    @told
    async def ask(question: str, tags: list[str] | None = None, *, sure: bool = False) -> AnswerOut:
        """Answer a question with quotes from the documents.

        `tags` limits the search to documents with any of them; with `sure`, answers that are only
        likely are withheld.
        """
        return AnswerOut(**await documents.ask(question, tags or (), sure=sure))

    @server.tool(title="Search the documents", annotations=_READ_ONLY)
    @told
    async def search(query: str, top_k: int = 10, tags: list[str] | None = None) -> Passages:
        """Return the passages that a query retrieves, best first."""
        count = min(max(top_k, 1), _MOST_PASSAGES)
        return Passages(passages=list(await documents.search(query, tags or (), count)))

    @server.tool(title="Verify quotes", annotations=_READ_ONLY)
    @told
    async def verify(answer: dict[str, Any]) -> VerificationOut:
        """Prove or disprove each quote of an answer of `ask` against the indexed documents."""
        return VerificationOut(**await documents.verify(answer))


def _add_reading(server: MCPServer[Any], documents: Documents) -> None:
    """Add the tools that list and read documents, and the documents as resources."""
    told = _telling(documents.words)

    @server.tool(title="List the documents", annotations=_READ_ONLY)
    @told
    async def list_documents(tags: list[str] | None = None) -> DocumentList:
        """List the documents with their ids, titles, dates and tags."""
        return DocumentList(documents=list(await documents.listed(tags or ())))

    @server.tool(title="Read a document", annotations=_READ_ONLY)
    @told
    async def read_document(
        document_id: str, start: int = 0, length: int = MAX_CHARACTERS
    ) -> TextPart:
        """Return the characters [start, start + length) of a document, in which citations count."""
        text = await documents.text(document_id)
        first = min(max(start, 0), len(text))
        end = min(first + min(max(length, 1), MAX_CHARACTERS), len(text))
        return TextPart(text=text[first:end], start=first, end=end, characters=len(text))

    @server.resource(
        "quoted://documents/{document_id}", title="Text of a document", mime_type="text/plain"
    )
    async def document(document_id: str) -> str:
        """Return the whole text of a document."""
        try:
            return await documents.text(document_id)
        except UnknownDocumentId as error:
            raise ResourceNotFoundError(documents.words(error)) from error


def _telling(
    words: Callable[[Exception], str],
) -> Callable[[Callable[Arguments, Awaitable[Result]]], Callable[Arguments, Awaitable[Result]]]:
    """Return a decorator that tells the assistant of our errors in words.

    Others are the SDK's to report.
    """

    def told(
        function: Callable[Arguments, Awaitable[Result]],
    ) -> Callable[Arguments, Awaitable[Result]]:
        @wraps(function)
        async def telling(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
            try:
                return await function(*args, **kwargs)
            except (QAError, IndexingError) as error:
                raise ToolError(words(error)) from error

        # What an assistant reads should not be indented like the code.
        telling.__doc__ = cleandoc(function.__doc__ or "")
        return telling

    return told
