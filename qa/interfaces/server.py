"""The server process: loads in the background, mounts the interfaces, follows new generations,
stops cleanly.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI

from index.ingestion.report import Outcome
from index.ingestion.watcher import Watched
from index.models.encoder import Encoder
from qa.answering.live_pipeline import LivePipeline
from qa.bootstrap import conversations_of, live_pipeline, load_encoder, load_reader, threads_of
from qa.conversations.conversation import Conversations
from qa.errors import NotReady, SettingsError
from qa.interfaces.api.ask import add_error_handlers, router
from qa.interfaces.api.conversations import conversation_router
from qa.interfaces.api.documents import document_router, overview_router
from qa.interfaces.api.host_guard import Guard
from qa.interfaces.api.source_pages import originals_router
from qa.interfaces.api.verification import verification_router
from qa.interfaces.plaintext.differences import difference_line
from qa.interfaces.slack import PREFIX
from qa.interfaces.slack.dependencies import missing_extra
from qa.interfaces.slack.webhook import webhook_router
from qa.interfaces.web import page_router
from qa.library.index_follower import Interruptible, follow_sources
from qa.library.upload_service import UploadService
from qa.library.upload_worker import UploadWorker
from qa.settings import Settings
from qa.state.saved_questions import Difference

if TYPE_CHECKING:
    from qa.interfaces.slack.plugin import Bot

REFRESH_SECONDS = 0.25
"""How often the store's generation is looked at; a new one must be served within a second."""
RETRY_SECONDS = 5.0
"""After watching could not begin: on a full disk, or while a long run indexes."""
NOTHING = Watched()
SHUTDOWN_SECONDS = 5
"""How long requests in flight may take after SIGTERM."""

log = logging.getLogger("uvicorn.error")


class ServerState:
    """The live pipeline, loaded and refreshed by a thread of its own; another one keeps the index
    up to date with the `watched` paths.
    """

    def __init__(self, settings: Settings, watched: Watched = NOTHING) -> None:
        self._settings, self._watched = settings, watched
        self._live: LivePipeline | None = None
        self._problem: Exception = NotReady(
            "the server is still loading its models: try again in a few seconds"
        )
        self._reported = ""
        self._refresh_took = 0.0
        self._opening = threading.Lock()
        self._conversations: Conversations | None = None
        self._intake: UploadService | None = None
        self._stopping = threading.Event()
        self._working: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._run, name="refresh", daemon=True)

    def start(self) -> None:
        """Begin loading."""
        self._thread.start()

    def stop(self) -> None:
        """End the threads and close the index."""
        self._stopping.set()
        for thread in self._working:
            thread.join(timeout=SHUTDOWN_SECONDS)
        if self._live:
            self._thread.join(timeout=SHUTDOWN_SECONDS)
            self._live.close()

    def live(self) -> LivePipeline:
        """The live pipeline; raises what has kept it from loading."""
        if self._live is None:
            raise self._problem
        return self._live

    def conversations(self) -> Conversations:
        """The conversations of the data directory, opened when they are first needed; raises
        StoreError.
        """
        with self._opening:
            if self._conversations is None:
                self._conversations = conversations_of(self._settings)
            return self._conversations

    def intake(self) -> UploadService:
        """What takes and deletes documents, made when it is first needed."""
        with self._opening:
            if self._intake is None:
                self._intake = UploadService(self._settings)
            return self._intake

    def _run(self) -> None:
        try:
            encoder = load_encoder(self._settings)
            live = live_pipeline(self._settings, encoder, load_reader(self._settings))
        except Exception as error:  # noqa: BLE001 - kept, and raised by every request
            self._problem = error
            log.error("The model cannot be loaded: %s", error)  # noqa: TRY400 - the message says it all
            return
        self._refresh(live)
        self._live = live
        works = [self._upload, *([self._watch] if self._watched.paths else [])]
        self._working = [
            threading.Thread(target=work, args=(encoder,), name=work.__name__, daemon=True)
            for work in works
        ]
        for thread in self._working:
            thread.start()
        while not self._stopping.wait(max(REFRESH_SECONDS, self._refresh_took)):
            self._refresh(live)

    def _watch(self, encoder: Encoder) -> None:
        failed = ""
        while not self._stopping.is_set():
            try:
                follow_sources(
                    self._settings, encoder, self.live, self._watched, _Log(), self._stopping
                )
            except Exception as error:  # noqa: BLE001 - the server goes on serving what is indexed, and tries again
                if str(error) != failed:
                    failed = str(error)
                    log.error("Nothing is watched now: %s", error)  # noqa: TRY400
                self._stopping.wait(RETRY_SECONDS)

    def _upload(self, encoder: Encoder) -> None:
        worker = UploadWorker(
            self._settings,
            Interruptible(encoder, self._stopping),
            lambda: self._refresh(self.live()),
            log.warning,
        )
        worker.run(self.intake().waiting, self._stopping)

    def _refresh(self, live: LivePipeline) -> None:
        began = time.monotonic()
        try:
            if live.refresh():
                self._refresh_took = time.monotonic() - began
                log.info("Serving generation %s.", live.generation)
            self._reported = ""
        except Exception as error:  # noqa: BLE001 - whatever it is, the thread must live to serve the next generation
            self._refresh_took = time.monotonic() - began
            if str(error) != self._reported:
                self._reported = str(error)
                log.error("The index cannot be served: %s", error)  # noqa: TRY400
        finally:
            live.release_if_idle()


