"""A server below a path: what a proxy passes on with the prefix or without arrives alike."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

from qa.access.key_store import KeyStore
from qa.errors import SettingsError
from qa.interfaces.api.root_path import checked_root_path
from qa.interfaces.server import Binding, create_app
from tests.support.serving import Command, Server, eventually, settings_in

PAGES = ("/", "/login", "/gaps", "/static/base.js", "/static/chat.css", "/healthz")


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    settings = settings_in(tmp_path)
    app = create_app(settings, binding=Binding(root_path="/quoted"))
    # Without `with`: the models are not needed.
    return TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 1))


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("prefix", ["", "/quoted"])
def test_a_path_with_the_prefix_and_without_is_the_same(
    client: TestClient, prefix: str, path: str
) -> None:
    assert client.get(prefix + path).status_code == 200


def test_the_prefix_alone_leads_to_the_page_and_is_taken_off_once(client: TestClient) -> None:
    answer = client.get("/quoted?c=1", follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (307, "/quoted/?c=1")
    assert client.get("/quotedx/healthz").status_code == 404
    assert client.get("/quoted/quoted/healthz").status_code == 404


def test_pages_link_relative_to_themselves(client: TestClient) -> None:
    for path in ("/", "/login", "/gaps", "/read/x"):
        text = client.get(f"/quoted{path}").text
        assert 'href="/' not in text
        assert 'src="/' not in text
        up = "../" if path == "/read/x" else ""
        assert f'src="{up}static/' in text


def test_openapi_names_the_prefix(client: TestClient) -> None:
    assert client.get("/quoted/openapi.json").json()["servers"] == [{"url": "/quoted"}]


def test_the_cookie_is_for_the_prefix_alone(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    settings.data.mkdir(parents=True)
    store = KeyStore(settings.data)
    _, key = store.create("anna", "reader")
    store.close()
    app = create_app(settings, binding=Binding(root_path="/quoted"))
    client = TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 1))

    signed_in = client.post("/quoted/session", json={"key": key})

    assert signed_in.status_code == 204, signed_in.text
    assert "Path=/quoted/" in signed_in.headers["set-cookie"]


@pytest.mark.parametrize("text", ["quoted", "/a//b", "/../x", "/a b", "http://x/"])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="expected a path like /quoted"):
        checked_root_path(text)


def test_a_slash_at_the_end_makes_no_difference() -> None:
    assert checked_root_path("/a/quoted/") == "/a/quoted"
    assert checked_root_path("/") == checked_root_path("") == ""


NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/error.log;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; {locations} }}
}}
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx")
def test_our_nginx_example_serves_the_page_below_its_path(
    seeds_command: Command, tmp_path: Path
) -> None:
    example = (Path(__file__).parents[4] / "deploy" / "nginx.conf").read_text("utf-8")
    with Server(
        seeds_command,
        arguments=["--root-path", "/quoted", "--trusted-proxy", "127.0.0.1", "--open"],
    ) as server:
        server.ready()
        port = server.port + 1 if server.port < 65000 else server.port - 1
        config = tmp_path / "nginx.conf"
        locations = example.replace("127.0.0.1:8321", f"127.0.0.1:{server.port}")
        config.write_text(NGINX.format(folder=tmp_path, port=port, locations=locations), "utf-8")
        proxy = subprocess.Popen(["nginx", "-c", str(config), "-p", str(tmp_path)])
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
                eventually(lambda: _answers(client))
                moved = client.get("/quoted")
                page = client.get("/quoted/")
                asked = client.post(
                    "/quoted/ask", json={"question": "How much will Amazon invest?"}
                )
                sent = client.post("/quoted/documents", files={"file": ("a.txt", "A b c.\n")})
        finally:
            proxy.terminate()
            proxy.wait(30)

    assert (moved.status_code, moved.headers["location"].endswith("/quoted/")) == (301, True)
    assert "static/chat.js" in page.text
    assert asked.status_code == 200
    assert sent.headers["location"].startswith("/quoted/jobs/")


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/quoted/readyz").status_code == httpx.codes.OK
    except httpx.TransportError:
        time.sleep(0.05)
        return False
