"""Slack as a real HTTP server on loopback that behaves as documented, and the sender of its signed requests."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View
from slack_sdk.signature import SignatureVerifier

SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105 - of the double
TOKEN = "xoxb-double"  # noqa: S105
TEAM, BOT, APP, BOT_ID = "T0DOUBLE", "U0BOT", "A0APP", "B0BOT"
ALL_SCOPES = "app_mentions:read,channels:history,chat:write,commands,groups:history,im:history"
ACK_SECONDS = 3.0
"""After which Slack sends an event again (docs.slack.dev, Events API)."""
_stamps = count(1)


def stamp() -> str:
    """A message's ts, another one each time."""
    return f"{int(time.time())}.{next(_stamps):06d}"


def faults(blocks: Sequence[Mapping[str, Any]], *, most: int = 50) -> list[str]:
    """What Slack would find wrong with blocks: by slack_sdk's models, and by the limits that Block Kit documents."""
    found = []
    for block in blocks:
        parsed = Block.parse(dict(block))
        if parsed is None or type(parsed) is Block:
            found.append(f"unknown block {block.get('type')}")
            continue
        try:
            parsed.validate_json()
        except Exception as error:  # noqa: BLE001 - whatever it says is the fault
            found.append(f"{block['type']}: {error}")
    if len(blocks) > most:
        found.append(f"{len(blocks)} blocks")
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(ids) != len(set(ids)) or any(len(each) > 255 for each in ids):
        found.append("block ids")
    if sum(map(units, texts(blocks))) > 13_000:
        found.append("msg_blocks_too_long")
    found += [f"text of {units(text)}" for text in texts(blocks) if not 0 < units(text) <= 3000]
    return found + [fault for block in blocks for fault in _of_buttons(block)]


def _of_buttons(block: Mapping[str, Any]) -> Iterator[str]:
    elements = block.get("elements", []) if block.get("type") == "actions" else []
    if len(elements) > 25:
        yield "actions"
    for each in elements:
        if len(each["text"]["text"]) > 75 or len(each["value"]) > 2000 or len(each["action_id"]) > 255:
            yield "button"


def units(text: str) -> int:
    """UTF-16 units, as JavaScript counts; fails for a lone surrogate."""
    return len(text.encode("utf-16-le")) // 2


def texts(value: Any) -> list[str]:
    """All texts within blocks."""
    if isinstance(value, Mapping):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return own + [text for each in value.values() for text in texts(each)]
    if isinstance(value, list | tuple):
        return [text for each in value for text in texts(each)]
    return []