class _Log:
    """What the watching thread tells, in the server's log."""

    def planned(self, files: int) -> None:
        pass

    def embedded(self, passages: int) -> None:
        pass

    def finished(self, outcome: Outcome) -> None:
        if outcome.status != "unchanged":
            log.info(
                "%s: %s%s",
                outcome.status,
                outcome.uri,
                f": {outcome.detail}" if outcome.detail else "",
            )

    def said(self, text: str) -> None:
        log.warning("%s", text)

    def differ(self, differences: Sequence[Difference]) -> None:
        for each in differences:
            log.info("%s", difference_line(each))


def create_app(
    settings: Settings, watched: Watched = NOTHING, *, only_slack: bool = False
) -> FastAPI:
    """The ASGI application; loading starts with its lifespan. Raises SettingsError if only Slack is
    to be served and cannot be.
    """
    service = ServerState(settings, watched)
    why_not = _why_no_slack(settings)
    if only_slack and why_not:
        raise SettingsError(f"Slack cannot be served: {why_not}")
    bot = None if why_not else _bot(settings, service)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        log.info("Slack is %s.", f"off, its endpoints answer 404: {why_not}" if why_not else "on")
        service.start()
        async with AsyncExitStack() as stack:
            if bot:
                await stack.enter_async_context(bot.running())
            yield
        service.stop()

    app = FastAPI(
        title="quoted",
        version=version("quoted-qa"),
        description="Answers in the documents' own words, each with a citation.",
        lifespan=lifespan,
        openapi_url=None if only_slack else "/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    if bot:
        app.include_router(bot.router())
    if not only_slack:
        _include_all(app, service, settings)
    add_error_handlers(app)
    app.add_middleware(
        Guard,
        allowed_hosts=settings.allowed_hosts,
        signed=PREFIX,
        max_upload_bytes=settings.max_upload_bytes,
    )
    return app


def _include_all(app: FastAPI, service: ServerState, settings: Settings) -> None:
    app.include_router(router(service))
    app.include_router(document_router(service))
    app.include_router(overview_router(service))
    app.include_router(conversation_router(service))
    app.include_router(verification_router(service))
    app.include_router(originals_router(service))
    app.include_router(page_router())
    if settings.webhook_token:
        app.include_router(
            webhook_router(
                service, threads_of(settings), settings.webhook_token, settings.public_url
            )
        )


def _why_no_slack(settings: Settings) -> str:
    """What is missing for Slack; "" if nothing is."""
    given = {
        "SLACK_SIGNING_SECRET": settings.slack.signing_secret,
        "SLACK_BOT_TOKEN": settings.slack.bot_token,
    }
    missing = [name for name, value in given.items() if not value]
    return f"{' and '.join(missing)} not set" if missing else missing_extra()


def _bot(settings: Settings, service: ServerState) -> Bot:
    from qa.interfaces.slack.plugin import Bot

    return Bot(settings, service)


def run(
    settings: Settings,
    host: str,
    port: int,
    watched: Watched = NOTHING,
    *,
    only_slack: bool = False,
) -> None:
    """Serve until SIGTERM or SIGINT, then exit with 0; exit with 1 if the port cannot be had."""
    app = create_app(settings, watched, only_slack=only_slack)

    def leave(_signal: int, _frame: FrameType | None) -> None:
        sys.exit(0)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    try:
        uvicorn.run(
            app,
            host=host,
            port=port,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            server_header=False,
        )
    except (
        SystemExit
    ) as stop:  # uvicorn ends with 3 when it cannot bind, which would be "no answer found"
        sys.exit(1 if stop.code else 0)
