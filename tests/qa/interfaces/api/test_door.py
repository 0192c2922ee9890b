"""Tests of the door, sessions, proxies and the binding, over HTTP."""

from __future__ import annotations

import asyncio
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from starlette.types import Message

from qa.access.key_store import KeyStore, open_key_store
from qa.errors import SettingsError
from qa.interfaces.api.door import PERSON
from qa.interfaces.api.permissions import rule_of
from qa.interfaces.api.proxies import TrustedProxies, networks_of
from qa.interfaces.cli import cli
from qa.interfaces.server import Binding, create_app
from qa.settings import Settings
from tests.qa.interfaces.api.test_ask import problem
from tests.support.postgres import PostgresServer
from tests.support.serving import settings_in


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = settings_in(tmp_path)
    made.data.mkdir()
    return made


@pytest.fixture
def key(settings: Settings) -> str:
    with closing(KeyStore(settings.data)) as store:
        return store.create("anna", "reader", rate=2)[1]


def client_of(settings: Settings, peer: str = "127.0.0.1", **binding: Any) -> TestClient:
    """Return a client of an application whose models are never loaded."""
    app = create_app(settings, binding=Binding(**binding))
    return TestClient(app, base_url="http://127.0.0.1", client=(peer, 50000))


@pytest.fixture
def client(settings: Settings, key: str) -> TestClient:
    del key
    return client_of(settings)


def test_without_keys_all_is_as_it_was(settings: Settings) -> None:
    client = client_of(settings)

    assert client.get("/conversations").json() == {"conversations": []}
    session = client.get("/session").json()
    assert session == {"name": "local", "role": "admin", "tags": [], "needs_key": False}
    assert client.get("/audit").json() == {"entries": []}
    assert client.post("/session", json={"key": "any"}).status_code == 204


def test_nobody_is_asked_for_a_key_before_the_body_is_read(client: TestClient) -> None:
    read: list[Message] = []

    async def ask() -> list[Message]:
        sent: list[Message] = []

        async def receive() -> Message:
            read.append({"type": "http.request"})
            return {"type": "http.request", "body": b"", "more_body": True}

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": "POST",
            "path": "/documents",
            "raw_path": b"/documents",
            "query_string": b"",
            "headers": [(b"host", b"127.0.0.1")],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            "scheme": "http",
            "http_version": "1.1",
            "root_path": "",
        }
        await client.app(scope, receive, send)
        return sent

    sent = asyncio.run(ask())

    assert sent[0]["status"] == 401
    assert (b"www-authenticate", b"Bearer") in sent[0]["headers"]
    assert read == []


@pytest.mark.parametrize("path", ["/nothing", "/documents/", "/ask", "/static/a/b"])
def test_paths_without_a_rule_are_closed(client: TestClient, key: str, path: str) -> None:
    assert client.get(path).status_code == 401
    assert client.get(path, headers={"authorization": f"Bearer {key}"}).status_code == 403


def test_a_key_signs_in_to_the_page_and_out(client: TestClient, key: str) -> None:
    assert problem(client.get("/conversations"), 401)["title"] == "Not signed in"
    problem(client.post("/session", json={"key": key[:-1]}), 401)

    signed_in = client.post("/session", json={"key": f" {key}\n"})

    assert signed_in.status_code == 204
    cookie = signed_in.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert key.lower() not in cookie
    assert client.get("/session").json()["name"] == "anna"
    assert client.get("/conversations").status_code == 200
    assert client.delete("/session").status_code == 204
    assert client.get("/conversations").status_code == 401


def test_a_cookie_that_is_none_is_nobody(client: TestClient) -> None:
    for cookie in ("quoted_session=x", "quoted_session=", "\x00=;;", "quoted_session=\x7f"):
        assert client.get("/conversations", headers={"cookie": cookie}).status_code == 401


def test_questions_beyond_the_rate_are_refused_with_a_time(client: TestClient, key: str) -> None:
    headers = {"authorization": f"Bearer {key}"}
    codes = [client.get("/search?query=x", headers=headers).status_code for _ in range(3)]

    # The models are not loaded here: 503 is an answer of the route.
    assert codes == [503, 503, 429]
    assert int(client.get("/search?query=x", headers=headers).headers["retry-after"]) <= 30


