"""Server process: load the models, mount the interfaces, follow the index.

A generation is one committed state of the index. The server answers from the newest one.
"""

from __future__ import annotations

import logging
import logging.config
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, replace
from importlib.metadata import version
from types import FrameType
from typing import TYPE_CHECKING, Any

import uvicorn
from fastapi import FastAPI, Response, Security
from fastapi.security import HTTPBearer

from index.ingestion.report import Outcome
from index.ingestion.watcher import WatchedPaths
from index.models.encoder import Encoder
from qa.access.gatekeeper import Gatekeeper
from qa.answer import Answer
from qa.answering.live_pipeline import LivePipeline
from qa.answering.reading.reader import Reader
from qa.bootstrap import (
    live_pipeline,
    load_encoder,
    load_pipeline,
    load_reader,
    open_chat_threads,
    open_conversations,
    open_gap_records,
)
from qa.conversations.conversation import Conversations
from qa.errors import NoIndex, NoSample, NotReady, SettingsError
from qa.interfaces.api.ask import ask_router
from qa.interfaces.api.conversations import conversation_router
from qa.interfaces.api.description import describe_open_routes
from qa.interfaces.api.documents import document_router
from qa.interfaces.api.door import Door
from qa.interfaces.api.gaps import gap_router
from qa.interfaces.api.host_guard import Guard, is_loopback
from qa.interfaces.api.permissions import rule_of
from qa.interfaces.api.presence import Presence
from qa.interfaces.api.problems import add_error_handlers, problem_of
from qa.interfaces.api.proxies import TrustedProxies, networks_of
from qa.interfaces.api.question_queue import QuestionQueue
from qa.interfaces.api.root_path import RootPath
from qa.interfaces.api.schemas import PROBLEMS
from qa.interfaces.api.sessions import session_router
from qa.interfaces.api.source_pages import source_page_router
from qa.interfaces.api.verification import verification_router
from qa.interfaces.connections import limits
from qa.interfaces.draining import Drain, DrainingServer, RequestsInFlight
from qa.interfaces.logs import Format, RequestLog, configuration, log_answer
from qa.interfaces.mcp import endpoint as mcp
from qa.interfaces.metrics import Metrics, metrics_router
from qa.interfaces.openai.errors import error_response
from qa.interfaces.openai.routes import openai_router
from qa.interfaces.plaintext.differences import difference_line
from qa.interfaces.service import Service
from qa.interfaces.slack import PREFIX
from qa.interfaces.slack.dependencies import missing_extra
from qa.interfaces.slack.teams import teams_router
from qa.interfaces.slack.webhook import webhook_router
from qa.interfaces.tracing import NoTraces, RequestTraces, Traces, traces_to
from qa.interfaces.web import page_router
from qa.library.documents import has_index
from qa.library.index_follower import Interruptible, follow_sources
from qa.library.listener import Listener
from qa.library.sample import NOTE, sample_settings
from qa.library.upload_service import UploadService
from qa.library.upload_worker import UploadWorker
from qa.settings import Settings
from qa.state.gap_records import GapRecords
from qa.state.saved_questions import Difference

if TYPE_CHECKING:
    from qa.interfaces.slack.plugin import Bot

REFRESH_SECONDS = 0.25
"""Seconds between two looks at the generation; a new one must be served within a second."""
RETRY_SECONDS = 5.0
"""Seconds before watching is tried again after it failed, for example on a full disk."""
NOTHING = WatchedPaths()
SHUTDOWN_SECONDS = 5
"""Seconds that plain reads in flight may take at the end, when all questions are answered."""

log = logging.getLogger("uvicorn.error")


