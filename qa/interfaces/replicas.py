"""Replicas of the server on the nodes of a Ray cluster (Ray Serve), over one shared store."""

from __future__ import annotations

import asyncio
import logging
import logging.config
import os
import signal
import threading
from dataclasses import dataclass, replace
from types import FrameType
from typing import Self

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from index.cluster.ray_connection import connected, unusable
from index.errors import IndexingError
from qa.errors import NotReady, QAError, SettingsError
from qa.interfaces.cluster import require_shared
from qa.interfaces.draining import DRAIN_SECONDS
from qa.interfaces.logs import Format, configuration
from qa.interfaces.server import Binding, create_app
from qa.interfaces.service import Service
from qa.settings import Settings, SlackSettings

NAME = "quoted"
"""Name of the application, and of its deployment, in the cluster."""
MOST_AT_ONCE = 200
"""Requests that a replica has at a time; its own queue says which of them wait."""
PAUSE_SECONDS = 0.2
"""Seconds between two looks at whether the models are loaded."""
SERVE_LOGS = {"enable_access_log": False, "log_level": "WARNING"}
"""Logging of Ray Serve: the server itself logs requests, without what people ask."""

log = logging.getLogger("uvicorn.error")


class StartedWhenReady:
    """ASGI application that says that it has started when its service has loaded its models.

    Until then Ray Serve lets other replicas answer.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, or the beginning and the end of the application."""

        async def send_when_ready(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                await self._until_loaded()
            await send(message)

        is_lifespan = scope["type"] == "lifespan"
        await self._app(scope, receive, send_when_ready if is_lifespan else send)

    async def _until_loaded(self) -> None:
        while True:
            try:
                self._service.live()
            except NotReady:
                await asyncio.sleep(PAUSE_SECONDS)
            except (IndexingError, QAError):  # every request says what is wrong
                return
            else:
                return


@dataclass(frozen=True, slots=True)
class Sent:
    """Settings without secrets, which a cluster would show to all who use it.

    `has_shared_state` is true if they named a database, whose address holds a password.
    """

    settings: Settings
    has_shared_state: bool

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return what is sent of settings."""
        open_ones = replace(
            settings, state="", webhook_token="", teams_secrets=(), slack=SlackSettings()
        )
        return cls(open_ones, bool(settings.state))


class Replica:
    """One of the servers, which Ray Serve starts on some node."""

    def __init__(self, settings: Sent, binding: Binding, log_format: Format) -> None:
        self._settings, self._binding, self._log_format = settings, binding, log_format

    def __serve_build_asgi_app__(self) -> ASGIApp:
        """Return the application of this node. Raises SettingsError."""
        logging.config.dictConfig(configuration(self._log_format))
        app = create_app(settings_of_node(self._settings), binding=self._binding)
        return StartedWhenReady(app, app.state.service)


def settings_of_node(sent: Sent) -> Settings:
    """Return settings that were sent, with the secrets, data directory and cache of this node.

    Raises SettingsError if only one of both has shared state.
    """
    own = Settings.load(os.environ)
    if bool(own.state) != sent.has_shared_state:
        raise SettingsError(
            "QUOTED_STATE must be set where `qa serve` is started and on all nodes, or nowhere"
        )
    return replace(
        sent.settings,
        data=own.data,
        cache=own.cache,
        state=own.state,
        webhook_token=own.webhook_token,
        teams_secrets=own.teams_secrets,
        slack=own.slack,
    )


def run_replicas(
    address: str,
    replicas: int,
    settings: Settings,
    binding: Binding,
    port: int,
    log_format: Format = "text",
) -> None:
    """Run replicas on the cluster at an address until SIGTERM or SIGINT, then end them.

    A proxy on each node listens on the binding's host and the port. Raises SettingsError without a
    shared store, or ClusterError.
    """
    require_shared(settings, "serves", "--ray")
    logging.config.dictConfig(configuration(log_format))
    if binding.is_reachable and not binding.is_open and not settings.state:
        log.info("Each node needs the keys of `qa keys create` in its own QUOTED_DATA.")
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    with connected(address):
        try:
            _deploy(replicas, settings, binding, port, log_format)
        except RuntimeError as error:  # a replica has failed several times
            raise unusable(address, error) from error
        from ray import serve

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        log.info("%d replicas serve on port %d of each node.", replicas, port)
        stopping.wait()
        serve.delete(NAME)


def _deploy(
    replicas: int, settings: Settings, binding: Binding, port: int, log_format: Format
) -> None:
    """Start the replicas and wait until they serve. Raises RuntimeError or SettingsError."""
    try:
        from ray import serve
    except ImportError as error:  # Ray alone, without what serves
        raise SettingsError("--ray needs `pip install 'quoted-qa[ray]'`") from error

    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    options = {"host": binding.host, "port": port}
    serve.start(proxy_location="EveryNode", http_options=options, logging_config=SERVE_LOGS)
    deployment = serve.deployment(
        serve.ingress()(Replica),
        name=NAME,
        num_replicas=replicas,
        max_ongoing_requests=MOST_AT_ONCE,
        graceful_shutdown_timeout_s=DRAIN_SECONDS,
        logging_config=SERVE_LOGS,
        ray_actor_options={"num_cpus": 1},
    )
    application = deployment.bind(Sent.of(settings), binding, log_format)
    serve.run(application, name=NAME, route_prefix="/")
