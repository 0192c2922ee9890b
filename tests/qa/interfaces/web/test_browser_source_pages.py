"""Tests of the printed page of a PDF, which is shown with the quote boxed, beside the text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from index.models.encoder import Encoder
from tests.qa.interfaces.web.test_browser_states import accessible
from tests.support.browser import (
    FAILED_REQUEST,
    PHONE,
    WIDE,
    Opener,
    Site,
    ask,
    marked,
    opening,
    turn,
)
from tests.support.serving import eventually
from tests.support.writers import PARAGRAPH, pdf

pytest_plugins = ("tests.support.browser_fixtures",)
pytestmark = pytest.mark.slow

KEEPER = "The lighthouse keeper is called Anna Berg."
QUESTION = "What is the lighthouse keeper called?"
FILES = {
    "lighthouse.pdf": pdf(
        [
            ["The lighthouse opens in April."],
            [*[PARAGRAPH] * 14, KEEPER],
            ["Ships pass and the har-"],
            ["bour sleeps."],
        ]
    ),
    "moving.pdf": pdf([["The ferry to Utö sails at nine."]]),
    "notes.txt": "The Kaleva festival opens on 14 March in Oulu.",
}


@pytest.fixture(scope="module")
def pdf_site(
    chromium: Browser, tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, converted: Path
) -> Iterator[Site]:
    del chromium
    with Site.over(tmp_path_factory.mktemp("originals"), encoder, converted, FILES) as site:
        yield site


@pytest.fixture
def open_pdfs(chromium: Browser, pdf_site: Site) -> Iterator[Opener]:
    with opening(chromium, pdf_site.server.url) as opener:
        yield opener


def link(site: Site, uri: str, words: str) -> str:
    """Return the permanent link to words of a document."""
    listed = site.document(uri)
    text = site.server.client.get(f"/documents/{listed['id']}").json()["text"]
    start = text.index(words)
    return f"/read/{listed['id']}?v={listed['sha256'][:12]}#c={start}-{start + len(words)}"


def original(page: Page) -> Locator:
    return page.get_by_role("region", name="Original page")


def text(page: Page) -> Locator:
    return page.get_by_role("region", name="Text of the document")


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("group", name="What is shown").get_by_role("button", name=name)


def loaded(page: Page, name: str) -> None:
    """Expect an image with this alternative text."""
    image = original(page).get_by_role("img", name=name)
    image.wait_for()
    expect(image).to_have_js_property("complete", value=True)
    assert image.evaluate("each => each.naturalWidth") > 1000


def is_within(inner: Locator, outer: Locator) -> bool:
    """Return True if an element is in the visible part of another one."""
    one, other = inner.bounding_box(), outer.bounding_box()
    assert one
    assert other
    return other["y"] <= one["y"] and one["y"] + one["height"] <= other["y"] + other["height"]


def test_the_page_of_a_citation_is_shown_with_the_quote_boxed_in_sight(open_pdfs: Opener) -> None:
    page = open_pdfs()
    answer = ask(page, QUESTION)
    turn(page, answer).locator(".answer > .quote .place").first.click()

    loaded(page, "Page 2 of lighthouse.pdf, the quote marked")
    box = original(page).locator(".quote-box")
    expect(box).to_have_count(1)
    assert is_within(box, original(page))
    assert marked(text(page)) == answer["answer"]
    assert is_within(text(page).locator("mark"), text(page))
    expect(original(page)).to_contain_text("Page 2 of 4")


def test_page_and_text_are_chosen_by_keyboard(open_pdfs: Opener, pdf_site: Site) -> None:
    page = open_pdfs(link(pdf_site, "lighthouse.pdf", KEEPER))
    loaded(page, "Page 2 of lighthouse.pdf, the quote marked")

    button(page, "Text").press("Enter")
    expect(text(page)).to_be_hidden()
    expect(button(page, "Text")).to_have_attribute("aria-pressed", "false")
    width = original(page).get_by_role("img").evaluate("each => each.clientWidth")
    button(page, "Enlarge").press("Space")
    assert original(page).get_by_role("img").evaluate("each => each.clientWidth") > 1.8 * width
    assert is_within(original(page).locator(".quote-box"), original(page))

    before = original(page).evaluate("each => each.scrollTop")
    original(page).press("ArrowUp")
    eventually(lambda: original(page).evaluate("each => each.scrollTop") < before)

    button(page, "Page").press("Enter")
    expect(original(page)).to_be_hidden()
    expect(text(page)).to_be_visible()
    assert is_within(text(page).locator("mark"), text(page))
    expect(button(page, "Enlarge")).to_be_hidden()


def test_a_word_that_is_divided_between_pages_is_boxed_on_both(
    open_pdfs: Opener, pdf_site: Site
) -> None:
    page = open_pdfs(link(pdf_site, "lighthouse.pdf", "the harbour"))

    loaded(page, "Page 3 of lighthouse.pdf, the quote marked")
    loaded(page, "Page 4 of lighthouse.pdf, the quote marked")
    expect(original(page).locator(".quote-box")).to_have_count(2)


def test_a_text_has_no_page_and_no_choice(open_pdfs: Opener, pdf_site: Site) -> None:
    page = open_pdfs(link(pdf_site, "notes.txt", "14 March"))

    assert marked(text(page)) == "14 March"
    expect(original(page)).to_be_hidden()
    expect(page.get_by_role("group", name="What is shown")).to_be_hidden()


def test_where_the_file_has_changed_or_gone_the_text_is_shown_alone(
    chromium: Browser, pdf_site: Site
) -> None:
    file, words = pdf_site.folder / "moving.pdf", "sails at nine"
    with opening(chromium, pdf_site.server.url, expected=(FAILED_REQUEST,)) as open_page:
        for change, says in (
            (lambda: file.write_bytes(pdf([["Another."]])), "has changed"),
            (file.unlink, "no longer there"),
        ):
            change()
            page = open_page(link(pdf_site, "moving.pdf", words))

            expect(page.locator(".original-note")).to_contain_text(says)
            assert marked(text(page)) == words
            expect(original(page)).to_be_hidden()


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_beside_and_over_the_chat_and_alone(
    chromium: Browser, pdf_site: Site, scheme: str, size: dict[str, int]
) -> None:
    address = link(pdf_site, "lighthouse.pdf", KEEPER)
    with opening(
        chromium, pdf_site.server.url, color_scheme=scheme, viewport=size, reduced_motion="reduce"
    ) as open_page:
        page = open_page()
        for place in (
            f"/?doc={address.split('/')[2].replace('?v=', '&v=').replace('#c=', '&at=')}",
            address,
        ):
            page.goto(place)
            loaded(page, "Page 2 of lighthouse.pdf, the quote marked")
            expect(text(page)).to_be_hidden() if size is PHONE else expect(
                text(page)
            ).to_be_visible()
            assert is_within(original(page).locator(".quote-box"), original(page))
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
            accessible(page)