class ServerState(Service):
    """The live pipeline of this process, with the threads that keep it up to date.

    The refresh thread loads the models and swaps in each new generation. It starts the other two:
    one indexes uploads, one keeps the index up to date with the watched paths, if there are any.
    """

    def __init__(self, settings: Settings, watched: WatchedPaths = NOTHING) -> None:
        self.metrics = Metrics()
        self.traces: Traces = NoTraces()
        self._settings = settings
        self._watched = watched
        self._live: LivePipeline | None = None
        self._models: tuple[Encoder, Reader] | None = None
        self._load_error: Exception = NotReady(
            "the server is still loading its models: try again in a few seconds"
        )
        self._logged_refresh_error = ""
        self._refresh_seconds = 0.0
        self._opening = threading.Lock()
        self._conversations: Conversations | None = None
        self._gap_records: GapRecords | None = None
        self._upload_service: UploadService | None = None
        self.metrics.count_uploads(self._upload_file_counts)
        self._stopping = threading.Event()
        self._background_threads: list[threading.Thread] = []
        self._refresh_thread = threading.Thread(target=self._run, name="refresh", daemon=True)

    def start(self) -> None:
        """Begin to load the models and the index."""
        self._refresh_thread.start()

    def stop(self) -> None:
        """End the threads and close the index."""
        self._stopping.set()
        for thread in self._background_threads:
            thread.join(timeout=SHUTDOWN_SECONDS)
        # While the models are loading there is nothing to close, and no reason to wait for them.
        if self._live:
            self._refresh_thread.join(timeout=SHUTDOWN_SECONDS)
            self._live.close()

    def live(self) -> LivePipeline:
        """Return the live pipeline.

        Raises NotReady while the models are loading, or the error that has kept them from loading.
        """
        if self._live is None:
            raise self._load_error
        return self._live

    def conversations(self) -> Conversations:
        """Return the conversations of the data directory, opened at the first call.

        Raises StoreError if they cannot be opened; the next call tries again.
        """
        with self._opening:
            if self._conversations is None:
                self._conversations = open_conversations(self._settings)
            return self._conversations

    def gap_records(self) -> GapRecords:
        """Return the questions asked in vain, opened at the first call. Raises StoreError."""
        with self._opening:
            if self._gap_records is None:
                self._gap_records = open_gap_records(self._settings)
            return self._gap_records

    def upload_service(self) -> UploadService:
        """Return the service that takes and deletes documents, made at the first call."""
        with self._opening:
            if self._upload_service is None:
                self._upload_service = UploadService(self._settings)
            return self._upload_service

    def count_answer(self, door: str, answer: Mapping[str, Any]) -> None:
        """Count an answer for GET /metrics, trace its stages, and log it if that is asked for."""
        self.metrics.answered(door, answer)
        self.traces.answered(door, answer)
        if self._settings.log_questions:
            log_answer(door, answer)

    def _upload_file_counts(self) -> Mapping[str, int]:
        return self.upload_service().jobs.file_counts()

    def ask_sample(self, question: str) -> Answer:
        """Answer a question from the sample document, which is indexed for this answer alone.

        Raises NotReady, or NoSample where documents are indexed or there is no sample.
        """
        self.live()
        if has_index(self._settings) or self._models is None:
            raise NoSample("documents are indexed by now: ask them")
        encoder, reader = self._models
        with sample_settings(self._settings, encoder) as settings:
            if settings is None:
                raise NoSample("the sample document is not installed")
            pipeline = load_pipeline(settings, encoder, reader)
            with closing(pipeline.snapshot):
                answer = pipeline.ask(question)
                return replace(answer, notes=(*answer.notes, NOTE))

    def _run(self) -> None:
        """Load the models, then refresh the pipeline until the server stops."""
        try:
            encoder = load_encoder(self._settings)
            reader = load_reader(self._settings)
            live = live_pipeline(self._settings, encoder, reader)
        except Exception as error:  # noqa: BLE001 - kept, and raised by every request
            self._load_error = error
            # The message says it all, so that no traceback is logged.
            log.error("The model cannot be loaded: %s", error)  # noqa: TRY400
            return
        # The first refresh comes before anyone can ask: "ready" means that the index is loaded too.
        self._refresh(live)
        self._models = encoder, reader
        self._live = live
        self._start_background_threads(encoder)
        # A refresh that takes long, on a large index, may use half of the time at most.
        while not self._stopping.wait(max(REFRESH_SECONDS, self._refresh_seconds)):
            self._refresh(live)

    def _start_background_threads(self, encoder: Encoder) -> None:
        targets = [self._upload]
        if self._watched.paths:
            targets.append(self._watch)
        self._background_threads = [
            threading.Thread(target=target, args=(encoder,), name=target.__name__, daemon=True)
            for target in targets
        ]
        for thread in self._background_threads:
            thread.start()

    def _watch(self, encoder: Encoder) -> None:
        """Keep the index up to date with the watched paths; try again after an error."""
        logged_error = ""
        while not self._stopping.is_set():
            try:
                follow_sources(
                    self._settings, encoder, self.live, self._watched, _Log(), self._stopping
                )
            # Whatever happens, the server goes on to serve what is indexed.
            except Exception as error:  # noqa: BLE001
                # The same error again would only fill the log.
                if str(error) != logged_error:
                    logged_error = str(error)
                    log.error("Nothing is watched now: %s", error)  # noqa: TRY400
                self._stopping.wait(RETRY_SECONDS)

    def _upload(self, encoder: Encoder) -> None:
        """Index uploads as they come in."""
        worker = UploadWorker(
            self._settings,
            Interruptible(encoder, self._stopping),
            lambda: self._refresh(self.live()),
            log.warning,
        )
        worker.run(self.upload_service().waiting, self._stopping)

    def _refresh(self, live: LivePipeline) -> None:
        """Serve the newest generation, and let go of the store if nobody is asking."""
        began = time.monotonic()
        try:
            if live.refresh():
                self._refresh_seconds = time.monotonic() - began
                log.info("Serving generation %s.", live.generation)
                self._measure(live)
            self._logged_refresh_error = ""
        # Whatever happens, the thread must live on to serve the next generation.
        except Exception as error:  # noqa: BLE001
            self._refresh_seconds = time.monotonic() - began
            if str(error) != self._logged_refresh_error:
                self._logged_refresh_error = str(error)
                log.error("The index cannot be served: %s", error)  # noqa: TRY400
        finally:
            live.release_if_idle()

    def _measure(self, live: LivePipeline) -> None:
        """Note the size of a new generation, while it is open anyway."""
        try:
            with live.use() as pipeline:
                snapshot = pipeline.snapshot
                self.metrics.index.set(snapshot.generation, snapshot.document_count, snapshot.size)
        except NoIndex:
            self.metrics.index.set(0, 0, 0)


