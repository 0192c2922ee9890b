"""Slack's text format: document text is inert, and cut between graphemes only."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.interfaces.plaintext.answers import shown_lines
from qa.interfaces.slack.mrkdwn import (
    ELLIPSIS,
    defuse,
    defuse_and_truncate,
    escape,
    link,
    mentioned_users,
    question_of,
    truncate,
    truncate_start,
    utf16_length,
)

ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=200) | st.text(
    "a&<>@:/|!#*.e\u0301\U0001f469\u200d\U0001f680א ", max_size=80
)


def undone(text: str) -> str:
    """Return the text that people see, without zero-width spaces."""
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
    result = defuse(text)

    assert "<" not in result
    assert not re.search(r"@\w|://|\bwww\.|mailto:\w", result)
    assert undone(result) == text


@given(ANY)
def test_only_three_characters_become_entities(text: str) -> None:
    result = escape(text)

    assert not set("<>") & set(result)
    assert re.sub(r"&(amp|lt|gt);", "", result).count("&") == 0
    assert result.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == text


@given(ANY, st.integers(1, 60))
def test_a_truncated_text_is_a_beginning_with_an_ellipsis(text: str, room: int) -> None:
    result = truncate(text, room)

    assert utf16_length(result) <= room
    assert result == text or (
        result.endswith(ELLIPSIS) and text.startswith(result[: -len(ELLIPSIS)])
    )


@given(ANY, st.integers(1, 60))
def test_a_text_truncated_at_its_start_is_an_end_with_an_ellipsis(text: str, room: int) -> None:
    result = truncate_start(text, room)

    assert utf16_length(result) <= room
    assert result == text or (
        result.startswith(ELLIPSIS) and text.endswith(result[len(ELLIPSIS) :])
    )


def test_no_cut_within_a_grapheme() -> None:
    astronaut = "\U0001f469\u200d\U0001f680"  # five UTF-16 units

    assert truncate(f"ab{astronaut}cd", 5) == f"ab{ELLIPSIS}"
    assert truncate_start(f"ab{astronaut}cd", 5) == f"{ELLIPSIS}cd"
    assert truncate("ae\u0301xy", 3) == f"a{ELLIPSIS}"


@given(ANY, st.integers(1, 60))
def test_a_cut_defused_text_keeps_its_entities_whole(text: str, room: int) -> None:
    result = defuse_and_truncate(text, room)

    assert utf16_length(result) <= room
    assert re.sub(r"&(amp|lt|gt);", "", result).count("&") == 0
    assert undone(result) == shown_lines(text).replace("\u200b", "") or result.endswith(ELLIPSIS)


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
def test_a_typed_message_becomes_a_plain_question(typed: str, question: str) -> None:
    assert question_of(typed, "UBOT") == question


def test_mentioned_users_are_in_order() -> None:
    assert mentioned_users("<@U1> and <@U2|b>, not <#C1> or <!here>") == ["U1", "U2"]
