"""Tests of tags on the web page, of replaced files, and of marks at sources that have changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.qa.interfaces.web.test_browser_states import accessible
from tests.support.browser import FAILED_REQUEST, PHONE, WIDE, ask, opening, turn
from tests.support.serving import Command, Server, eventually, write_files

pytest_plugins = ("tests.support.browser_fixtures",)
pytestmark = pytest.mark.slow

HARBOUR, BOARD = "The harbour basin is 12 metres deep.", "The board meets in room nine on Mondays."


@dataclass
class Tagged:
    """A server over two indexed documents with tags.

    One has the given tag `harbour`, the other a tag of its own and a given one.
    """

    server: Server
    command: Command
    folder: Path

    def index(self, name: str, text: str, *tags: str) -> None:
        """Index a file with these tags."""
        write_files(self.folder, {name: text})
        given = [part for tag in tags for part in ("--tag", tag)]
        assert self.command("index", *given, str(self.folder / name)).returncode == 0


@pytest.fixture
def tagged(converted: Path, tmp_path: Path) -> Iterator[Tagged]:
    command = Command(tmp_path / "data", converted, {"QUOTED_MIN_CONFIDENCE": "0"})
    with Server(command) as server:
        made = Tagged(server, command, tmp_path / "files")
        made.index("harbour.txt", HARBOUR, "harbour")
        made.index("board.md", f"---\ntags: [minutes]\n---\n{BOARD}", "board")
        server.ready()
        yield made
        assert "Traceback" not in server.log


def chooser(page: Page) -> Any:
    """Return the button that opens the tags."""
    return page.locator("#within summary")


def test_a_question_is_asked_within_the_chosen_tags_by_keyboard_and_the_conversation_keeps_them(
    chromium: Browser, tagged: Tagged
) -> None:
    with opening(chromium, tagged.server.url, expected=(FAILED_REQUEST,)) as open_page:
        page = open_page()
        expect(chooser(page)).to_have_text("Ask all documents")
        chooser(page).press("Enter")
        box = page.get_by_role("group", name="Ask only documents with any of the tags")
        box.get_by_role("checkbox", name="harbour").press("Space")
        expect(chooser(page)).to_have_text("Ask in harbour")
        expect(box.get_by_role("checkbox", name="harbour")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.get_by_label("Your question")).to_be_focused()
        expect(box).to_be_hidden()

        first = ask(page, "Where does the board meet?")
        assert (first["tags"], {each["uri"] for each in first["citations"]}) == (
            ["harbour"],
            {"harbour.txt"},
        )
        expect(turn(page, first).locator(".asked-within")).to_have_text("in harbour")
        chooser(page).click()
        box.get_by_role("checkbox", name="minutes").check()
        page.locator("#main h1").dispatch_event("click")
        expect(box).to_be_hidden()
        second = ask(page, "Where does the board meet?")
        assert second["tags"] == ["harbour", "minutes"]
        expect(turn(page, second).locator(".asked-within")).to_have_text("in harbour, minutes")
        follow_up = ask(page, "And when?")
        assert follow_up["tags"] == ["harbour", "minutes"]

        page.get_by_role("button", name="New conversation").click()
        expect(chooser(page)).to_have_text("Ask all documents")
        everything = ask(page, "Where does the board meet?")
        assert everything["tags"] == []
        expect(turn(page, everything).locator(".asked-within")).to_have_count(0)
        page.go_back()
        page.go_back()
        expect(chooser(page)).to_have_text("Ask in harbour, minutes")
        page.reload()
        expect(chooser(page)).to_have_text("Ask in harbour, minutes")

        tagged.index("board.md", BOARD)
        [board] = [
            each
            for each in tagged.server.client.get("/documents").json()["documents"]
            if each["uri"] == "board.md"
        ]
        tagged.server.client.put(f"/documents/{board['id']}/tags", json={"tags": []})
        page.get_by_label("Your question").fill("Where does it meet?")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert").first).to_have_text(
            "no document has the tag 'minutes': the tags are harbour"
        )
        expect(page.get_by_label("Your question")).to_have_value("Where does it meet?")
        expect(page.locator(".turn")).to_have_count(3)
        expect(chooser(page)).to_have_text("Ask in harbour")
        chooser(page).click()
        page.get_by_role("button", name="Ask all documents").click()
        assert ask(page, "Where does it meet?")["tags"] == []


def test_without_tags_there_is_nothing_to_choose_until_one_is_given_in_the_list(
    chromium: Browser, site: Any
) -> None:
    with opening(chromium, site.server.url, expected=(FAILED_REQUEST,)) as open_page:
        page = open_page()
        page.locator("#documents summary").click()
        page.get_by_role("button", name="Tags and file of “emoji.txt”").press("Enter")
        form = page.get_by_role("form", name="Tags and file of “emoji.txt”")
        expect(chooser(page)).to_be_hidden()
        expect(form.get_by_role("button", name="Replace…")).to_have_count(0)
        form.get_by_label("Tags, separated").fill(f"fine, {'x' * 65}")
        form.get_by_role("button", name="Save tags").click()
        expect(form.get_by_role("alert")).to_contain_text(
            "expected a tag of 1 to 64 printable characters"
        )
        form.get_by_label("Tags, separated").fill(" Festival,  two  words ,")
        page.keyboard.press("Enter")
        expect(form).to_be_hidden()
        expect(page.locator("#documents-list li", has_text="emoji.txt")).to_contain_text(
            "#festival · #two words"
        )
        expect(page.get_by_role("button", name="Tags and file of “emoji.txt”")).to_be_focused()
        expect(chooser(page)).to_be_visible()

        page.get_by_role("button", name="Tags and file of “emoji.txt”").click()
        form.get_by_label("Tags, separated").fill("")
        form.get_by_role("button", name="Save tags").click()
        expect(chooser(page)).to_be_hidden()


def test_an_uploaded_file_is_replaced_and_keeps_its_tags(
    chromium: Browser, tagged: Tagged, tmp_path: Path
) -> None:
    client = tagged.server.client
    client.post(
        "/documents",
        files={"file": ("gate.txt", b"The gate opens with the code seven.")},
        data={"tag": "gates"},
    )
    eventually(
        lambda: any(
            each["uri"] == "gate.txt" for each in client.get("/documents").json()["documents"]
        )
    )
    write_files(
        tmp_path / "new", {"gate.txt": "The gate opens with the code eleven.", "other.md": "No."}
    )
    with opening(chromium, tagged.server.url, expected=(FAILED_REQUEST,)) as open_page:
        page = open_page()
        page.locator("#documents summary").click()
        page.get_by_role("button", name="Tags and file of “gate.txt”").click()
        lines = page.locator("#uploads > li")
        for name in ("other.md", "gate.txt"):
            with page.expect_file_chooser() as choosing:
                page.get_by_role("button", name="Replace…").click()
            choosing.value.set_files(tmp_path / "new" / name)
            expect(page.get_by_role("button", name="Clear these lines")).to_be_visible()
        expect(lines).to_have_count(2)
        expect(lines.first).to_have_text(
            "gate.txt, from other.mdskipped: expected a .txt file to replace gate.txt, "
            "got other.md: upload it anew"
        )
        expect(lines.last).to_have_text("gate.txtreplaced")
        answer = ask(page, "Which code opens the gate?")
        assert answer["answers"][0]["citation"]["uri"] == "gate.txt"
        assert "eleven" in answer["answers"][0]["citation"]["sentence"]
    [gate] = [
        each for each in client.get("/documents").json()["documents"] if each["uri"] == "gate.txt"
    ]
    assert gate["tags"] == ["gates"]


def test_a_source_that_is_not_what_was_indexed_is_marked_at_its_citation(
    chromium: Browser, tagged: Tagged
) -> None:
    with opening(chromium, tagged.server.url) as open_page:
        page = open_page()
        current = ask(page, "How deep is the harbour basin?")
        expect(turn(page, current).locator(".places .become")).to_have_count(0)
        write_files(tagged.folder, {"harbour.txt": f"A new line.\n{HARBOUR}"})
        changed = ask(page, "How deep is the harbour basin, then?")
        assert changed["citations"][0]["freshness"] == "changed"
        mark = turn(page, changed).locator(".places .become").first
        expect(mark).to_contain_text("file changed since it was indexed")
        expect(mark).to_have_attribute(
            "title",
            "The quote is from the version that was indexed; "
            "the file says something else by now, perhaps elsewhere.",
        )
        expect(mark.locator(".visually-hidden")).to_contain_text(
            "The quote is from the version that was indexed"
        )
        accessible(page)


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation_with_the_chooser_and_a_document_open(
    chromium: Browser, tagged: Tagged, scheme: str, size: dict[str, int]
) -> None:
    with opening(
        chromium, tagged.server.url, color_scheme=scheme, viewport=size, reduced_motion="reduce"
    ) as open_page:
        page = open_page()
        chooser(page).click()
        page.get_by_role("checkbox", name="harbour").check()
        accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        page.keyboard.press("Escape")
        ask(page, "How deep is the harbour basin?")
        if size is PHONE:
            page.get_by_role("button", name="Menu").click()
        page.locator("#documents summary").click()
        page.get_by_role("button", name="Tags and file of “board.md”").click()
        expect(page.get_by_role("form")).to_contain_text("and from its own text minutes")
        accessible(page)
