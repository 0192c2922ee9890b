"""MCP over streamable HTTP, `POST /mcp`, for askers that the door has let in.

Each request stands alone, without a session: who asks is the one whose key came with it. The SDK is
imported at the first request, for a server that no assistant ever asks over MCP.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from index.store.snapshot import DocumentInfo
from qa.access.gatekeeper import Gatekeeper
from qa.access.principal import Principal
from qa.answer import RetrievedPassage
from qa.errors import NotSignedIn
from qa.interfaces.api.dependencies import Asker
from qa.interfaces.api.problems import public_words
from qa.interfaces.api.question_queue import QuestionQueue
from qa.interfaces.service import Service
from qa.library.documents import document_text, documents_in
from qa.verification.quote_check import quotes_of, verification

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

PATH = "/mcp"
_ASKER: ContextVar[Principal] = ContextVar("asker")
"""Principal of the request that is being answered, set for the tasks that the SDK starts for it."""
Result = TypeVar("Result")


def is_installed() -> bool:
    """Return True if the SDK is there, an optional dependency."""
    return find_spec("mcp") is not None


def mcp_router(service: Service, questions: QuestionQueue, gatekeeper: Gatekeeper) -> APIRouter:
    """Return the route of MCP, whose questions wait in a queue and count for a key's rate."""
    endpoint = _Endpoint(ServiceDocuments(service, questions, gatekeeper))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await endpoint.close()

    routes = APIRouter(lifespan=lifespan)

    @routes.post(PATH, summary="Model Context Protocol, streamable HTTP", response_class=Response)
    async def mcp(_: Request, asker: Asker) -> Response:
        manager = await endpoint.manager()
        return _Delegated(manager, asker)

    return routes


class ServiceDocuments:
    """The documents of a server as far as the asker may read them (see `tools.Documents`)."""

    def __init__(self, service: Service, questions: QuestionQueue, gatekeeper: Gatekeeper) -> None:
        self._service = service
        self._questions = questions
        self._gatekeeper = gatekeeper

    async def ask(self, question: str, tags: Sequence[str], *, sure: bool) -> dict[str, Any]:
        """Return the JSON of the answer to a question."""

        def answered(asker: Principal, seconds: float) -> dict[str, Any]:
            answer = self._service.answer(
                asker, question, tags=tags or None, strict=sure, seconds=seconds
            )
            return answer.to_dict()

        answer = await self._in_turn(answered)
        self._service.count_answer("mcp", answer)
        return answer

    async def search(
        self, query: str, tags: Sequence[str], top_k: int
    ) -> Sequence[RetrievedPassage]:
        """Return the passages that a query retrieves, best first."""

        def found(asker: Principal, _: float) -> Sequence[RetrievedPassage]:
            with self._service.pipeline(asker) as pipeline:
                return pipeline.search(query, top_k=top_k, tags=tags or None)

        return await self._in_turn(found)

    async def listed(self, tags: Sequence[str]) -> Sequence[DocumentInfo]:
        """Return the documents by uri."""

        def listed(asker: Principal) -> Sequence[DocumentInfo]:
            with self._service.snapshot(asker) as snapshot:
                return documents_in(snapshot, tags) if snapshot else []

        return await run_in_threadpool(listed, _asker())

    async def text(self, document_id: str) -> str:
        """Return the text of a document."""

        def text(asker: Principal) -> str:
            with self._service.pipeline(asker) as pipeline:
                return document_text(pipeline.snapshot, document_id)

        return await run_in_threadpool(text, _asker())

    async def verify(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Return the JSON of the proofs of an answer's quotes."""

        def proofs(asker: Principal) -> dict[str, Any]:
            quotes = quotes_of(answer)
            with self._service.pipeline(asker) as pipeline:
                return verification(quotes, pipeline.snapshot)

        return await run_in_threadpool(proofs, _asker())

    def words(self, error: Exception) -> str:
        """Return what other doors say of an error, with the id under which the log has it."""
        return public_words(error)

    async def _in_turn(self, work: Callable[[Principal, float], Result]) -> Result:
        """Return the result of a question when its turn comes.

        The door has let the request in; that it asks a question is known here alone.
        """
        asker = _asker()
        await run_in_threadpool(self._gatekeeper.check, asker, "read", is_question=True)
        return await self._questions.run(lambda seconds: work(asker, seconds))


def _asker() -> Principal:
    try:
        return _ASKER.get()
    except LookupError:
        raise NotSignedIn("expected a request that the door has let in") from None


class _Endpoint:
    """The SDK's server, started at the first request and stopped with the application."""

    def __init__(self, documents: ServiceDocuments) -> None:
        self._documents = documents
        self._started: asyncio.Future[StreamableHTTPSessionManager] | None = None
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def manager(self) -> StreamableHTTPSessionManager:
        """Return the running session manager; an error of its start is raised each time."""
        if self._started is None:
            self._started = asyncio.get_running_loop().create_future()
            self._task = asyncio.create_task(self._run(self._started))
        return await asyncio.shield(self._started)

    async def close(self) -> None:
        """Stop the server."""
        self._stopping.set()
        if self._task is not None:
            await self._task

    async def _run(self, started: asyncio.Future[StreamableHTTPSessionManager]) -> None:
        """Keep the session manager open: its tasks must end where they were begun."""
        try:
            manager = await run_in_threadpool(_session_manager, self._documents)
            async with manager.run():
                started.set_result(manager)
                await self._stopping.wait()
        except Exception as error:  # whatever it is, those who wait for the start must hear of it
            if started.done():
                raise
            started.set_exception(error)


def _session_manager(documents: ServiceDocuments) -> StreamableHTTPSessionManager:
    from mcp.server.transport_security import TransportSecuritySettings

    from qa.interfaces.mcp.tools import mcp_server

    server = mcp_server(documents)
    server.streamable_http_app(
        json_response=True,
        stateless_http=True,
        # `Guard` has checked Host and Origin, of all doors alike.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    return server.session_manager


class _Delegated(Response):
    """Response that the SDK sends itself."""

    def __init__(self, manager: StreamableHTTPSessionManager, asker: Principal) -> None:
        super().__init__()
        self._manager = manager
        self._asker = asker

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the SDK answer, for the asker alone."""
        token = _ASKER.set(self._asker)
        try:
            await self._manager.handle_request(scope, receive, send)
        finally:
            _ASKER.reset(token)