@dataclass
class SlackDouble:
    """Keeps what is posted; `with` serves it. Every payload that is wrong is a fault, and is refused as Slack would."""

    scopes: str = ALL_SCOPES
    show_metadata: bool = True
    rate: float | None = None
    """Messages a second and channel that are let through, else 429."""
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
        """The settings that connect a server to it."""
        return {"SLACK_SIGNING_SECRET": SECRET, "SLACK_BOT_TOKEN": TOKEN, "QUOTED_SLACK_API_URL": f"{self.url}/api/"}

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def plan(self, method: str, *outcomes: Any) -> None:
        """What the next calls get: an error's name, a status, a Retry-After in seconds (float), "drop" (unanswered) or "lose" (done, unanswered)."""
        self.planned[method] += outcomes

    def posted(self) -> list[dict[str, Any]]:
        """All messages, in the order in which they came."""
        with self.lock:
            return sorted((each for channel in self.messages.values() for each in channel), key=lambda each: each["number"])

    def answers(self) -> dict[str, list[dict[str, Any]]]:
        """The messages by what they answer, as their metadata says."""
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for each in self.posted():
            if "metadata" in each:
                found[each["metadata"]["event_payload"]["claim"]].append(each)
        return found

    def call(self, method: str, given: dict[str, Any], token: str) -> tuple[int, dict[str, Any], dict[str, str]]:
        """One call of the Web API: status, body and headers."""
        with self.lock:
            self.calls.append(method)
            if token != TOKEN:
                return 200, {"ok": False, "error": "invalid_auth"}, {}
            waiting = self._limited(method, given)
            if waiting is not None:
                self.refused += 1
                return 429, {"ok": False, "error": "ratelimited"}, {"Retry-After": str(waiting)}
            done = getattr(self, method.replace(".", "_"), None)
            if done is None:
                return 200, {"ok": False, "error": "unknown_method"}, {}
            return 200, done(given), {"x-oauth-scopes": self.scopes}

    def _limited(self, method: str, given: Mapping[str, Any]) -> int | None:
        if method != "chat.postMessage" or self.rate is None:
            return None
        now, last = time.monotonic(), self._last.get(given["channel"], -1e9)
        if now - last < 1 / self.rate:
            return 1
        self._last[given["channel"]] = now
        return None

    def auth_test(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {"ok": True, "team": "Double", "team_id": TEAM, "user": "quoted", "user_id": BOT, "bot_id": BOT_ID}

    def chat_postMessage(self, given: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802 - Slack's name
        refusal = self._refused(given)
        if refusal:
            return refusal
        message = dict(given) | {"ts": stamp(), "bot_id": BOT_ID, "user": BOT, "app_id": APP, "at": time.time()}
        message["number"] = len(self.posted())
        self.messages[given["channel"]].append(message)
        return {"ok": True, "channel": given["channel"], "ts": message["ts"], "message": message}

    def chat_update(self, given: Mapping[str, Any]) -> dict[str, Any]:
        refusal = self._refused(given)
        for message in self.messages[given["channel"]]:
            if message["ts"] == given["ts"] and not refusal:
                message |= {"text": given["text"], "blocks": given["blocks"], "edited": True}
                return {"ok": True, "channel": given["channel"], "ts": given["ts"]}
        return refusal or {"ok": False, "error": "message_not_found"}

    def chat_delete(self, given: Mapping[str, Any]) -> dict[str, Any]:
        kept = [each for each in self.messages[given["channel"]] if each["ts"] != given["ts"]]
        if len(kept) == len(self.messages[given["channel"]]):
            return {"ok": False, "error": "message_not_found"}
        self.messages[given["channel"]] = kept
        self.deleted.append((given["channel"], given["ts"]))
        return {"ok": True}

    def chat_postEphemeral(self, given: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802 - Slack's name
        refusal = self._refused(given)
        if not refusal:
            self.whispers.append(dict(given))
        return refusal or {"ok": True, "message_ts": stamp()}

    def views_open(self, given: Mapping[str, Any]) -> dict[str, Any]:
        found = faults(given["view"]["blocks"], most=100)
        try:
            View(**given["view"]).validate_json()
        except Exception as error:  # noqa: BLE001 - whatever it says is the fault
            found.append(str(error))
        if len(given["view"]["title"]["text"]) > 24:
            found.append("title")
        self.faults += found
        self.views.append(dict(given))
        return {"ok": not found, "error": "invalid_arguments"} if found else {"ok": True, "view": {"id": "V1"}}

    def conversations_replies(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return self._page(given, [each for each in self.messages[given["channel"]] if each.get("thread_ts") == given["ts"]])

    def conversations_history(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return self._page(given, [each for each in self.messages[given["channel"]] if not each.get("thread_ts")])

    def _page(self, given: Mapping[str, Any], found: list[dict[str, Any]]) -> dict[str, Any]:
        first = int(given.get("cursor") or 0)
        size = min(int(given.get("limit", 100)), 3)  # "fewer than the requested number may be returned"
        page = [
            each if self.show_metadata and given.get("include_all_metadata") == "true" else each | {"metadata": None}
            for each in found[first : first + size]
        ]
        more = first + size < len(found)
        following = {"response_metadata": {"next_cursor": str(first + size) if more else ""}}
        return {"ok": True, "messages": page, "has_more": more} | following

    def _refused(self, given: Mapping[str, Any]) -> dict[str, Any] | None:
        found = faults(given.get("blocks", []))
        if not given.get("text"):
            found.append("no text for notifications")
        if units(given.get("text", "")) > 4000:
            found.append("text")
        self.faults += found
        return {"ok": False, "error": "invalid_blocks"} if found else None

    def respond(self, body: dict[str, Any]) -> tuple[int, str]:
        """One use of a response_url."""
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
        """Quiet."""

    def do_GET(self) -> None:
        self._serve(dict(parse_qsl(urlsplit(self.path).query)))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self._serve(json.loads(body) if body.startswith(b"{") else dict(parse_qsl(body.decode())))

    def _serve(self, given: dict[str, Any]) -> None:
        path, double = urlsplit(self.path).path, self.double
        time.sleep(double.delay)
        name = path.removeprefix("/api/") if path.startswith("/api/") else "response_url"
        outcome = double.planned[name].pop(0) if double.planned[name] else None
        if outcome == "drop":
            self.close_connection = True
            return
        if isinstance(outcome, float):
            double.refused += 1
            self._send(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": str(int(outcome))})
        elif isinstance(outcome, int):
            self._send(outcome, {"ok": False, "error": "broken"})
        elif isinstance(outcome, str) and outcome != "lose":
            self._send(200, {"ok": False, "error": outcome})
        elif name == "response_url":
            status, text = double.respond(given)
            self._send(status, text)
        else:
            token = self.headers.get("authorization", "").removeprefix("Bearer ")
            answer = double.call(name, given, token)
            if outcome == "lose":
                self.close_connection = True
                return
            self._send(*answer)

    def _send(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("content-type", "text/plain" if isinstance(body, str) else "application/json")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def signed(body: str, *, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    """The headers of a request as slack_sdk signs it."""
    now = str(int(time.time() if at is None else at))
    signature = SignatureVerifier(secret).generate_signature(timestamp=now, body=body)
    return {"x-slack-request-timestamp": now, "x-slack-signature": str(signature)}


def json_request(body: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    """What httpx sends of an event."""
    text = json.dumps(body)
    return {"content": text, "headers": signed(text, **options) | {"content-type": "application/json"}}


def form_request(fields: Mapping[str, str], **options: Any) -> dict[str, Any]:
    """What httpx sends of a command or an interaction."""
    text = urlencode(fields)
    return {"content": text, "headers": signed(text, **options) | {"content-type": "application/x-www-form-urlencoded"}}


def event(kind: str, text: str, *, channel: str = "C1", user: str = "U1", event_id: str = "", **more: Any) -> dict[str, Any]:
    """The body of an event: a mention or a message."""
    ts = more.pop("ts", None) or stamp()
    inner = {"type": kind, "user": user, "text": text, "channel": channel, "ts": ts, "event_ts": ts} | more
    return {
        "token": "gone",
        "team_id": TEAM,
        "api_app_id": APP,
        "type": "event_callback",
        "event_id": event_id or f"Ev{ts.replace('.', '')}{kind[0]}",
        "event_time": int(time.time()),
        "authorizations": [
            {"enterprise_id": None, "team_id": TEAM, "user_id": BOT, "is_bot": True, "is_enterprise_install": False}
        ],
        "is_ext_shared_channel": False,
        "event": inner,
    }


def mention(question: str, **more: Any) -> dict[str, Any]:
    """The body of a mention of the bot."""
    return event("app_mention", f"<@{BOT}> {question}", **more)


def command(double: SlackDouble, text: str, **more: str) -> dict[str, str]:
    """The form of a slash command."""
    ids = {"team_id": TEAM, "team_domain": "double", "channel_id": "C1", "channel_name": "general", "user_id": "U1"}
    used = {"command": "/ask", "text": text, "response_url": f"{double.url}/commands/1", "trigger_id": f"{stamp()}.trigger"}
    return {"token": "gone", "api_app_id": APP, "is_enterprise_install": "false"} | ids | used | more


def pressed(double: SlackDouble, action: str, value: str, *, channel: str = "C1", user: str = "U1") -> dict[str, str]:
    """The form of a pressed button."""
    payload = {
        "type": "block_actions",
        "user": {"id": user, "username": "one", "team_id": TEAM},
        "api_app_id": APP,
        "container": {"type": "message", "message_ts": stamp(), "channel_id": channel, "is_ephemeral": False},
        "trigger_id": f"{stamp()}.trigger",
        "team": {"id": TEAM, "domain": "double"},
        "channel": {"id": channel, "name": "general"},
        "response_url": f"{double.url}/actions/1",
        "actions": [
            {"type": "button", "action_id": action, "block_id": "x", "value": value, "text": {"type": "plain_text", "text": "x"}}
        ],
    }
    return {"payload": json.dumps(payload)}


@dataclass
class Sender:
    """Sends events as Slack does: again, with X-Slack-Retry-Num, if they are not acknowledged in three seconds or with another status than 200."""

    url: Callable[[], str]
    acks: list[float] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    pause: float = 0.5
    """Seconds between sendings, where Slack waits minutes."""
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=ACK_SECONDS, trust_env=False))

    def send(self, body: Mapping[str, Any], *, times: int = 60) -> int:
        """Send one until it is acknowledged; returns how often it was sent."""
        for number in range(times):
            request = json_request(body)
            if number:
                request["headers"] |= {"x-slack-retry-num": str(number), "x-slack-retry-reason": "http_error"}
            began = time.monotonic()
            try:
                status = self.client.post(f"{self.url()}/slack/events", **request).status_code
            except httpx.HTTPError:
                status = 0
            else:
                self.acks.append(time.monotonic() - began)
                self.statuses.append(status)
            if status == 200:
                return number + 1
            time.sleep(self.pause)
        raise AssertionError(f"{body['event_id']} was never acknowledged")


@contextmanager
def waiting(seconds: float = 60.0) -> Iterator[Callable[[Callable[[], Any]], Any]]:
    """`until` waits for a condition."""

    def until(condition: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < deadline, "waited too long"
            time.sleep(0.02)
        return found

    yield until
