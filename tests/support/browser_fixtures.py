"""The fixtures of the browser tests: Chromium, and a server for all of them; a plugin of those test
files alone.
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
    """Where Chromium is; skips or fails without one, before anything is made ready for it."""
    return chromium_path()


@pytest.fixture(scope="module")
def chromium(chromium_file: str) -> Iterator[Browser]:
    """One browser a module: while Playwright runs, no other test can have an event loop in this
    thread.
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
    """One server for all browser tests, over the seeds and what is hard to show. It answers however
    unsure it is.
    """
    del chromium_file  # asked for so that nothing is indexed without it
    with Site.over(tmp_path_factory.mktemp("site"), encoder, converted, HARD, SEEDS) as site:
        yield site


@pytest.fixture
def open_page(chromium: Browser, site: Site) -> Iterator[Opener]:
    """Opens pages of the site, none of which may have an error or ask another host."""
    with opening(chromium, site.server.url) as opener:
        yield opener
