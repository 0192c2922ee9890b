"""Slack's text format: nothing in a document acts, nothing is cut where it would lie."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.interfaces.slack.mrkdwn import (
    CUT,
    addressed,
    cut,
    cut_defused,
    cut_start,
    defused,
    escaped,
    length,
    link,
    question_of,
)

ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=200) | st.text(
    "a&<>@:/|!#*.e\u0301\U0001f469\u200d\U0001f680א ", max_size=80
)


def undone(text: str) -> str:
    """What people see, without the zero-width spaces."""
    return html.unescape(text).replace("\u200b", "")


@pytest.mark.parametrize(
    "text",
    [
        "<!channel>",
        "<@U123>",
        "<https://evil.example|bank>",
        "@here now",
        "see https://evil.example",
        "mail mailto:a@b.example",
        "www.evil.example",
    ],
)
def test_mentions_and_links_in_documents_do_nothing(text: str) -> None:
    made = defused(text)

    assert "<" not in made
    assert not re.search(r"@\w|://|\bwww\.|mailto:\w", made)
    assert undone(made) == text


@given(ANY)
def test_only_three_characters_become_entities(text: str) -> None:
    made = escaped(text)

    assert not set("<>") & set(made)
    assert re.sub(r"&(amp|lt|gt);", "", made).count("&") == 0
    assert made.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == text


@given(ANY, st.integers(1, 60))
def test_a_cut_text_is_a_beginning_and_says_that_it_is_cut(text: str, room: int) -> None:
    made = cut(text, room)

    assert length(made) <= room
    assert made == text or (made.endswith(CUT) and text.startswith(made[: -len(CUT)]))


@given(ANY, st.integers(1, 60))
def test_a_text_cut_at_its_start_is_an_end(text: str, room: int) -> None:
    made = cut_start(text, room)

    assert length(made) <= room
    assert made == text or (made.startswith(CUT) and text.endswith(made[len(CUT) :]))


def test_no_cut_within_a_grapheme() -> None:
    astronaut = "\U0001f469\u200d\U0001f680"  # five UTF-16 units

    assert cut(f"ab{astronaut}cd", 5) == f"ab{CUT}"
    assert cut_start(f"ab{astronaut}cd", 5) == f"{CUT}cd"
    assert cut("ae\u0301xy", 3) == f"a{CUT}"


@given(ANY, st.integers(1, 60))
def test_a_cut_defused_text_keeps_its_entities_whole(text: str, room: int) -> None:
    made = cut_defused(text, room)

    assert length(made) <= room
    assert re.sub(r"&(amp|lt|gt);", "", made).count("&") == 0
    assert undone(made) == text.replace("\u200b", "") or made.endswith(CUT)


def test_a_link_survives_any_title() -> None:
    assert (
        link("https://qa.example/read/1#c=1-2", "a|b> <c>")
        == "<https://qa.example/read/1#c=1-2|a¦b&gt; &lt;c&gt;>"
    )
    assert link("", "<x>") == "&lt;x&gt;"


@pytest.mark.parametrize(
    ("typed", "question"),
    [
        ("<@UBOT> What is &lt;this&gt; &amp; that?", "What is <this> & that?"),
        ("Hey <@UBOT|quoted>: why?", "Hey  : why?"),
        ("What did <@U2|ann> say in <#C1|general>?", "What did @ann say in #general?"),
        (
            "Is <https://a.example|this page> right? <https://b.example>",
            "Is this page right? https://b.example",
        ),
        ("<!here> anyone?", "@here anyone?"),
        ("&amp;lt;", "&lt;"),
        ("<@UBOT>", ""),
    ],
)
def test_what_is_typed_becomes_a_plain_question(typed: str, question: str) -> None:
    assert question_of(typed, "UBOT") == question


def test_who_is_addressed() -> None:
    assert addressed("<@U1> and <@U2|b>, not <#C1> or <!here>") == ["U1", "U2"]