def test_beyond_loopback_a_key_is_needed_to_start(settings: Settings, key: str) -> None:
    del key
    empty = settings_in(settings.data.parent / "empty")
    with pytest.raises(SettingsError, match="nobody has a key yet"):
        create_app(empty, binding=Binding("192.0.2.1"))
    with pytest.raises(SettingsError, match="nobody has a key yet"):
        create_app(empty, binding=Binding(trusted_proxies=("10.0.0.0/8",)))
    with pytest.raises(SettingsError, match="leave --open out"):
        create_app(settings, binding=Binding("192.0.2.1", is_open=True))
    with pytest.raises(SettingsError, match="needs --trusted-proxy"):
        create_app(settings, binding=Binding(person_header="X-User"))
    with pytest.raises(SettingsError, match="like 10"):
        create_app(settings, binding=Binding(trusted_proxies=("proxy",)))
    create_app(settings, binding=Binding("192.0.2.1"))


def test_open_says_in_words_what_it_means(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    create_app(settings, binding=Binding("192.0.2.1", is_open=True))

    assert "Anybody who can reach this address may read, upload, replace and delete" in caplog.text


def test_loopback_names_count_for_this_machine_alone(settings: Settings, key: str) -> None:
    headers = {"authorization": f"Bearer {key}", "host": "localhost"}

    assert client_of(settings).get("/session", headers=headers).status_code == 200
    for peer in ("::1", "::ffff:127.0.0.1", "127.9.9.9"):
        assert client_of(settings, peer).get("/session", headers=headers).status_code == 200, peer
    for peer in ("192.0.2.7", "::ffff:192.0.2.7", "2001:db8::1"):
        found = client_of(settings, peer, host="192.0.2.1").get("/session", headers=headers)
        assert "not allowed" in problem(found, 403)["detail"]


def test_forwarded_headers_count_from_trusted_proxies_alone(settings: Settings, key: str) -> None:
    del key
    with closing(KeyStore(settings.data)) as store:
        store.create("anna@example.org", "reader", is_person=True)
    headers = {"x-user": "anna@example.org", "x-forwarded-for": "127.0.0.1"}
    proxied = {"trusted_proxies": ("10.1.0.0/16",), "person_header": "X-User"}

    # Somebody else claims to be the proxy, and that he is on this machine.
    for peer in ("10.2.0.1", "127.0.0.1"):
        found = client_of(settings, peer, **proxied).get("/session", headers=headers)
        assert found.status_code == (403 if peer == "10.2.0.1" else 401)
    from_proxy = client_of(settings, "10.1.0.5", **proxied)
    assert from_proxy.get("/session", headers=headers).json()["name"] == "anna@example.org"
    # The proxy passes on a request of somebody far away, with a Host of this machine.
    far = headers | {"x-forwarded-for": "192.0.2.7", "host": "localhost"}
    assert from_proxy.get("/session", headers=far).status_code == 403
    stranger = from_proxy.get("/session", headers=headers | {"x-user": "mallory"})
    assert "nobody has given you access" in problem(stranger, 403)["detail"]
    assert from_proxy.get("/session", headers={"x-forwarded-for": "127.0.0.1"}).status_code == 401


def test_two_names_in_the_header_are_none() -> None:
    seen: list[Any] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope.get(PERSON, "unset"))

    proxies = TrustedProxies(app, networks_of(["127.0.0.1"]), "X-User")
    for names in ([b"a"], [b"a", b"b"], [], [b" "]):
        headers = [(b"x-user", name) for name in names]
        scope = {"type": "http", "client": ("127.0.0.1", 1), "headers": headers, "scheme": "http"}
        asyncio.run(proxies(scope, None, None))  # type: ignore[arg-type]
    scope = {"type": "http", "client": ("127.0.0.2", 1), "headers": [(b"x-user", b"a")]}
    asyncio.run(proxies(scope, None, None))  # type: ignore[arg-type]

    assert seen == ["a", None, None, None, "unset"]


