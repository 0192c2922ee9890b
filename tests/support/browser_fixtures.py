"""Fixtures of the browser tests: Chromium, and one server for all of them.

It is a plugin of those test files alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from index.models.encoder import Encoder
from tests.support.browser import HARD, Opener, Site, chromium_path, opening
from tests.support.serving import PATIENCE, SEEDS


@pytest.fixture(scope="session")
def chromium_file() -> str:
    """Return the path of Chromium; skip or fail without it, before anything else is prepared."""
    return chromium_path()


@pytest.fixture(scope="module")
def chromium(chromium_file: str) -> Iterator[Browser]:
    """Run one browser per module.

    While Playwright runs, no other test can have an event loop in this thread.
    """
    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright:
        root = hasattr(os, "geteuid") and os.geteuid() == 0
        browser = playwright.chromium.launch(
            executable_path=chromium_file, args=["--no-sandbox"] if root else []
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site(
    chromium_file: str, tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, converted: Path
) -> Iterator[Site]:
    """Run one server for all browser tests, over the seeds and the difficult documents.

    It answers at any confidence.
    """
    del chromium_file  # asked for so that nothing is indexed without it
    with Site.over(tmp_path_factory.mktemp("site"), encoder, converted, HARD, SEEDS) as site:
        yield site


@pytest.fixture
def open_page(chromium: Browser, site: Site) -> Iterator[Opener]:
    """Return a function that opens pages of the site.

    None of them may have an error or ask another host.
    """
    with opening(chromium, site.server.url) as opener:
        yield opener
