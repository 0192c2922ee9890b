"""Answers in Block Kit: word for word and within Slack's limits, whatever documents hold."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.answer import Answer, AnswerSpan, Citation, Gate, NearestPassage, Part, Refusal, Searched
from qa.interfaces.plaintext.links import permanent_link
from qa.interfaces.slack.blocks import (
    KEY_PREFIX,
    answer_message,
    apology_message,
    notice_message,
    source_view,
)
from qa.interfaces.slack.mrkdwn import utf16_length
from qa.state.conversations import Version
from tests.support.block_kit import faults, texts

BASE = "https://qa.example.org"
ODD = [
    "<!channel> & <https://evil.example|click> *bold* _it_ `code` ~gone~",
    "مرحبا بالعالم، كم سيستثمر؟",
    "👩‍🚀" * 40,
    "```\nif a < b && c > d:\n    pass\n```",
    "x" * 10_000,
    "word " * 2_000,
    "\u202eevil\u2066\x00\x1b[31m",
]
WORDS = st.sampled_from(ODD) | st.text(
    st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300
)


def citation(before: str, quote: str, after: str, **more: Any) -> Citation:
    """Return a citation of a quote in its sentence."""
    start, sentence = 100 + len(before), f"{before}{quote}{after}"
    at = {
        "start": start,
        "end": start + len(quote),
        "byte_start": 0,
        "byte_end": 1,
        "sentence_start": 100,
        "sentence_end": 100 + len(sentence),
    }
    named = {
        "document_id": "d/1",
        "title": "A & B <title>",
        "uri": "a.txt",
        "sha256": "0123456789abcdef",
        "line": 3,
        "heading": None,
    }
    return Citation(quote=quote, sentence=sentence, **{**at, **named, **more})


def answer(*spans: AnswerSpan, refusal: Refusal | None = None, **more: Any) -> Answer:
    """Return an answer of some spans, or a refusal."""
    counts = {"passages_read": 5, "passages_found": 5, "timings_ms": {}, "generation": 1}
    defaults = {
        "question": "How?",
        "kind": "span",
        "confidence": 0.9,
        "calibrated": True,
        "alternatives": (),
        "conflicts": (),
        "notes": (),
    }
    return Answer(spans=spans, refusal=refusal, **{**counts, **defaults, **more})


def refused(text: str, title: str = "T") -> Answer:
    """Return a refusal with three nearest passages."""
    near = NearestPassage("d", title, "a.txt", "00", text, 0, 9, None, 0.5, None)
    return answer(
        refusal=Refusal(
            "no passage answers",
            Searched(1, 2, 2),
            Gate("confidence", 0.1, 0.8, 0.7),
            (text,),
            (near,) * 3,
        )
    )


def flat(blocks: Any) -> str:
    """Return all texts of blocks, joined."""
    return "".join(texts(blocks))


def checked(message: Any) -> Any:
    """Return a message after checking that Slack takes it and that it has a text."""
    assert faults(message.blocks) == []
    assert 0 < utf16_length(message.text) <= 3000
    return message


HOSTILE = "\x1b[31m\x9b\x07a\u202eb\u2066"


def test_no_control_character_reaches_slack_wherever_it_stands() -> None:
    cited = citation("It ", HOSTILE, ".", title=HOSTILE, uri=HOSTILE, heading=HOSTILE)
    span = AnswerSpan(HOSTILE, 0.5, cited, certainty="likely")
    more: dict[str, Any] = {
        "interpreted_as": HOSTILE,
        "tags": (HOSTILE,),
        "notes": (HOSTILE,),
        "doubts": (HOSTILE,),
        "conflicts": (span,),
        "earlier": (span,),
    }
    messages = [
        answer_message(answer(span, **more), 7, BASE),
        answer_message(answer(reply=HOSTILE), 7, BASE),
        answer_message(
            answer(span, parts=(Part(HOSTILE, "likely", 1, None, (HOSTILE,)),)), 7, BASE
        ),
        answer_message(refused(HOSTILE, HOSTILE), 7, BASE),
        notice_message(HOSTILE),
    ]
    for message in messages:
        shown = message.text + flat(message.blocks)
        assert not set("\x1b\x9b\x07\u202e\u2066") & set(shown)
        assert "\ufffd[31m" in message.text


def test_an_answer_is_bold_and_has_its_sentence_source_and_confidence() -> None:
    cited = citation("Up to ", "$25 & more", " <billion>.")
    message = checked(answer_message(answer(AnswerSpan("$25 & more", 0.87, cited)), 7, BASE))

    first, source, confidence, buttons = message.blocks
    bold = {"type": "text", "text": "$25 & more", "style": {"bold": True}}
    assert first["elements"][0] == {"type": "rich_text_section", "elements": [bold]}
    assert first["elements"][1]["elements"] == [
        {"type": "text", "text": "Up to "},
        bold,
        {"type": "text", "text": " <billion>."},
    ]
    assert source["elements"][0]["elements"][1] == {
        "type": "link",
        "url": f"{BASE}/read/d%2F1?v=0123456789ab#c=106-116",
        "text": "A & B <title>",
    }
    assert confidence["elements"][0]["text"] == "confidence: high (0.87)"
    assert [(each["text"]["text"], each["value"]) for each in buttons["elements"]] == [
        ("Right", "7"),
        ("Wrong", "7"),
        ("Show source", "7"),
    ]
    assert "*$25 &amp; more*\n> Up to $25 &amp; more &lt;billion&gt;." in message.text
    assert f"<{BASE}/read/d%2F1?v=0123456789ab#c=106-116|A &amp; B &lt;title&gt;>" in message.text


def test_links_lead_to_the_web_page() -> None:
    assert (
        permanent_link(BASE, citation("", "x", "")) == f"{BASE}/read/d%2F1?v=0123456789ab#c=100-101"
    )
    assert permanent_link("", citation("", "x", "")) == ""
    assert "link" not in flat(
        answer_message(answer(AnswerSpan("x", 0.9, citation("", "x", ""))), 1, "").blocks
    )


def test_document_text_is_only_in_rich_and_plain_text() -> None:
    kinds = set()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            kinds.add(value.get("type"))
            any(map(walk, value.values()))
        elif isinstance(value, list | tuple):
            any(map(walk, value))

    walk(
        answer_message(
            answer(AnswerSpan(ODD[0], 0.9, citation(ODD[0], ODD[0], ODD[0]))), 1, BASE
        ).blocks
    )
    walk(refused(ODD[0]) and answer_message(refused(ODD[0]), 1, BASE).blocks)

    assert "mrkdwn" not in kinds
    assert "user" not in kinds


@given(WORDS, WORDS, WORDS, WORDS, st.integers(1, 12), st.booleans())
def test_any_answer_keeps_the_limits(
    before: str,
    quote: str,
    after: str,
    title: str,
    count: int,
    kept: bool,  # noqa: FBT001
) -> None:
    where = citation(before, quote, after, title=title, heading=title, uri=title[:300])
    span = AnswerSpan(quote, 0.6, where, (where,) * 5)
    longest = answer(
        *[span] * count,
        conflicts=(span,) * 4,
        notes=(after,) * 5,
        interpreted_as=before,
        kind="list",
        doubts=(after,) * 3,
        earlier=(span,) * 4,
    )

    checked(answer_message(longest, 1, BASE, can_share=True, shared_by="U1").with_key("T:C:1.0"))
    view = source_view(
        [
            (
                where,
                Version("d/1", "0" * 64, title, "a.txt", " " * 100 + before + quote + after)
                if kept
                else None,
            )
        ]
        * count,
        BASE,
    )
    assert faults(view["blocks"], most=100) == []


@given(WORDS, WORDS)
def test_any_refusal_keeps_the_limits(text: str, title: str) -> None:
    message = checked(answer_message(refused(text, title), 1, BASE))

    assert "No answer found" in message.text
    assert "Nearest passages:" in flat(message.blocks)


def test_a_cut_quote_shows_its_full_length() -> None:
    message = answer_message(
        answer(AnswerSpan("x" * 10_000, 0.9, citation("a ", "x" * 10_000, " b"))), 1, BASE
    )

    assert "[cut: the quote has 10,000 characters]" in flat(message.blocks)


def test_a_long_sentence_keeps_its_quote_whole() -> None:
    message = answer_message(
        answer(AnswerSpan("the gist", 0.9, citation("word " * 2000, "the gist", " word" * 2000))),
        1,
        BASE,
    )
    quoted = message.blocks[0]["elements"][1]["elements"]

    assert [each["text"] for each in quoted if "style" in each] == ["the gist"]
    assert quoted[0]["text"].startswith("…")
    assert quoted[-1]["text"].endswith("…")


@pytest.mark.parametrize("text", [ODD[1], ODD[2][:60], ODD[3]])
def test_other_scripts_emoji_and_code_come_through_unchanged(text: str) -> None:
    message = answer_message(answer(AnswerSpan(text, 0.9, citation("so: ", text, "."))), 1, BASE)

    assert message.blocks[0]["elements"][0]["elements"][0]["text"] == text


def test_the_first_block_holds_the_key_and_an_apology_the_request_id() -> None:
    assert (
        notice_message("Hello").with_key("T:C:1.0").blocks[0]["block_id"] == f"{KEY_PREFIX}T:C:1.0"
    )
    assert "request abc" in checked(apology_message("abc")).text


def test_a_source_shows_the_text_around_the_quote_if_it_is_kept() -> None:
    whole = "before " * 200 + "the quote" + " after" * 200
    at = whole.index("the quote")
    cited = citation("", "the quote", "", start=at, end=at + 9)

    shown = source_view([(cited, Version("d/1", "0" * 64, "T", "a.txt", whole))], BASE)["blocks"][
        1
    ]["elements"][0]["elements"]
    gone = source_view([(cited, None)], BASE)["blocks"][1]

    assert [each["text"] for each in shown if "style" in each] == ["the quote"]
    assert shown[0]["text"].startswith("…")
    assert shown[-1]["text"].endswith("…")
    assert "no longer kept" in flat(gone)


@pytest.mark.parametrize(
    ("freshness", "remark"),
    [
        ("changed", "changed since it was indexed"),
        ("moved", "moved since it was indexed"),
        ("gone", "no longer there"),
    ],
)
def test_a_source_that_changed_since_indexing_is_marked(freshness: str, remark: str) -> None:
    message = checked(
        answer_message(
            answer(AnswerSpan("7", 0.9, citation("It is ", "7", ".", freshness=freshness))), 1, ""
        )
    )

    assert f"a.txt, line 3 [{remark}]" in flat(message.blocks)
    assert f"a.txt, line 3 [{remark}]" in message.text
    current = checked(
        answer_message(answer(AnswerSpan("7", 0.9, citation("It is ", "7", "."))), 1, "")
    )
    assert "[" not in flat(current.blocks) + current.text


@given(st.lists(st.text(min_size=1, max_size=64), max_size=32))
def test_searched_tags_are_named_as_inert_text(tags: list[str]) -> None:
    message = checked(
        answer_message(
            answer(AnswerSpan("7", 0.9, citation("It is ", "7", ".")), tags=tuple(tags)), 1, ""
        )
    )

    assert flat(message.blocks).startswith("In ") is bool(tags)
    assert "<!" not in message.text


def test_a_likely_answer_says_probably_and_what_speaks_against_it() -> None:
    span = AnswerSpan("five", 0.6, citation("It is ", "five", "."), certainty="likely")

    message = checked(answer_message(answer(span, doubts=("Six may be meant.",)), 7, BASE))

    assert flat(message.blocks).startswith("Probably:")
    assert "Not sure: Six may be meant." in flat(message.blocks)
    assert "Probably:" in message.text
    assert "Not sure: Six may be meant." in message.text


def test_parts_stand_under_their_questions() -> None:
    span = AnswerSpan("five", 0.9, citation("It is ", "five", "."))
    parts = (Part("How many", "sure", 1), Part("Who", "none", 0, "nothing fits"))

    message = checked(answer_message(answer(span, kind="parts", parts=parts), 7, BASE))

    shown = flat(message.blocks)
    assert shown.index("How many — answer:") < shown.index("five")
    assert "Who — no answer found: nothing fits." in shown
    assert "Who — no answer found: nothing fits." in message.text


def test_a_reply_is_words_alone() -> None:
    message = checked(answer_message(answer(kind="chat", reply="Hello. Ask me."), 7, BASE))

    assert message.blocks[0]["elements"][0]["elements"][0]["text"] == "Hello. Ask me."
    assert message.text == "Hello. Ask me."


def test_a_refusal_names_the_best_candidate() -> None:
    candidate = AnswerSpan("five", 0.3, citation("It is ", "five", "."), certainty="none")

    message = checked(
        answer_message(answer(refusal=refused("x").refusal, alternatives=(candidate,)), 7, BASE)
    )

    assert "Best candidate: “five” (a.txt, line 3), confidence low (0.30)." in flat(message.blocks)
    assert "Best candidate: “five”" in message.text
