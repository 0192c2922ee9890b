"""Tests of the page with a server that is gone, empty or unsure, and of axe-core."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from index.models.encoder import Encoder
from qa.library.documents import index_paths, list_documents
from qa.settings import Settings
from tests.support.browser import (
    AMAZON,
    FAILED_REQUEST,
    PHONE,
    QUESTIONS,
    WIDE,
    OnPort,
    Site,
    ask,
    marked,
    opening,
    turn,
)
from tests.support.fakes import RecordingReporter
from tests.support.serving import SEEDS, Command, Server, copied

pytest_plugins = ("tests.support.browser_fixtures",)
pytestmark = pytest.mark.slow


def test_a_server_may_stop_and_come_back_and_refuses_what_it_cannot_answer(
    chromium: Browser, seeds_command: Command, tmp_path: Path
) -> None:
    data = copied(seeds_command.data, tmp_path / "data")
    command = OnPort(data, seeds_command.cache, port=str(free_port()))
    server = Server(command.on(command.data, QUOTED_MIN_CONFIDENCE="0")).ready()
    with opening(chromium, server.url, expected=(FAILED_REQUEST,)) as open_page:
        page = open_page()
        first = ask(page, AMAZON)
        server.stop()

        page.get_by_label("Your question").fill("When will the tariffs take effect?")
        page.keyboard.press("Enter")
        banner = page.locator("#banner")
        expect(banner).to_contain_text("The server does not answer.")
        expect(page.get_by_label("Your question")).to_have_value(
            "When will the tariffs take effect?"
        )
        expect(page.locator(".waiting")).to_have_count(0)
        with page.expect_request("**/readyz"):
            page.get_by_role("button", name="Try again").click()
        expect(banner).to_contain_text("The server does not answer.")

        with Server(command.on(command.data, QUOTED_MIN_CONFIDENCE="1")) as again:
            expect(banner).to_be_hidden()
            page.get_by_label("Your question").press("Enter")
            refused = page.locator(".turn").nth(1)
            expect(refused.locator(".refused")).to_contain_text("No answer found")
            expect(banner).to_be_hidden()
            check_refusal(page, again)
            page.reload()
            assert marked(turn(page, first).locator(".quote").first) == first["answer"]


def check_refusal(page: Page, server: Server) -> None:
    """Expect a refusal with its whole receipt and passages that can be opened."""
    conversation = page.url.partition("c=")[2]
    answer: dict[str, Any] = server.client.get(f"/conversations/{conversation}").json()["turns"][
        -1
    ]["answer"]
    refusal, shown = answer["refusal"], page.locator(".turn").last
    expect(shown.locator(".refused")).to_contain_text(refusal["reason"][1:])
    expect(shown.locator(".searched")).to_contain_text(
        f"Searched {refusal['searched']['passages']} passages of 1 document"
    )
    for name in refusal["missing"]:
        expect(shown.locator(".searched")).to_contain_text(f"“{name}”")
    passages = shown.locator(".nearest > li")
    assert passages.count() == len(refusal["nearest"]) > 0
    nearest = refusal["nearest"][0]
    passages.first.get_by_role("link").click()
    assert marked(page.locator("#source")) == nearest["text"]
    page.keyboard.press("Escape")


def test_while_nothing_is_indexed_the_page_says_how_and_notices_when_it_is(
    chromium: Browser, encoder: Encoder, converted: Path, tmp_path: Path
) -> None:
    command = Command(tmp_path / "data", converted, {"QUOTED_MIN_CONFIDENCE": "0"})
    with (
        Server(command) as server,
        opening(chromium, server.url, expected=(FAILED_REQUEST,)) as open_page,
    ):
        page = open_page()
        expect(page.locator("#banner code")).to_have_text("qa index PATH")
        expect(page.get_by_role("button", name="Drop files here, or choose them")).to_be_visible()
        samples = page.get_by_role("group", name="Questions for the sample document")
        samples.get_by_role("button", name=AMAZON).click()
        sample = page.locator(".turn.sample")
        expect(sample.locator(".note")).to_contain_text("from the sample document")
        expect(sample.locator("mark").first).to_be_visible()
        expect(sample.get_by_role("link")).to_have_count(0)
        assert list_documents(Settings(command.data, converted)) == []
        page.get_by_label("Your question").fill(AMAZON)
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("index")
        expect(page.get_by_label("Your question")).to_have_value(AMAZON)

        index_paths(Settings(command.data, converted), encoder, [SEEDS], RecordingReporter())
        expect(page.locator("#banner")).to_be_hidden()
        expect(sample).to_have_count(0)
        page.get_by_label("Your question").press("Enter")
        expect(page.locator(".turn .quote").first).to_be_visible()


def test_while_the_models_load_a_question_waits(chromium: Browser, site: Site) -> None:
    loading = {
        "type": "about:blank",
        "title": "Not ready",
        "status": 503,
        "detail": "the server is still loading its models",
    }
    with opening(chromium, site.server.url, expected=(FAILED_REQUEST,)) as open_page:
        page = open_page()
        for path in ("**/ask", "**/readyz"):
            page.route(
                path,
                lambda route: route.fulfill(status=503, json=loading, headers={"Retry-After": "1"}),
            )
        page.get_by_label("Your question").fill(AMAZON)
        page.keyboard.press("Enter")
        expect(page.locator("#banner")).to_contain_text("The server is loading its models.")
        expect(page.locator(".waiting")).to_be_visible()

        page.unroute_all()
        expect(page.locator(".turn .quote").first).to_be_visible()
        expect(page.locator("#banner")).to_be_hidden()


def test_problems_are_said_in_words(chromium: Browser, site: Site) -> None:
    with opening(chromium, site.server.url, expected=(FAILED_REQUEST,)) as open_page:
        page = open_page()
        long = "why " * 1000
        page.get_by_label("Your question").fill(long)
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("2,000")
        expect(page.get_by_label("Your question")).to_have_value(long.strip())

        page.goto("/?c=nothing-has-this-id")
        expect(page.get_by_role("alert")).to_contain_text("This conversation has been deleted")
        expect(page.get_by_role("heading", name="Ask your documents")).to_be_visible()


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(
    chromium: Browser, site: Site, scheme: str, size: dict[str, int]
) -> None:
    with opening(
        chromium, site.server.url, color_scheme=scheme, viewport=size, reduced_motion="reduce"
    ) as open_page:
        page = open_page()
        page.get_by_role("group", name="Example questions").get_by_role("button").first.wait_for()
        page.evaluate("document.querySelector('#documents').open = true")
        page.locator("#documents-list li").first.wait_for(state="attached")
        accessible(page)
        for question in (QUESTIONS["hebrew.txt"], AMAZON):
            answer = ask(page, question)
        page.locator(".more summary").last.click()
        accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        link = turn(page, answer).locator(".place").first
        href = link.get_attribute("href") or ""
        link.click()
        page.locator("#source mark").first.wait_for()
        accessible(page)
        if size is PHONE:
            page.keyboard.press("Escape")
            page.get_by_role("button", name="Menu").click()
            expect(page.get_by_role("button", name="New conversation")).to_be_focused()
            accessible(page)
        page.goto(href)
        page.locator("#source mark").first.wait_for()
        accessible(page)


def accessible(page: Page) -> None:
    """Expect that axe-core finds nothing on the page."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