class _Log(Listener):
    """Listener of the watching thread that writes to the server's log."""

    def on_file(self, outcome: Outcome) -> None:
        if outcome.status != "unchanged":
            detail = f": {outcome.detail}" if outcome.detail else ""
            log.info("%s: %s%s", outcome.status, outcome.uri, detail)

    def on_message(self, text: str) -> None:
        log.warning("%s", text)

    def on_differences(self, differences: Sequence[Difference]) -> None:
        for each in differences:
            log.info("%s", difference_line(each))


@dataclass(frozen=True, slots=True)
class Binding:
    """Address that the server listens on, and the proxies that it believes.

    With `is_open` nobody needs a key beyond loopback either. `trusted_proxies` are addresses or
    networks; `person_header` is the header in which they name whom they have signed in. `root_path`
    is the path below which a proxy serves this server, "" for the root.
    """

    host: str = "127.0.0.1"
    is_open: bool = False
    trusted_proxies: tuple[str, ...] = ()
    person_header: str | None = None
    root_path: str = ""

    @property
    def is_reachable(self) -> bool:
        """True if others than this machine's own processes may reach the server."""
        return not is_loopback(self.host) or bool(self.trusted_proxies)


LOOPBACK = Binding()


def create_app(
    settings: Settings,
    watched: WatchedPaths = NOTHING,
    *,
    only_slack: bool = False,
    binding: Binding = LOOPBACK,
    requests: RequestsInFlight | None = None,
) -> FastAPI:
    """Return the ASGI application, whose lifespan starts and stops the server's threads.

    `requests` counts those that must be finished before the process ends.
    Raises SettingsError if only Slack is to be served but is not set up, or if others may reach the
    server but nobody has a key.
    """
    service = ServerState(settings, watched)
    gatekeeper = _gatekeeper(settings, binding, only_slack=only_slack)
    why_no_slack = _why_no_slack(settings)
    if only_slack and why_no_slack:
        raise SettingsError(f"Slack cannot be served: {why_no_slack}")
    questions = QuestionQueue(observer=service.metrics)
    service.metrics.watch(questions)
    bot = None if why_no_slack else _bot(settings, service, questions)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if why_no_slack:
            log.info("Slack is off, its endpoints answer 404: %s.", why_no_slack)
        else:
            log.info("Slack is on.")
        service.start()
        async with AsyncExitStack() as stack:
            if bot:
                await stack.enter_async_context(bot.running())
            yield
        questions.close()
        service.stop()
        service.traces.close()
        gatekeeper.close()

    app = FastAPI(
        title="quoted",
        version=version("quoted-qa"),
        description="Answers in the documents' own words, each with a citation.",
        lifespan=lifespan,
        # Under `--only slack` the server may be reachable from outside: it then has no other path.
        openapi_url=None if only_slack else "/openapi.json",
        servers=[{"url": binding.root_path}] if binding.root_path else None,
        docs_url=None,
        redoc_url=None,
        dependencies=[Security(HTTPBearer(auto_error=False, description=_BEARER))],
    )
    app.state.gatekeeper = gatekeeper
    app.state.service = service
    if bot:
        app.include_router(bot.router())
    if not only_slack:
        _include_local_routers(app, service, questions, gatekeeper, settings)
        app.include_router(metrics_router(service.metrics), responses=PROBLEMS)
    describe_open_routes(app)
    add_error_handlers(app)
    # The last one added is the first to see a request.
    app.add_middleware(Presence)
    app.add_middleware(Door, gatekeeper=gatekeeper, error_response=_refusal_at)
    app.add_middleware(
        Guard,
        allowed_hosts=settings.allowed_hosts,
        signed=PREFIX,
        max_upload_bytes=settings.max_upload_bytes,
    )
    app.add_middleware(
        TrustedProxies,
        trusted=networks_of(binding.trusted_proxies),
        person_header=binding.person_header,
    )
    app.add_middleware(
        Drain,
        requests=requests or RequestsInFlight(),
        matters=_must_be_finished,
        error_response=_refusal_at,
    )
    if settings.traces:
        service.traces = traces = traces_to(settings.traces)
        app.add_middleware(RequestTraces, traces=traces)
    app.add_middleware(RequestLog)
    if binding.root_path:
        app.add_middleware(RootPath, prefix=binding.root_path)
    return app


