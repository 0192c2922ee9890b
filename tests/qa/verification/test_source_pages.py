"""Pages of cited PDF files: from the version that is asked for or not at all, over HTTP too."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from index.errors import DamagedFile
from index.formats.page_view import Box, PageText, PageView
from index.parsing.loader import document_id
from index.parsing.page_renderer import PageRenderer
from qa.bootstrap import live_pipeline
from qa.errors import PageNotShown
from qa.interfaces.api.problems import add_error_handlers
from qa.interfaces.api.source_pages import source_page_router
from qa.verification.source_pages import Original, Originals
from tests.index.formats.pdf.test_page_view import printed
from tests.qa.interfaces.api.test_ask import FixedService, problem
from tests.support.fakes import SharedWordsReader
from tests.support.serving import Command, Server, carded, indexed, settings_in, write_files
from tests.support.writers import PARAGRAPH, pdf

PAPER = pdf([["# Tables", PARAGRAPH], ["Another page of the paper."]])
FILES: dict[str, str | bytes] = {"paper.pdf": PAPER, "notes.txt": "Plain notes."}
QUOTE = "first table of tides in 1839"


class CountingPages(PageRenderer):
    """Draws nothing, and counts; a page number above 9 is damaged."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn_pages: list[int] = []

    def render(self, data: bytes, page: int, width: int) -> bytes:
        self.drawn_pages.append(page)
        if page > 9:
            raise DamagedFile("page 10 is damaged")
        return data * width

    def locate(
        self, data: bytes, page: int, texts: Sequence[PageText], start: int, end: int
    ) -> PageView:
        del data, texts
        self.drawn_pages.append(page)
        return PageView(page, 1, float(start), float(end))


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """Return the handlers over an index of FILES, which lie below `corpus`."""
    settings = settings_in(tmp_path)
    indexed(settings, carded(), tmp_path / "corpus", FILES)
    app = FastAPI()
    app.include_router(
        source_page_router(FixedService(live_pipeline(settings, carded(), SharedWordsReader())))
    )
    add_error_handlers(app)
    with TestClient(app) as client:
        yield client


def test_pages_that_were_drawn_are_kept_within_bounds() -> None:
    pages = CountingPages()
    originals = Originals(pages, kept_bytes=250)
    paper = Original("paper.pdf", "ab" * 32, b"x")

    for page in (1, 2, 1, 3, 1, 2):
        assert originals.drawn(paper, page, 100) == b"x" * 100

    assert pages.drawn_pages == [1, 2, 3, 2]


def test_another_version_width_or_range_is_another_page() -> None:
    pages = CountingPages()
    originals = Originals(pages)
    papers = [Original("paper.pdf", digest * 64, digest.encode()) for digest in "ab"]

    assert [originals.drawn(paper, 1, width) for paper in papers for width in (1, 2)] == [
        b"a",
        b"aa",
        b"b",
        b"bb",
    ]
    assert [originals.located(papers[0], 1, [], 0, end).height for end in (1, 2, 1)] == [1, 2, 1]
    assert papers[0].tag(1, 100) != papers[1].tag(1, 100) != papers[1].tag(1, 200)
    assert len(pages.drawn_pages) == 6


def test_what_goes_wrong_names_the_document_and_is_not_kept() -> None:
    pages = CountingPages()
    originals = Originals(pages)

    for _ in range(2):
        with pytest.raises(PageNotShown, match=r"paper\.pdf: page 10 is damaged"):
            originals.drawn(Original("paper.pdf", "a" * 64, b"x"), 10, 100)

    assert pages.drawn_pages == [10, 10]


@pytest.fixture
def paper(tmp_path: Path, client: TestClient) -> str:
    """Return the address of the paper's pages."""
    del client
    return f"/documents/{document_id(tmp_path / 'corpus' / 'paper.pdf')}/pages"


