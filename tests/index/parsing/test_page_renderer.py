"""Rendering and location of PDF pages in the sandbox process.

Hostile pages end in one clear error, and the next page is shown all the same.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.errors import DamagedFile, EncryptedFile, ExtractionLimit, LoadingError, NoSuchPage
from index.formats.page_view import PageText, page_texts
from index.formats.pdf.extract import extract
from index.parsing.page_renderer import LIMITS, PageRenderer
from tests.index.formats.pdf.test_page_view import changed, printed, span
from tests.support.writers import PARAGRAPH, pdf

GOOD = pdf([[PARAGRAPH], ["Another page."]])
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def pages() -> Iterator[PageRenderer]:
    process = PageRenderer()
    yield process
    process.close()


def test_a_page_comes_back_as_png_and_with_its_boxes(pages: PageRenderer) -> None:
    extracted = extract(GOOD)
    texts = page_texts(extracted.text, extracted.places, 1)

    view = pages.locate(GOOD, 1, texts, *span(extracted, "first table of tides"))

    assert pages.render(GOOD, 1, 300).startswith(PNG)
    assert (view.page, view.pages, view.missing) == (1, 2, 0)
    assert printed(GOOD, 1, view.boxes) == "firsttableoftides"


@pytest.mark.parametrize(
    ("data", "page", "kind", "says"),
    [
        (GOOD, 3, NoSuchPage, "has 2 pages, there is no page 3"),
        (pdf([["Secret."]], password="x"), 1, EncryptedFile, "password"),  # noqa: S106
        (b"no PDF at all", 1, DamagedFile, "expected a PDF"),
        (
            changed(GOOD, media=(0, 0, 1e7, 1e7)),
            1,
            ExtractionLimit,
            "page 1 cannot be shown: measures",
        ),
    ],
)
def test_pages_that_cannot_be_shown_are_refused_and_the_next_is_shown(
    pages: PageRenderer, data: bytes, page: int, kind: type[LoadingError], says: str
) -> None:
    with pytest.raises(kind, match=says):
        pages.render(data, page, 300)
    with pytest.raises(kind, match=says):
        pages.locate(data, page, [PageText(0, "Text.")], 0, 5)
    assert pages.render(GOOD, 2, 300).startswith(PNG)


@given(cut=st.integers(0, 400), at=st.integers(0, len(GOOD) - 1), junk=st.binary(max_size=100))
@settings(max_examples=25)
def test_damaged_pages_are_shown_or_refused(
    pages: PageRenderer, cut: int, at: int, junk: bytes
) -> None:
    damaged = GOOD[:at] + junk + GOOD[at + cut :]

    for ask in (
        lambda: pages.render(damaged, 1, 200),
        lambda: pages.locate(damaged, 1, [PageText(0, PARAGRAPH)], 0, 20),
    ):
        try:
            assert ask()
        except LoadingError as error:
            assert str(error)  # noqa: PT017


def test_a_page_that_takes_too_long_is_given_up() -> None:
    pages = PageRenderer(replace(LIMITS, seconds=0.02, patience=1000))

    with pytest.raises(ExtractionLimit, match=r"page 1 cannot be shown: takes more than 0\.02 "):
        pages.render(GOOD, 1, 3000)

    pages.close()


def test_an_image_of_too_many_bytes_is_refused() -> None:
    pages = PageRenderer(replace(LIMITS, output=1000))

    with pytest.raises(ExtractionLimit, match="more than 1,000 bytes"):
        pages.render(GOOD, 1, 2000)

    pages.close()


def test_several_threads_take_turns(pages: PageRenderer) -> None:
    drawn: list[bytes] = []
    threads = [
        threading.Thread(target=lambda at=at: drawn.append(pages.render(GOOD, 1 + at % 2, 200)))
        for at in range(6)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(drawn) == 6
    assert len(set(drawn)) == 2


def test_the_process_ends_with_its_owner() -> None:
    pages = PageRenderer()
    pages.render(GOOD, 1, 200)
    process = pages._extraction.process_id
    assert process is not None

    pages.close()

    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
