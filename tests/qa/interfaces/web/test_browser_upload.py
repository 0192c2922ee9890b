"""Tests of uploads on the page: by dropping and by the button."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.qa.interfaces.web.test_browser_states import accessible
from tests.support.browser import FAILED_REQUEST, PHONE, WIDE, ask, marked, opening, turn
from tests.support.serving import Command, Server, write_files

pytest_plugins = ("tests.support.browser_fixtures",)
pytestmark = pytest.mark.slow

GATE = "The harbour gate opens with the code seven."
SCRIPT = "<img src=x onerror=document.title='owned'>.txt"
READ = (
    "text, Markdown, PDF, Word, PowerPoint, a spreadsheet, HTML, EPUB, OpenDocument, RTF, a mail, "
    "source code or another format of docs/formats.md"
)
DROP = """files => {
    const transfer = new DataTransfer();
    for (const [name, content] of files) transfer.items.add(new File([content], name));
    for (const type of ["dragover", "drop"]) {
        const options = { dataTransfer: transfer, bubbles: true, cancelable: true };
        document.body.dispatchEvent(new DragEvent(type, options));
    }
}"""

NOTE_SAID = """() => {
    const status = document.querySelector("#status");
    window.said = [];
    const note = () => window.said.push(status.textContent);
    const changes = { childList: true, characterData: true, subtree: true };
    new MutationObserver(note).observe(status, changes);
}"""


def lines(page: Page, count: int) -> dict[str, str]:
    """Return the result of each file by name, once all have one."""
    items = page.locator("#uploads > li")
    expect(items).to_have_count(count)
    expect(page.get_by_role("button", name="Clear these lines")).to_be_visible()
    return {
        items.nth(at).locator(".name").inner_text(): items.nth(at).locator(".result").inner_text()
        for at in range(items.count())
    }


def test_files_are_dropped_and_chosen_asked_about_and_deleted(
    chromium: Browser, converted: Path, tmp_path: Path
) -> None:
    command = Command(
        tmp_path / "data",
        converted,
        {"QUOTED_MIN_CONFIDENCE": "0", "QUOTED_MAX_FILE_BYTES": "100000"},
    )
    with (
        Server(command) as server,
        opening(chromium, server.url, expected=(FAILED_REQUEST,)) as open_page,
    ):
        page = open_page()
        expect(page.locator("#banner")).to_contain_text(
            "Nothing is indexed yet. Drop files on this page"
        )
        page.evaluate(NOTE_SAID)
        page.evaluate(
            DROP,
            [
                ["gate.txt", GATE],
                [SCRIPT, "Bread rises in the oven."],
                ["notes.exe", "MZ"],
                ["big.txt", "x" * 100_001],
            ],
        )
        assert lines(page, 4) == {
            "gate.txt": "added",
            SCRIPT: "added",
            "notes.exe": f"skipped: expected {READ}, got '.exe'",
            "big.txt": "skipped: has 100,001 bytes, the limit is 100,000",
        }
        expect(page.locator("#uploads-summary")).to_have_text("Uploads: 2 added, 2 skipped.")
        # What the page says to screen readers next (that the server is ready) takes its place.
        page.wait_for_function("window.said.includes('Uploads: 2 added, 2 skipped.')")
        expect(page.locator("#documents-count")).to_have_text("2 documents")
        expect(page.locator("#banner")).to_be_hidden()
        assert page.title() == "quoted"

        write_files(
            tmp_path / "files",
            {"sea.md": "---\ntags: [sea]\n---\n# Sea\n\nThe sea is salt.", "none.txt": ""},
        )
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Add files").press("Enter")
        chooser.value.set_files([tmp_path / "files" / name for name in ("sea.md", "none.txt")])
        results = lines(page, 6)
        assert (results["sea.md"], results["none.txt"]) == (
            "added",
            "skipped: holds no text (0 bytes)",
        )
        expect(page.locator("#documents-list")).to_contain_text("#sea")
        page.get_by_role("button", name="Clear these lines").click()
        page.evaluate(DROP, [["gate.txt", GATE]])
        assert lines(page, 1) == {"gate.txt": "unchanged: is here already"}
        page.get_by_role("button", name="Clear these lines").press("Enter")
        expect(page.locator("#uploads > li")).to_have_count(0)

        answer = ask(page, "Which code opens the harbour gate?")
        assert answer["citations"][0]["uri"] == "gate.txt"
        turn(page, answer).locator(".place").first.click()
        assert marked(page.locator("#source")) == answer["answer"]
        page.keyboard.press("Escape")

        page.get_by_role("button", name="Delete “gate.txt”").press("Enter")
        expect(page.get_by_role("dialog")).to_contain_text(
            "The file that was uploaded is deleted, too"
        )
        page.keyboard.press("Escape")
        expect(page.locator("#documents-list li")).to_have_count(3)
        page.get_by_role("button", name="Delete “gate.txt”").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        expect(page.locator("#documents-list li")).to_have_count(2)
        expect(page.get_by_label("Filter the documents")).to_be_focused()


def test_a_folder_is_dropped_by_the_hand_of_the_browser(
    chromium: Browser, upload_server: Server, tmp_path: Path
) -> None:
    write_files(
        tmp_path / "papers", {"one.txt": "Tin melts early.", ".hidden.txt": "Nobody sees this."}
    )
    write_files(
        tmp_path / "papers" / "deeper",
        {"two.md": "# Lead\n\nLead is heavy.", "three.png": b"\x89PNG"},
    )
    with opening(chromium, upload_server.url, expected=(FAILED_REQUEST,)) as open_page:
        page = open_page()
        devtools = page.context.new_cdp_session(page)
        data = {"items": [], "files": [str(tmp_path / "papers")], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver"):
            devtools.send(
                "Input.dispatchDragEvent", {"type": kind, "x": 600, "y": 400, "data": data}
            )
        expect(page.locator("body.dropping")).to_have_count(1)
        devtools.send("Input.dispatchDragEvent", {"type": "drop", "x": 600, "y": 400, "data": data})

        results = lines(page, 3)
        assert results.keys() == {"one.txt", "two.md", "three.png"}
        assert (results["one.txt"], results["two.md"]) == ("added", "added")
        expect(page.locator("body.dropping")).to_have_count(0)


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_while_files_come_and_after(
    chromium: Browser, upload_server: Server, scheme: str, size: dict[str, int]
) -> None:
    options = {"color_scheme": scheme, "viewport": size, "reduced_motion": "reduce"}
    with opening(chromium, upload_server.url, expected=(FAILED_REQUEST,), **options) as open_page:
        page = open_page()
        page.evaluate(
            DROP, [["gate.txt", GATE], ["notes.exe", "MZ"], [f"{'a long name ' * 9}.txt", GATE * 2]]
        )
        accessible(page)
        assert {result.partition(":")[0] for result in lines(page, 3).values()} <= {
            "added",
            "unchanged",
            "skipped",
        }
        accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


@pytest.fixture(scope="module")
def upload_server(
    chromium_file: str, tmp_path_factory: pytest.TempPathFactory, converted: Path
) -> Iterator[Server]:
    """Yield a server without documents."""
    del chromium_file
    with Server(Command(tmp_path_factory.mktemp("uploads") / "data", converted)) as server:
        yield server