def test_a_page_is_an_image_that_browsers_keep(client: TestClient, paper: str) -> None:
    response = client.get(f"{paper}/2.png", params={"width": 300})

    assert response.headers["content-type"] == "image/png"
    assert Image.open(BytesIO(response.content)).size[0] == 300
    assert response.headers["etag"] == f'"{hashlib.sha256(PAPER).hexdigest()}-2-300"'
    again = client.get(
        f"{paper}/2.png", params={"width": 300}, headers={"if-none-match": response.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    assert (
        client.get(
            f"{paper}/1.png", headers={"if-none-match": response.headers["etag"]}
        ).status_code
        == 200
    )


def test_the_boxes_of_a_quote_hold_it(client: TestClient, paper: str) -> None:
    text = f"Tables\n\n{PARAGRAPH}"
    start = text.index(QUOTE)

    found = client.get(f"{paper}/1", params={"start": start, "end": start + len(QUOTE)}).json()

    assert {**found, "boxes": None} == {
        "document_id": paper.split("/")[2],
        "sha256": hashlib.sha256(PAPER).hexdigest(),
        "page": 1,
        "pages": 2,
        "width": pytest.approx(595.28, abs=0.1),
        "height": pytest.approx(841.89, abs=0.1),
        "boxes": None,
        "missing": 0,
        "continues": False,
    }
    assert printed(PAPER, 1, [Box(**box) for box in found["boxes"]]) == QUOTE.replace(" ", "")
    assert (
        client.get(f"{paper}/2", params={"start": start, "end": start + len(QUOTE)}).json()["boxes"]
        == []
    )


@pytest.mark.parametrize("ending", ["", ".png"])
def test_a_file_that_has_changed_or_gone_is_not_shown(
    client: TestClient, paper: str, tmp_path: Path, ending: str
) -> None:
    file, other = tmp_path / "corpus" / "paper.pdf", pdf([["Quite another paper."]])
    digests = [hashlib.sha256(content).hexdigest()[:12] for content in (PAPER, other)]

    file.write_bytes(other)
    changed = problem(client.get(f"{paper}/1{ending}"), 409)
    assert changed["title"] == "Source changed"
    assert all(digest in changed["detail"] for digest in digests)
    assert problem(client.get(f"{paper}/1{ending}", params={"v": digests[0]}), 409)
    assert client.get(f"{paper}/1{ending}", params={"v": digests[1]}).status_code == 200

    file.unlink()
    gone = problem(client.get(f"{paper}/1{ending}"), 410)
    assert "paper.pdf" in gone["detail"]
    assert str(tmp_path) not in gone["detail"]


def test_a_version_whose_text_is_not_indexed_has_no_boxes(
    client: TestClient, paper: str, tmp_path: Path
) -> None:
    other = pdf([["# Tables", PARAGRAPH]])
    (tmp_path / "corpus" / "paper.pdf").write_bytes(other)

    found = client.get(
        f"{paper}/1", params={"v": hashlib.sha256(other).hexdigest(), "start": 10, "end": 20}
    ).json()

    assert (found["boxes"], found["missing"]) == ([], 10)


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/documents/nothing/pages/1.png", 404, "no document"),
        ("/documents/nothing/pages/1", 404, "no document"),
        ("{notes}/1.png", 404, "notes.txt is no PDF"),
        ("{notes}/1", 404, "notes.txt is no PDF"),
        ("{paper}/3.png", 404, "paper.pdf has 2 pages, there is no page 3"),
        ("{paper}/3", 404, "no page 3"),
        ("{paper}/0.png", 422, "greater than"),
        ("{paper}/x.png", 422, "integer"),
        ("{paper}/1.png?width=99", 422, "width"),
        ("{paper}/1.png?width=2401", 422, "width"),
        ("{paper}/1.png?v=zz", 422, "v"),
        ("{paper}/1?start=-1", 422, "start"),
    ],
)
def test_what_is_not_there_or_makes_no_sense_is_said(
    client: TestClient, paper: str, tmp_path: Path, path: str, status: int, says: str
) -> None:
    notes = f"/documents/{document_id(tmp_path / 'corpus' / 'notes.txt')}/pages"

    assert says in problem(client.get(path.format(paper=paper, notes=notes)), status)["detail"]


@pytest.mark.slow
def test_a_real_server_shows_pages_and_answers_meanwhile(command: Command, tmp_path: Path) -> None:
    write_files(tmp_path / "corpus", FILES)
    assert command("index", str(tmp_path / "corpus")).returncode == 0

    with Server(command) as server:
        server.ready()
        [listed] = [
            each
            for each in server.client.get("/documents").json()["documents"]
            if each["uri"] == "paper.pdf"
        ]
        answer: dict[str, Any] = server.client.post(
            "/ask", json={"question": "What was published in 1839?", "top_k": 3}
        ).json()
        quotes = [each for each in answer["citations"] if each["page"]]
        page = f"/documents/{listed['id']}/pages/1"
        with httpx.Client(base_url=server.url, trust_env=False) as foreign:
            assert foreign.get(f"{page}.png", headers={"host": "example.org"}).status_code == 403
        image = server.client.get(f"{page}.png")
        boxes = [
            server.client.get(page, params={"start": each["start"], "end": each["end"]}).json()
            for each in quotes
        ]

    assert image.content.startswith(b"\x89PNG")
    assert image.headers["x-content-type-options"] == "nosniff"
    assert [printed(PAPER, 1, [Box(**box) for box in each["boxes"]]) for each in boxes] == [
        each["quote"].replace(" ", "") for each in quotes
    ]
