"""Tests of the source beside the chat and of the reader.

Each quote must be marked where the citation says, whatever the text holds.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import (
    AMAZON,
    EMOJI,
    FAILED_REQUEST,
    HARD,
    HEBREW,
    QUESTIONS,
    Opener,
    Site,
    ask,
    marked,
    opening,
    select,
    turn,
)

pytest_plugins = ("tests.support.browser_fixtures",)
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("question", [AMAZON, *QUESTIONS.values()])
def test_the_opened_citation_is_marked_where_it_says(
    open_page: Opener, site: Site, question: str
) -> None:
    page = open_page()
    answer = ask(page, question)

    if question == QUESTIONS["long.txt"]:
        shown = turn(page, answer).locator("blockquote").first.text_content() or ""
        assert shown.startswith("… ")
        assert len(shown) < len(answer["answers"][0]["citation"]["sentence"])

    for number, citation in enumerate(answer["citations"]):
        link = turn(page, answer).locator(".answer > .quote .place").nth(number)
        wanted = next(
            each for each in answer["citations"] if names(link.get_attribute("href") or "", each)
        )
        link.click()
        expect(page.locator("#source .where")).to_contain_text(
            f"characters {wanted['start']}–{wanted['end']}"
        )
        assert marked(page.locator("#source")) == wanted["quote"]
        assert (
            text_shown(page)
            == site.server.client.get(f"/documents/{wanted['document_id']}").json()["text"]
        )
        expect(page.locator("#source mark").first).to_be_in_viewport()
        expect(page.locator("#source .source-title")).to_have_text(citation["title"])
        page.get_by_role("button", name="Close").click()
        expect(page.locator("#source")).to_be_hidden()
    assert page.title() == f"{question} — quoted"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("emoji.txt", "Kaleva"),
        ("emoji.txt", "🎊"),
        ("emoji.txt", "👩‍👩‍👧‍👦 of Cafe\u0301"),
        ("hebrew.txt", "שלום עולם"),
        ("hebrew.txt", "الأرشيف"),
    ],
)
def test_a_permanent_link_works_alone_and_counts_code_points(
    open_page: Opener, site: Site, name: str, words: str
) -> None:
    start, end = HARD[name].index(words), HARD[name].index(words) + len(words)
    info = site.document(name)

    page = open_page(f"/read/{info['id']}?v={info['sha256'][:12]}#c={start}-{end}")

    assert marked(page.locator("#source")) == words
    line = HARD[name][:start].count("\n") + 1
    expect(page.locator("#source .where")).to_have_text(f"line {line}, characters {start}–{end}")
    expect(page.get_by_role("link", name="Permanent link")).to_have_attribute(
        "href", page.url.removeprefix(site.server.url)
    )
    expect(page.locator(".version")).to_be_hidden()


def test_a_selection_is_sent_in_code_points_and_copied_with_its_citation(
    chromium: Browser, site: Site
) -> None:
    with opening(
        chromium, site.server.url, permissions=["clipboard-read", "clipboard-write"]
    ) as open_page:
        page = open_page()
        answer = ask(page, QUESTIONS["emoji.txt"])
        turn(page, answer).locator(".place").first.click()
        page.locator("#source mark").first.wait_for()
        words = "festival opens on 14 March"
        select(page, f"{words} ")
        start = EMOJI.index(words)
        expect(page.locator("#source .where")).to_have_text(
            f"line 1, characters {start}–{start + len(words)}"
        )

        page.locator(".tools > button").click()
        expect(page.locator(".tools > button")).to_have_text("Copied")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.startswith(f"“{words}”\n— ")
        assert (
            f"line 1, characters {start}–{start + len(words)}, "
            f"sha256 {site.document('emoji.txt')['sha256'][:12]}" in copied
        )
        assert copied.strip().endswith(f"#c={start}-{start + len(words)}")

        with page.expect_request("**/feedback") as sent:
            page.get_by_role("button", name="This is the right place").click()
        place = json.loads(sent.value.post_data or "")["place"]
        assert EMOJI[place["start"] : place["end"]] == words


def test_markup_in_a_document_is_text(open_page: Opener, site: Site) -> None:
    page = open_page()
    answer = ask(page, QUESTIONS["script.txt"])
    turn(page, answer).locator(".place").first.click()
    page.locator("#source mark").first.wait_for()

    assert "<script>document.title = 'owned'</script> <img src=x" in text_shown(page)
    assert "owned" not in page.title()
    assert (
        page.locator("#source img, #turns img, #source script, #turns script, #turns b").count()
        == 0
    )
    info = site.document("script.txt")
    page.goto(f"/read/{info['id']}")
    page.locator("#source .block").first.wait_for()
    assert page.title() == f"{info['title']} — quoted"


def test_each_line_has_its_own_direction(open_page: Opener, site: Site) -> None:
    page = open_page(f"/read/{site.document('hebrew.txt')['id']}")
    page.locator("#source .block").first.wait_for()
    room = page.locator("#source .text").bounding_box()
    assert room

    def edges(words: str) -> tuple[float, float]:
        """Return the distances of words from the left and the right edge of the text."""
        select(page, words)
        box: dict[str, Any] = page.evaluate(
            "getSelection().getRangeAt(0).getBoundingClientRect().toJSON()"
        )
        return box["left"] - room["x"], room["x"] + room["width"] - box["right"]

    for line, from_right in zip(HEBREW.splitlines(), (True, False, True), strict=True):
        left, right = edges(line)
        assert (right < left) is from_right, line


def test_a_changed_document_is_shown_as_it_was_quoted_and_leads_to_the_current_text(
    open_page: Opener, site: Site
) -> None:
    old = "The Vardo ferry leaves at 7:45 every morning.\n"
    site.index(ferry=old)
    page = open_page()
    answer = ask(page, "When does the Vardo ferry leave?")
    permanent = turn(page, answer).locator(".place").first.get_attribute("href") or ""
    new = f"Timetable of the winter.\n\n{old}It is often late.\n"
    site.index(ferry=new)

    page.reload()
    expect(turn(page, answer).locator(".become").first).to_have_text("changed since it was quoted")
    turn(page, answer).locator(".place").first.click()
    expect(page.locator(".version")).to_contain_text("This is an older version")
    assert (text_shown(page), marked(page.locator("#source"))) == (old, answer["answer"])

    page.get_by_role("link", name="Open the current version").click()
    expect(page.locator(".version")).to_have_text("The quoted words still stand here.")
    assert (text_shown(page), marked(page.locator("#source"))) == (new, answer["answer"])

    reader = open_page(permanent)
    assert (text_shown(reader), marked(reader.locator("#source"))) == (old, answer["answer"])
    site.index(ferry="The ferry has been given up.\n")
    reader.reload()
    reader.get_by_role("link", name="Open the current version").click()
    expect(reader.locator(".version")).to_contain_text("do not stand here any more")
    assert text_shown(reader) == "The ferry has been given up.\n"


def test_a_deleted_document_is_gone_everywhere(chromium: Browser, site: Site) -> None:
    site.index(doomed="The Skagen cannery was closed in 1987.\n")
    with opening(chromium, site.server.url, expected=(FAILED_REQUEST,)) as open_page:
        page = open_page()
        answer = ask(page, "When was the Skagen cannery closed?")
        permanent = turn(page, answer).locator(".place").first.get_attribute("href") or ""
        site.remove("doomed")

        page.reload()
        expect(turn(page, answer).locator(".note").first).to_contain_text("has been deleted")
        assert "1987" not in (page.locator("#turns").text_content() or "")
        reader = open_page(permanent)
        expect(reader.locator(".version")).to_contain_text("This document has been deleted")
        expect(reader.locator(".text")).to_have_text("")
        unknown = open_page(f"/read/{site.document('emoji.txt')['id']}?v=0123456789ab")
        expect(unknown.locator(".version")).to_contain_text(
            "This version of the document is not kept any more."
        )
        unknown.get_by_role("link", name="Open the current version").click()
        expect(unknown.locator(".block").first).to_contain_text("Kaleva")


def test_a_megabyte_opens_quickly_at_its_mark(open_page: Opener) -> None:
    lines = [
        f"Line {number} of a long log, 🎉 with some words in it.\n" for number in range(21_000)
    ]
    text = "".join(lines)
    start = len("".join(lines[:15_000])) + 5
    info = {"id": "big", "title": "A log", "uri": "big.txt", "sha256": "0" * 64}
    page = open_page()
    page.route(
        "**/documents/big",
        lambda route: route.fulfill(json={"document": info, "text": text, "generation": 1}),
    )

    page.goto(f"/read/big#c={start}-{start + 5}")
    assert marked(page.locator("#source")) == "15000"
    expect(page.locator("#source mark")).to_be_in_viewport()
    elapsed = page.evaluate("performance.now()")

    assert len(text) > 1_000_000
    assert elapsed < 10_000
    assert page.evaluate("document.querySelectorAll('#source *').length") < 2000
    assert text_shown(page) == text


def test_documents_are_listed_with_their_state_and_open_beside_the_chat(
    open_page: Opener, site: Site
) -> None:
    page = open_page()
    page.get_by_text("Documents", exact=True).click()
    page.get_by_label("Filter the documents").fill("hebrew")
    entry = page.locator("#documents-list li")
    expect(entry).to_have_count(1)
    expect(page.locator("#documents-count")).to_have_text("1 document")
    info = site.document("hebrew.txt")
    for part in (info["title"], info["uri"], f"{info['chunks']} passage", "current"):
        expect(entry).to_contain_text(part)

    entry.get_by_role("link").click()
    expect(page.locator("#source .source-title")).to_be_focused()
    assert text_shown(page) == HEBREW
    page.go_back()
    expect(page.locator("#source")).to_be_hidden()


def test_on_a_phone_the_source_covers_the_chat_and_back_closes_it(
    chromium: Browser, site: Site
) -> None:
    with opening(
        chromium,
        site.server.url,
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
    ) as open_page:
        page = open_page()
        answer = ask(page, QUESTIONS["long.txt"])
        link = turn(page, answer).locator(".place").first
        for leave in (lambda: page.get_by_role("button", name="Back").tap(), page.go_back):
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
            link.tap()
            assert marked(page.locator("#source")) == answer["answer"]
            box = page.locator("#source").bounding_box()
            assert box is not None
            assert (box["x"], box["width"], box["height"]) == (0, 390, 844)
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
            leave()
            expect(page.locator("#source")).to_be_hidden()
            expect(link).to_be_focused()


def names(href: str, citation: dict[str, Any]) -> bool:
    """Return True if a permanent link names a citation."""
    return (
        href == f"/read/{citation['document_id']}?v={citation['sha256'][:12]}"
        f"#c={citation['start']}-{citation['end']}"
    )


def text_shown(page: Page) -> str:
    """Return the whole text of the open source."""
    page.locator("#source .block").first.wait_for(state="attached")
    return page.locator("#source .text").text_content() or ""


def test_characters_that_hide_or_turn_the_text_are_shown_as_signs(
    open_page: Opener, site: Site
) -> None:
    text = "The vault\u200b of Bergen is opened by \u202eRalf\u202c Moe.\n"
    site.index(hidden=text)
    page = open_page()
    answer = ask(page, "Who opens the vault of Bergen?")
    citation = next(each for each in answer["citations"] if each["uri"] == "hidden.txt")

    quote = turn(page, answer).locator(".answer > .quote").first
    assert "\u202e" not in (page.text_content("body") or "")
    assert [sign.get_attribute("data-number") for sign in quote.locator("blockquote .sign").all()]
    quote.locator(".place").first.click()
    expect(page.locator("#source .where")).to_contain_text(f"characters {citation['start']}–")
    signs = page.locator("#source .text .sign")
    assert [sign.get_attribute("data-number") for sign in signs.all()] == ["200B", "202E", "202C"]
    # Offsets stay: what is selected behind the signs is what stands there in the document.
    hidden = str.maketrans("\u200b\u202e\u202c", "□□□")
    assert text_shown(page) == text.translate(hidden)
    assert marked(page.locator("#source")) == citation["quote"].translate(hidden)
    site.remove("hidden")