def _must_be_finished(method: str, path: str) -> bool:
    """Return True for a request that asks a question or changes something."""
    return method not in {"GET", "HEAD", "OPTIONS"} or rule_of(method, path).is_question


_BEARER = "A key of `qa keys create`; none is needed on loopback before there is a first one."
_OPEN_MEANS = (
    "Anybody who can reach this address may read, upload, replace and delete every document here."
)


def _gatekeeper(settings: Settings, binding: Binding, *, only_slack: bool) -> Gatekeeper:
    """Return the check of this server's doors. Raises SettingsError if it would let in anybody."""
    if binding.person_header and not binding.trusted_proxies:
        raise SettingsError("--identity-header needs --trusted-proxy: who may name people?")
    # Under `--only slack` there is no path but Slack's, whose requests are signed.
    is_exposed = binding.is_reachable and not only_slack
    gatekeeper = Gatekeeper(
        settings.data, settings.state, required=is_exposed and not binding.is_open
    )
    if not is_exposed:
        return gatekeeper
    if binding.is_open:
        if gatekeeper.needs_keys:
            raise SettingsError("there are keys, and --open would need none: leave --open out")
        log.warning("--open: no key is needed. %s", _OPEN_MEANS)
    elif not gatekeeper.has_valid_keys():
        raise SettingsError(
            f"others can reach {binding.host}, and nobody has a key yet: run "
            "`qa keys create NAME --role admin` first. Or add --open, which means: "
            f"{_OPEN_MEANS[0].lower()}{_OPEN_MEANS[1:]}"
        )
    return gatekeeper


