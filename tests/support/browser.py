"""Helpers of the browser tests: Chromium, difficult documents, and a record of faults."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request

from index.models.encoder import Encoder
from qa.library.documents import index_paths
from qa.settings import Settings
from tests.support.fakes import RecordingReporter
from tests.support.serving import PATIENCE, Command, Server, eventually, write_files

WIDE, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
FAILED_REQUEST = "Failed to load resource"
"""Message of Chromium's console for a response that is no success, also where a test expects one.
"""
EMOJI = (
    "The 👩‍👩‍👧‍👦 of Cafe\u0301 Ñandu\u0301 🏳️‍🌈 say: 🎉 "
    "the Kaleva festival opens on 14 March in Oulu 🎊.\n"
)
HEBREW = (
    "שלום לכל הקוראים, זהו הארכיון של חיפה.\n"
    "The password of the Haifa archive is שלום עולם today.\n"
    "مرحبا بكم في الأرشيف.\n"
)
LONG = (
    f"{'a very long line of words, ' * 200}the Tromsø tide gauge recorded 421 centimetres in 1901, "
    f"{'and so on, ' * 500}and then it ends.\n"
)
SCRIPT = (
    "<script>document.title = 'owned'</script> <img src=x onerror=\"document.title='owned'\">\n"
    "The keeper of the Kvitholm lighthouse is <b>Ingrid Solberg</b> & her dog.\n"
)
HARD = {"emoji.txt": EMOJI, "hebrew.txt": HEBREW, "long.txt": LONG, "script.txt": SCRIPT}
"""Documents that are difficult to show."""
QUESTIONS = {
    "emoji.txt": "When does the Kaleva festival open?",
    "hebrew.txt": "What is the password of the Haifa archive?",
    "long.txt": "What did the Tromsø tide gauge record in 1901?",
    "script.txt": "Who is the keeper of the Kvitholm lighthouse?",
}
AMAZON = "How much will Amazon invest in Anthropic?"


def chromium_path() -> str:
    """Return the path of Chromium.

    Without it the test is skipped, or fails where Chromium is required.
    """
    path = (
        shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )
    if path is None:
        if os.environ.get("QUOTED_REQUIRE_CHROMIUM"):
            pytest.fail("Chromium is required here and not installed")
        pytest.skip("Chromium is not installed: apt-get install chromium")
    return path


@dataclass(frozen=True)
class OnPort(Command):
    """The `qa` command whose servers listen on one port, so that a server can come back."""

    port: str = "0"

    def line(self, *arguments: str | bytes) -> list[str | bytes]:
        """Return the command line, with the port filled in."""
        return super().line(*(self.port if argument == "0" else argument for argument in arguments))


@dataclass
class Site:
    """A server with a folder of documents that tests may change, each its own."""

    server: Server
    command: Command
    encoder: Encoder
    folder: Path

    @classmethod
    @contextmanager
    def over(
        cls,
        folder: Path,
        encoder: Encoder,
        cache: Path,
        files: Mapping[str, str | bytes],
        *others: Path,
    ) -> Iterator[Self]:
        """Run a server over these files, written into `folder`, and others.

        It answers at any confidence.
        """
        command = Command(folder / "data", cache, {"QUOTED_MIN_CONFIDENCE": "0"})
        write_files(folder / "documents", files)
        index_paths(
            Settings(command.data, cache),
            encoder,
            [*others, folder / "documents"],
            RecordingReporter(),
        )
        with Server(command) as server:
            yield cls(server.ready(), command, encoder, folder / "documents")

    def index(self, **files: str) -> None:
        """Write files (`name="text"` is name.txt) and wait until they are served."""
        write_files(self.folder, {f"{name}.txt": text for name, text in files.items()})
        settings = Settings(self.command.data, self.command.cache)
        index_paths(
            settings,
            self.encoder,
            [self.folder / f"{name}.txt" for name in files],
            RecordingReporter(),
        )
        written = {
            f"{name}.txt": hashlib.sha256(text.encode()).hexdigest() for name, text in files.items()
        }
        eventually(lambda: written.items() <= self._served().items())

    def remove(self, name: str) -> None:
        """Remove a document and wait until it is served no more."""
        done = self.command("remove", f"{name}.txt")
        assert done.returncode == 0, done.stderr
        eventually(lambda: f"{name}.txt" not in self._served())

    def _served(self) -> dict[str, str]:
        """Return the sha256 of each document that is served, by the name of its file."""
        documents = self.server.client.get("/documents").json()["documents"]
        return {Path(each["uri"]).name: each["sha256"] for each in documents}

    def document(self, uri: str) -> dict[str, Any]:
        """Return the JSON of a document, by its uri."""
        return next(
            each
            for each in self.server.client.get("/documents").json()["documents"]
            if each["uri"].endswith(uri)
        )


@dataclass
class Watch:
    """Requests to other hosts and errors of the pages of a test."""

    host: str
    expected: tuple[str, ...] = ()
    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def follow(self, page: Page) -> None:
        """Record every request and every error of a page."""
        page.on("request", self._request)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _request(self, request: Request) -> None:
        if urlsplit(request.url).netloc != self.host:
            self.foreign.append(request.url)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(
            self.expected or "\0"
        ):
            self.errors.append(message.text)


Opener = Callable[..., Page]


@contextmanager
def opening(
    browser: Browser, url: str, *, expected: tuple[str, ...] = (), **options: Any
) -> Iterator[Opener]:
    """Open pages of a server in one context, as tabs.

    At the end, none may have had an error or have asked another host.
    """
    context = browser.new_context(**{"viewport": WIDE, "base_url": url, **options})
    context.set_default_timeout(PATIENCE * 1000)
    watch = Watch(urlsplit(url).netloc, expected)
    context.on("page", watch.follow)

    def opened(path: str = "/") -> Page:
        page = context.new_page()
        page.goto(path)
        return page

    try:
        yield opened
    finally:
        context.close()
    assert watch.foreign == []
    assert watch.errors == []


def ask(page: Page, question: str) -> dict[str, Any]:
    """Type a question, press Enter, and wait until its turn is shown; returns the answer's JSON."""
    page.get_by_label("Your question").fill(question)
    with page.expect_response("**/ask") as asked:
        page.keyboard.press("Enter")
    answer: dict[str, Any] = asked.value.json()
    turn(page, answer).wait_for()
    return answer


def turn(page: Page, answer: dict[str, Any]) -> Locator:
    """Return the turn that shows an answer."""
    return page.locator(f"article[data-turn='{answer['turn_id']}']")


def marked(place: Locator) -> str:
    """Return the highlighted text, over all the blocks that it runs through."""
    place.locator("mark").first.wait_for()
    return "".join(place.locator("mark").all_text_contents())


def select(page: Page, words: str) -> None:
    """Select words in the open source, as a mouse would."""
    page.evaluate(
        """words => {
            const blocks = [...document.querySelectorAll("#source .block")];
            const block = blocks.find((each) => each.textContent.includes(words));
            const walker = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
            const first = block.textContent.indexOf(words);
            const points = [first, first + words.length].map((left) => {
                walker.currentNode = block;
                let node = walker.nextNode();
                for (; left > node.length; node = walker.nextNode()) left -= node.length;
                return [node, left];
            });
            getSelection().setBaseAndExtent(...points[0], ...points[1]);
        }""",
        words,
    )
