"""Tests of the routes, headers and files of the web page."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from qa.interfaces.api.problems import add_error_handlers
from qa.interfaces.web import HEADERS, page_router, static_files

ROOT = Path(__file__).resolve().parents[4]
STATIC = ROOT / "qa" / "interfaces" / "web" / "static"


class Markup(HTMLParser):
    """Parser that collects what a page loads and what a strict policy forbids."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.inline: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self._inside = tag
        self.inline += [name for name in values if name == "style" or name.startswith("on")]
        if tag in {"script", "link", "img"}:
            self.loaded.append(values.get("src") or values.get("href") or "inline")

    def handle_data(self, data: str) -> None:
        if self._inside in {"script", "style"} and data.strip():
            self.inline.append(data)

    def handle_endtag(self, tag: str) -> None:
        del tag
        self._inside = ""


@pytest.fixture(scope="module")
def client() -> TestClient:
    """Yield a client of the page without the rest of the server."""
    app = FastAPI()
    app.include_router(page_router())
    add_error_handlers(app)
    return TestClient(app)


@pytest.mark.parametrize("path", ["/", "/?c=abc", "/read/2de11a6d16014c4d?v=385283db09dd"])
def test_both_pages_are_sent_with_a_strict_policy(client: TestClient, path: str) -> None:
    response = client.get(path)

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert (
        dict(response.headers).items()
        >= {name.lower(): value for name, value in HEADERS.items()}.items()
    )
    policy = dict(
        part.split(" ", 1) for part in response.headers["content-security-policy"].split("; ")
    )
    assert policy["default-src"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "connect-src")} == {"'self'"}
    assert {
        policy[name] for name in ("base-uri", "form-action", "frame-ancestors", "trusted-types")
    } == {"'none'"}
    assert "unsafe" not in response.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("name", "path"), [("chat.html", "/"), ("gaps.html", "/gaps"), ("read.html", "/read/x")]
)
def test_a_page_loads_only_its_own_files_and_has_nothing_inline(
    client: TestClient, name: str, path: str
) -> None:
    markup = Markup(static_files()[name].content.decode())

    assert markup.inline == []
    assert markup.loaded
    # Relative to the page, for a server below a path.
    loaded = [urljoin(path, link) for link in markup.loaded]
    assert {client.get(each).status_code for each in loaded} == {200}
    assert all(each.startswith("/static/") for each in loaded)
    assert not [link for link in markup.loaded if link.startswith("/")]


def test_modules_import_only_each_other_and_make_no_markup(client: TestClient) -> None:
    scripts = {
        name: file.content.decode() for name, file in static_files().items() if name.endswith(".js")
    }

    imported = {
        name: re.findall(r'^import .*? from "(.+?)";$|^import "(.+?)";$', text, re.MULTILINE)
        for name, text in scripts.items()
    }
    assert {path.removeprefix("./") for found in imported.values() for path, _ in found} == set(
        scripts
    ) - {"chat.js", "gaps.js", "login.js", "read.js"}
    assert not [
        name
        for name, text in scripts.items()
        if re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)
    ]
    assert not [name for name, text in scripts.items() if re.search(r"https?://", text)]
    # Paths go through `at` of base.js: a proxy may serve the page below one.
    absolute = re.compile(r"(?:fetch|assign|replace|open|pushState)\([^)]*[\"`]/\w|href: [\"`]/")
    placed = re.compile(r"\bat\([\"`]/[^)]*\)")
    assert not [name for name, text in scripts.items() if absolute.search(placed.sub("", text))]
    assert {client.get(f"/static/{name}").headers["content-type"] for name in scripts} == {
        "text/javascript; charset=utf-8"
    }


def test_files_are_small_and_exported_functions_are_documented() -> None:
    for name, file in static_files().items():
        text = file.content.decode()
        if name.endswith(".js"):
            assert text.count("\n") < 250, name
            assert text.startswith("/* "), name
            undocumented = re.findall(r"(?<!\*/)\n(export (?:async )?(?:function|class) \w+)", text)
            assert undocumented == [], name


def test_a_file_that_has_not_changed_is_not_sent_again(client: TestClient) -> None:
    first = client.get("/static/chat.js")

    again = client.get("/static/chat.js", headers={"if-none-match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["content-security-policy"] == first.headers["content-security-policy"]
    assert client.get("/static/chat.js", headers={"if-none-match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    "name", ["nothing.js", "..%2F__init__.py", "__init__.py", "%2Fetc%2Fpasswd"]
)
def test_nothing_else_is_served(client: TestClient, name: str) -> None:
    response = client.get(f"/static/{name}")

    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


def test_the_page_is_not_part_of_the_described_interface(client: TestClient) -> None:
    assert client.get("/openapi.json").json()["paths"] == {}


def test_every_file_of_the_folder_is_served() -> None:
    assert set(static_files()) == {path.name for path in STATIC.iterdir()}


@pytest.mark.slow
def test_the_wheel_holds_the_page(tmp_path: Path) -> None:
    builder = (
        "import sys; from hatchling.builders.wheel import WheelBuilder; "
        "print(*WheelBuilder('.').build(directory=sys.argv[1]))"
    )

    subprocess.run(
        [sys.executable, "-c", builder, str(tmp_path)], cwd=ROOT, check=True, capture_output=True
    )

    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        packed = {
            Path(name).name
            for name in wheel.namelist()
            if name.startswith("qa/interfaces/web/static/")
        }
    assert packed == set(static_files())