def test_keys_are_made_listed_and_revoked_from_the_command_line(tmp_path: Path) -> None:
    def qa(*arguments: str) -> Any:
        return CliRunner().invoke(cli, [*arguments, "--data", str(tmp_path / "d")])

    made = qa(
        "keys", "create", "anna", "--role", "reader", "--tags", "sea,Harbour", "--expires", "9d"
    )
    text = made.stdout.strip()

    assert made.exit_code == 0, made.output
    assert text.startswith("qk_")
    assert "documents tagged harbour, sea until" in made.stderr
    listed = qa("keys", "list").stdout
    assert "anna" in listed
    assert "valid" in listed
    assert text.split("_", 2)[2] not in listed
    assert qa("keys", "revoke", "anna").exit_code == 0
    assert "revoked 20" in qa("keys", "list").stdout
    assert '"revoked_at": "20' in qa("keys", "list", "--json").stdout
    assert "create key anna" in qa("audit").stdout
    assert qa("keys", "create", "b", "--role", "reader", "--expires", "tomorrow").exit_code == 2
    assert qa("keys", "revoke", "nobody").exit_code == 1


def test_answers_are_for_nobody_else_and_say_which_methods_there_are(client: TestClient) -> None:
    for path in ("/healthz", "/conversations"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
    assert client.get("/").headers["cache-control"] == "no-cache"


def test_another_method_is_told_all_of_them(settings: Settings) -> None:
    client = client_of(settings)

    refused = client.request("PATCH", "/documents/x")

    assert refused.status_code == 405
    assert refused.headers["allow"] == "DELETE, GET, PUT"


def test_a_length_and_chunks_together_close_the_connection(settings: Settings) -> None:
    headers = {"content-length": "2", "transfer-encoding": "chunked"}
    refused = client_of(settings).post("/ask", headers=headers, content=b"{}")

    assert refused.status_code == 400
    assert refused.headers["connection"] == "close"


@pytest.mark.parametrize("body", [b'{"question": "\\ud800"}', b'["\\ud800"]', b'{"\\ud800": 1}'])
def test_half_a_character_is_no_error_of_ours(settings: Settings, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    for path in ("/verify", "/feedback", "/session"):
        sent = client_of(settings).post(path, content=body, headers=headers)
        assert sent.status_code < 500, (path, sent.text)


def test_a_long_boundary_is_no_error_of_ours(settings: Settings) -> None:
    headers = {"content-type": f"multipart/form-data; boundary={'x' * 2000}"}

    assert problem(client_of(settings).post("/documents", content=b"x", headers=headers), 422)


def test_the_schema_names_the_key_and_all_problems(settings: Settings) -> None:
    schema = client_of(settings).get("/openapi.json").json()

    assert schema["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            is_open = rule_of(method.upper(), path).permission == "open"
            assert operation["security"] == ([] if is_open else [{"HTTPBearer": []}])
            assert {"400", "401", "403", "405", "422", "429", "503"} <= operation[
                "responses"
            ].keys()


@pytest.mark.slow
def test_keys_of_a_shared_state_open_every_server_and_none_without_it(
    settings: Settings, tmp_path: Path, postgres: PostgresServer
) -> None:
    shared = replace(settings, store=str(tmp_path / "store"), state=postgres.location)
    other = replace(shared, data=tmp_path / "other")
    first, second = client_of(shared), client_of(other)
    assert first.get("/session").json()["needs_key"] is False
    with closing(open_key_store(shared)) as store:
        text = store.create("anna", "admin")[1]
    headers = {"Authorization": f"Bearer {text}"}

    for client in (first, second):
        assert client.get("/conversations").status_code == 401
        assert client.get("/conversations", headers=headers).status_code == 200
    assert first.post("/conversations", headers=headers).status_code == 201
    first.delete("/documents/none", headers=headers)
    [entry] = second.get("/audit", headers=headers).json()["entries"]
    assert (entry["who"], entry["target"]) == ("anna", "/documents/none")

    postgres.stop()
    try:
        assert first.get("/healthz").status_code == 200
        gone = first.get("/conversations", headers=headers)
        assert problem(gone, 503)["title"] == "State unreachable"
        assert "hidden" not in gone.text
    finally:
        postgres.start()
    assert first.get("/conversations", headers=headers).status_code == 200
