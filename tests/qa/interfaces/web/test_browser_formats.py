"""Tests of the places of quotes in formats with pages, sheets and rows instead of lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from index.models.encoder import Encoder
from tests.support.browser import Opener, Site, ask, opening, turn
from tests.support.writers import pdf, workbook

pytest_plugins = ("tests.support.browser_fixtures",)
pytestmark = pytest.mark.slow

FILES = {
    "lighthouse.pdf": pdf(
        [["The lighthouse opens in April."], ["The lighthouse keeper is called Anna Berg."]]
    ),
    "shop.xlsx": workbook(
        {"Prices": [("Item", "Price", "Stock"), ("Oil lamp", 39.9, 4), ("Brass bell", 120, 2)]}
    ),
}


@pytest.fixture(scope="module")
def formats_site(
    chromium: Browser, tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, converted: Path
) -> Iterator[Site]:
    del chromium
    with Site.over(tmp_path_factory.mktemp("formats"), encoder, converted, FILES) as site:
        yield site


@pytest.fixture
def open_formats(chromium: Browser, formats_site: Site) -> Iterator[Opener]:
    with opening(chromium, formats_site.server.url) as opener:
        yield opener


@pytest.mark.parametrize(
    ("question", "quote", "place"),
    [
        ("What is the lighthouse keeper called?", "Anna Berg", "page 2"),
        ("What is the price of the brass bell?", "120", "sheet Prices, row 3"),
    ],
)
def test_a_quote_is_shown_with_its_page_or_row_and_no_line(
    open_formats: Opener, question: str, quote: str, place: str
) -> None:
    page = open_formats()
    answer = ask(page, question)
    link = turn(page, answer).locator(".answer > .quote .place").first

    expect(link.locator(".where")).to_contain_text(place)
    link.click()

    expect(page.locator("#source .where")).to_contain_text(f"{place}, characters")
    expect(page.locator("#source .where")).not_to_contain_text("line")
    expect(page.locator("#source mark").first).to_have_text(quote)
