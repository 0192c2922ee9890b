"""Tests of the chat in a real browser: questions, conversations, feedback, keyboard."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from qa.evaluation.squad import read_questions
from tests.support.browser import (
    AMAZON,
    FAILED_REQUEST,
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


def test_an_answer_is_marked_in_its_sentence_and_a_follow_up_is_understood(
    open_page: Opener,
) -> None:
    page = open_page()

    answer = ask(page, AMAZON)
    first = turn(page, answer).locator(".quote").first
    citation = answer["answers"][0]["citation"]
    assert marked(first) == citation["quote"]
    assert first.locator("blockquote").text_content() == citation["sentence"]
    assert f"({answer['answers'][0]['confidence']:.2f})" in (
        first.locator(".level").text_content() or ""
    )
    expect(first.locator(".where").first).to_contain_text(
        f"line {citation['line']} · characters {citation['start']}–{citation['end']}"
    )
    expect(page.get_by_role("status").last).to_contain_text(f"Answer: {citation['quote']}")

    follow_up = ask(page, "And in OpenAI?")
    assert follow_up["interpreted_as"]
    expect(turn(page, follow_up).locator(".understood")).to_have_text(
        f"understood as “{follow_up['interpreted_as']}”"
    )
    expect(turn(page, answer).locator(".understood")).to_be_hidden()
    expect(page.get_by_role("link", name=AMAZON).first).to_have_attribute("aria-current", "page")


def test_examples_ask_and_a_new_line_does_not(open_page: Opener) -> None:
    page = open_page()
    box = page.get_by_label("Your question")
    box.fill("one")
    box.press("Shift+Enter")
    assert box.input_value() == "one\n"

    example = page.get_by_role("group", name="Example questions").get_by_role("button").first
    question = example.text_content() or ""
    seen: list[bool] = []

    def ask_when_seen(route: Route) -> None:
        page.locator(".waiting[aria-busy=true]").wait_for()
        seen.append(True)
        route.continue_()

    page.route("**/ask", ask_when_seen)
    example.click()

    expect(page.get_by_role("article", name=question).locator(".quote").first).to_be_visible()
    assert seen
    expect(page.get_by_role("heading", name="Ask your documents")).to_be_hidden()


def test_a_list_shows_its_items_and_evidence_says_so(open_page: Opener) -> None:
    page = open_page()

    for question, kind in (
        ("Which chips does Amazon hope to commercialize?", "list"),
        ("Did Amazon's stock rise?", "evidence"),
    ):
        answer = ask(page, question)
        shown = turn(page, answer)
        assert answer["kind"] == kind
        given = shown.locator(".answer > .quote mark").all_text_contents()
        assert set(given) >= {span["text"] for span in answer["answers"]}
        assert shown.get_by_text("This sentence settles it:").count() == (kind == "evidence")
        assert shown.get_by_text("Another document gives:").count() == bool(answer["conflicts"])
        worth = [
            each["text"]
            for each in answer["alternatives"]
            if each["confidence"] >= 0.1 * answer["confidence"]
        ]
        assert shown.locator(".more summary").count() == bool(worth)
        if worth:
            shown.locator(".more summary").click()
            assert shown.locator(".more .quote").first.is_visible()


def test_reload_keeps_the_conversation_and_two_tabs_share_it(chromium: Browser, site: Site) -> None:
    with opening(chromium, site.server.url, expected=(FAILED_REQUEST,)) as open_page:
        page = open_page()
        answer = ask(page, AMAZON)
        page.reload()
        assert marked(turn(page, answer).locator(".quote").first) == answer["answer"]

        other = open_page(page.url.removeprefix(site.server.url))
        second = ask(other, "Did Amazon's stock rise?")
        turn(page, second).wait_for()
        turn(page, second).get_by_role("button", name="Right", exact=True).click()
        expect(
            turn(other, second).get_by_role("button", name="Right", exact=True)
        ).to_have_attribute("aria-pressed", "true")

        page.get_by_label("Your question").fill("and here?")
        delete_current(other)
        expect(page.get_by_role("alert")).to_contain_text("This conversation has been deleted")
        expect(page.get_by_label("Your question")).to_have_value("and here?")
        ask(page, "Who is the keeper of the Kvitholm lighthouse?")


def test_deleting_asks_first(open_page: Opener, site: Site) -> None:
    page = open_page()
    ask(page, "Which risks does Amazon face?")
    kept = len(site.server.client.get("/conversations").json()["conversations"])

    page.locator("li:has(a[aria-current]) button").press("Enter")
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("li:has(a[aria-current]) button")).to_be_focused()
    assert len(site.server.client.get("/conversations").json()["conversations"]) == kept

    delete_current(page)
    expect(page.get_by_role("button", name="New conversation")).to_be_focused()
    expect(page.get_by_role("heading", name="Ask your documents")).to_be_visible()
    assert len(site.server.client.get("/conversations").json()["conversations"]) == kept - 1
    assert page.url == f"{site.server.url}/"


def test_feedback_of_all_kinds_becomes_an_evaluation_file(
    open_page: Opener, tmp_path: Path
) -> None:
    page = open_page()
    answers = [
        ask(page, question)
        for question in (
            AMAZON,
            "Did Amazon's stock rise?",
            "Who is the keeper of the Kvitholm lighthouse?",
        )
    ]
    right, wrong, pointed = (turn(page, answer) for answer in answers)

    right.get_by_role("button", name="Right", exact=True).click()
    expect(right.locator(".given")).to_have_text("You said that this is right.")
    wrong.get_by_role("button", name="Wrong", exact=True).click()
    expect(wrong.locator(".given")).to_have_text("You said that this is wrong.")
    pointed.get_by_role("button", name="Show the right place").click()
    expect(page.get_by_role("region", name="Text of the document")).to_be_focused()
    select(page, "Ingrid Solberg")
    page.get_by_role("button", name="This is the right place").click()
    expect(pointed.locator(".given")).to_have_text("You showed the right place. “Ingrid Solberg”")

    page.reload()
    expect(
        turn(page, answers[1]).get_by_role("button", name="Wrong", exact=True)
    ).to_have_attribute("aria-pressed", "true")
    expect(turn(page, answers[2]).locator(".given")).to_have_text(
        "You showed the right place. “Ingrid Solberg”"
    )
    page.keyboard.press("Escape")
    with page.expect_download() as downloaded:
        page.get_by_role("link", name="Download feedback").click()
    downloaded.value.save_as(tmp_path / "feedback.jsonl")
    golds = {gold.id: gold for gold in read_questions(tmp_path / "feedback.jsonl")}
    assert golds[f"turn-{answers[0]['turn_id']}"].answers == tuple(
        span["text"] for span in answers[0]["answers"]
    )
    assert golds[f"turn-{answers[2]['turn_id']}"].answers == ("Ingrid Solberg",)
    assert f"turn-{answers[1]['turn_id']}" not in golds


def test_everything_can_be_done_with_the_keyboard(open_page: Opener) -> None:
    page = open_page()
    page.get_by_role("group", name="Example questions").get_by_role("button").first.wait_for()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the question")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your question")).to_be_focused()
    page.keyboard.type(AMAZON)
    page.keyboard.press("Enter")
    link = page.locator(".turn .place").first
    link.wait_for()

    tab_to(page, "a.place", "Shift+Tab")
    focused = page.evaluate("document.activeElement.getAttribute('href')")
    page.keyboard.press("Enter")
    expect(page.locator("#source .source-title")).to_be_focused()
    tab_to(page, "#source .text", "Tab")
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowRight", "ArrowLeft", "Shift+ArrowRight"):
        page.keyboard.press(key)
    button = page.get_by_role("button", name="This is the right place")
    expect(button).to_have_attribute("aria-disabled", "false")
    tab_to(page, ".place-bar button", "Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".turn .given")).to_contain_text("You showed the right place. “")
    page.keyboard.press("Escape")
    expect(page.locator("#source")).to_be_hidden()
    assert page.evaluate("document.activeElement.getAttribute('href')") == focused


def delete_current(page: Page) -> None:
    """Delete the open conversation."""
    page.locator("li:has(a[aria-current]) button").click()
    page.get_by_role("button", name="Delete", exact=True).click()


def tab_to(page: Page, selector: str, key: str) -> None:
    """Press Tab or Shift+Tab until an element has the focus."""
    for _ in range(40):
        page.keyboard.press(key)
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"the focus never came to {selector}")


def test_passages_are_searched_and_one_document_is_asked(open_page: Opener, site: Site) -> None:
    page = open_page()
    expect(page.locator("#languages")).to_contain_text("Answers are read in English.")

    page.get_by_role("button", name="Passages").click()
    page.get_by_label("Your question").fill("Kaleva festval")
    page.keyboard.press("Enter")
    found = page.get_by_role("region", name="Passages found")
    expect(found.locator("li .passage").first).to_contain_text("the Kaleva festival opens")
    expect(found.locator(".understood")).to_have_text("understood as “Kaleva festival”")
    expect(page.get_by_label("Your question")).to_have_value("Kaleva festval")

    page.get_by_role("button", name="Answers").click()
    expect(found).to_be_hidden()
    page.locator("#documents summary").click()
    title = site.document("script.txt")["title"]
    page.get_by_role("button", name=f"Ask only “{title}”").click()
    expect(page.locator("#within-chosen")).to_contain_text("Ask in “")
    answer = ask(page, "When does the festival open?")
    assert answer["documents"] == [site.document("script.txt")["id"]]
    assert {span["citation"]["document_id"] for span in answer["answers"]} <= set(
        answer["documents"]
    )
    expect(turn(page, answer).locator(".asked-within")).to_contain_text("in “")

    page.locator("#within summary").click()
    page.get_by_role("button", name="Ask all documents").click()
    assert ask(page, AMAZON)["documents"] == []


def test_steps_are_laid_out_under_their_heading(open_page: Opener, site: Site) -> None:
    steps = ["1. Close the valve.", "2. Open the lid.", "3. Press the green key."]
    site.index(manual="\n\n".join(["Opening the boiler", "\n".join(steps)]))
    page = open_page()

    answer = ask(page, "How do I open the boiler?")

    assert answer["kind"] == "steps"
    shown = turn(page, answer).locator(".quote").first
    assert shown.locator(".item").all_text_contents() == steps
    site.remove("manual")