def _include_local_routers(
    app: FastAPI,
    service: Service,
    questions: QuestionQueue,
    gatekeeper: Gatekeeper,
    settings: Settings,
) -> None:
    """Mount everything except Slack: the HTTP interface, the web page and the webhooks."""
    app.include_router(ask_router(service, questions))
    app.include_router(document_router(service))
    app.include_router(conversation_router(service))
    app.include_router(verification_router(service))
    app.include_router(source_page_router(service))
    app.include_router(gap_router(service, gatekeeper, questions))
    app.include_router(session_router(gatekeeper))
    app.include_router(openai_router(service, questions, settings.public_url))
    if mcp.is_installed():
        app.include_router(mcp.mcp_router(service, questions, gatekeeper), responses=PROBLEMS)
    app.include_router(page_router())
    if settings.webhook_token:
        app.include_router(
            webhook_router(
                service,
                open_chat_threads(settings),
                questions,
                settings.webhook_token,
                settings.public_url,
                settings.slack.tags_of_webhook,
            ),
            responses=PROBLEMS,
        )
    if settings.teams_secrets:
        app.include_router(
            teams_router(
                service,
                open_chat_threads(settings),
                questions,
                settings.teams_secrets,
                settings.public_url,
                settings.slack.tags_of_webhook,
            ),
            responses=PROBLEMS,
        )


def _refusal_at(path: str, error: Exception) -> Response:
    """Return the response to somebody who may not pass, in the form that his door speaks."""
    return error_response(error) if path.startswith("/v1/") else problem_of(error)


def _why_no_slack(settings: Settings) -> str:
    """Return what is missing for Slack, or "" if nothing is."""
    values = {
        "SLACK_SIGNING_SECRET": settings.slack.signing_secret,
        "SLACK_BOT_TOKEN": settings.slack.bot_token,
    }
    missing = [name for name, value in values.items() if not value]
    return f"{' and '.join(missing)} not set" if missing else missing_extra()


def _bot(settings: Settings, service: ServerState, questions: QuestionQueue) -> Bot:
    # Imported late: the optional dependencies of Slack need not be installed.
    from qa.interfaces.slack.plugin import Bot

    bot = Bot(settings, service, questions, on_outcome=service.metrics.slack_finished)
    service.metrics.count_slack(bot.unfinished)
    return bot


def run(
    settings: Settings,
    binding: Binding,
    port: int,
    watched: WatchedPaths = NOTHING,
    *,
    only_slack: bool = False,
    log_format: Format = "text",
) -> None:
    """Serve until SIGTERM or SIGINT, finish what has begun, then exit with 0.

    Exits with 1 if the port cannot be bound.
    """
    # What is logged before uvicorn starts looks like the rest.
    logging.config.dictConfig(configuration(log_format))
    requests = RequestsInFlight()
    app = create_app(settings, watched, only_slack=only_slack, binding=binding, requests=requests)

    def leave(_signal: int, _frame: FrameType | None) -> None:
        sys.exit(0)

    # For the time before and after uvicorn's own handlers are installed.
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    try:
        config = uvicorn.Config(
            app,
            host=binding.host,
            port=port,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            server_header=False,
            log_config=configuration(log_format),
            # `RequestLog` does that, without what people ask.
            access_log=False,
            **limits(),
            # `TrustedProxies` does that: uvicorn would believe any process on this machine.
            proxy_headers=False,
        )
        DrainingServer(config, requests).run()
    except SystemExit as stop:
        # uvicorn ends with 3 if it cannot bind, which would be "no answer found" here.
        sys.exit(1 if stop.code else 0)
