"""Double of Slack: an HTTP server on loopback that behaves as documented."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from slack_sdk.models.views import View

from tests.support.block_kit import faults, units
from tests.support.slack_messages import APP, BOT, BOT_ID, SECRET, TEAM, TOKEN, stamp

ALL_SCOPES = "app_mentions:read,channels:history,chat:write,commands,groups:history,im:history"


@dataclass
class SlackDouble:
    """A Slack workspace that keeps what is posted; `with` serves it.

    A malformed payload is recorded as a fault, and refused as Slack would refuse it.
    """

    scopes: str = ALL_SCOPES
    show_metadata: bool = True
    rate: float | None = None
    """Messages a second that a channel takes; more get 429."""
    delay: float = 0.0
    messages: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    whispers: list[dict[str, Any]] = field(default_factory=list)
    responses: list[dict[str, Any]] = field(default_factory=list)
    views: list[dict[str, Any]] = field(default_factory=list)
    deleted: list[tuple[str, str]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    refused: int = 0
    planned: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    dead_urls: bool = False

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self._last: dict[str, float] = {}
        handler = type("Handler", (_Handler,), {"double": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @property
    def environment(self) -> dict[str, str]:
        """Settings that connect a server to the double."""
        return {
            "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_BOT_TOKEN": TOKEN,
            "QUOTED_SLACK_API_URL": f"{self.url}/api/",
        }

    def __enter__(self) -> Self:
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def plan(self, method: str, *outcomes: Any) -> None:
        """Set the outcomes of the next calls of a method.

        Each is an error's name, a status, a Retry-After in seconds (float), "drop" (not done, no
        response) or "lose" (done, no response).
        """
        self.planned[method] += outcomes

    def posted(self) -> list[dict[str, Any]]:
        """Return all messages in the order in which they were posted."""
        with self.lock:
            return sorted(
                (each for channel in self.messages.values() for each in channel),
                key=lambda each: each["number"],
            )

    def answers(self) -> dict[str, list[dict[str, Any]]]:
        """Return the messages by the question that their metadata names."""
        answers: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for each in self.posted():
            if "metadata" in each:
                answers[each["metadata"]["event_payload"]["claim"]].append(each)
        return answers

    def call(
        self, method: str, arguments: dict[str, Any], token: str
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Carry out a call of the Web API; return status, body and headers."""
        with self.lock:
            self.calls.append(method)
            if token != TOKEN:
                return 200, {"ok": False, "error": "invalid_auth"}, {}
            waiting = self._limited(method, arguments)
            if waiting is not None:
                self.refused += 1
                return 429, {"ok": False, "error": "ratelimited"}, {"Retry-After": str(waiting)}
            done = getattr(self, method.replace(".", "_"), None)
            if done is None:
                return 200, {"ok": False, "error": "unknown_method"}, {}
            return 200, done(arguments), {"x-oauth-scopes": self.scopes}

    def _limited(self, method: str, arguments: Mapping[str, Any]) -> int | None:
        if method != "chat.postMessage" or self.rate is None:
            return None
        now, last = time.monotonic(), self._last.get(arguments["channel"], -1e9)
        if now - last < 1 / self.rate:
            return 1
        self._last[arguments["channel"]] = now
        return None

    def auth_test(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "ok": True,
            "team": "Double",
            "team_id": TEAM,
            "user": "quoted",
            "user_id": BOT,
            "bot_id": BOT_ID,
        }

    def chat_postMessage(self, arguments: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802 - Slack's name
        refusal = self._refused(arguments)
        if refusal:
            return refusal
        message = dict(arguments) | {
            "ts": stamp(),
            "bot_id": BOT_ID,
            "user": BOT,
            "app_id": APP,
            "at": time.time(),
        }
        message["number"] = len(self.posted())
        self.messages[arguments["channel"]].append(message)
        return {
            "ok": True,
            "channel": arguments["channel"],
            "ts": message["ts"],
            "message": message,
        }

    def chat_update(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        refusal = self._refused(arguments)
        for message in self.messages[arguments["channel"]]:
            if message["ts"] == arguments["ts"] and not refusal:
                message |= {
                    "text": arguments["text"],
                    "blocks": arguments["blocks"],
                    "edited": True,
                }
                return {"ok": True, "channel": arguments["channel"], "ts": arguments["ts"]}
        return refusal or {"ok": False, "error": "message_not_found"}

    def chat_delete(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        remaining = [
            each for each in self.messages[arguments["channel"]] if each["ts"] != arguments["ts"]
        ]
        if len(remaining) == len(self.messages[arguments["channel"]]):
            return {"ok": False, "error": "message_not_found"}
        self.messages[arguments["channel"]] = remaining
        self.deleted.append((arguments["channel"], arguments["ts"]))
        return {"ok": True}

    def chat_postEphemeral(self, arguments: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802 - Slack's name
        refusal = self._refused(arguments)
        if not refusal:
            self.whispers.append(dict(arguments))
        return refusal or {"ok": True, "message_ts": stamp()}

    def views_open(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        errors = faults(arguments["view"]["blocks"], most=100)
        try:
            View(**arguments["view"]).validate_json()
        except Exception as error:  # noqa: BLE001 - whatever it says is the fault
            errors.append(str(error))
        if len(arguments["view"]["title"]["text"]) > 24:
            errors.append("title")
        self.faults += errors
        self.views.append(dict(arguments))
        return (
            {"ok": not errors, "error": "invalid_arguments"}
            if errors
            else {"ok": True, "view": {"id": "V1"}}
        )

    def conversations_replies(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return self._page(
            arguments,
            [
                each
                for each in self.messages[arguments["channel"]]
                if each.get("thread_ts") == arguments["ts"]
            ],
        )

    def conversations_history(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return self._page(
            arguments,
            [each for each in self.messages[arguments["channel"]] if not each.get("thread_ts")],
        )

    def _page(self, arguments: Mapping[str, Any], messages: list[dict[str, Any]]) -> dict[str, Any]:
        """Return a page of messages, their metadata only if it was asked for."""
        first = int(arguments.get("cursor") or 0)
        # As Slack documents it, a page may be smaller than the limit: here it always is.
        end = first + min(int(arguments.get("limit", 100)), 3)
        page = messages[first:end]
        wants_metadata = arguments.get("include_all_metadata") == "true"
        if not (self.show_metadata and wants_metadata):
            page = [message | {"metadata": None} for message in page]
        more = end < len(messages)
        return {
            "ok": True,
            "messages": page,
            "has_more": more,
            "response_metadata": {"next_cursor": str(end) if more else ""},
        }

    def _refused(self, arguments: Mapping[str, Any]) -> dict[str, Any] | None:
        errors = faults(arguments.get("blocks", []))
        if not arguments.get("text"):
            errors.append("no text for notifications")
        if units(arguments.get("text", "")) > 4000:
            errors.append("text")
        self.faults += errors
        return {"ok": False, "error": "invalid_blocks"} if errors else None

    def respond(self, body: dict[str, Any]) -> tuple[int, str]:
        """Take a message that was sent to a response_url; return status and text."""
        with self.lock:
            if self.dead_urls:
                return 404, "expired_url"
            self.faults += faults(body.get("blocks", []))
            self.responses.append(body)
            return 200, "ok"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    double: SlackDouble

    def log_message(self, *_: Any) -> None:
        """Log nothing."""

    def do_GET(self) -> None:
        self._serve(dict(parse_qsl(urlsplit(self.path).query)))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self._serve(json.loads(body) if body.startswith(b"{") else dict(parse_qsl(body.decode())))

    def _serve(self, arguments: dict[str, Any]) -> None:
        path, double = urlsplit(self.path).path, self.double
        time.sleep(double.delay)
        name = path.removeprefix("/api/") if path.startswith("/api/") else "response_url"
        outcome = double.planned[name].pop(0) if double.planned[name] else None
        if outcome == "drop":
            self.close_connection = True
            return
        if isinstance(outcome, float):
            double.refused += 1
            self._send(
                429, {"ok": False, "error": "ratelimited"}, {"Retry-After": str(int(outcome))}
            )
        elif isinstance(outcome, int):
            self._send(outcome, {"ok": False, "error": "broken"})
        elif isinstance(outcome, str) and outcome != "lose":
            self._send(200, {"ok": False, "error": outcome})
        elif name == "response_url":
            status, text = double.respond(arguments)
            self._send(status, text)
        else:
            token = self.headers.get("authorization", "").removeprefix("Bearer ")
            answer = double.call(name, arguments, token)
            if outcome == "lose":
                self.close_connection = True
                return
            self._send(*answer)

    def _send(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header(
            "content-type", "text/plain" if isinstance(body, str) else "application/json"
        )
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
