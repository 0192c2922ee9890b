"""The HTML report and the curve: nothing from outside, everything escaped, errors first."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from qa.evaluation.cases import VERDICTS, Case, Quote, Verdict, verdict_of
from qa.evaluation.figures import Figure, count, mean
from qa.evaluation.html_report import Page, html, write_curve, write_html

SENTENCE = "The tide at <Porto> turns at six & rises."


def case(
    name: str,
    question: str = "When?",
    verdict: Verdict = "right",
    score: float = 0.5,
    **changes: Any,
) -> Case:
    """A case that quotes "six"."""
    start = SENTENCE.index("six")
    quote = Quote(SENTENCE, start, start + 3, "tides.txt", right=True)
    known = {"expected": ("six",), "note": "", "quote": quote, "f1": 1.0} | changes
    return Case(id=name, question=question, verdict=verdict, score=score, **known)


def page(*cases: Case, **changes: Any) -> Page:
    """A page of these cases."""
    known = {
        "figures": [count("answerable", 3), *mean("right", [1.0, 0.0])],
        "score_name": "confidence",
    } | changes
    return Page("Answers to x.json", "asked of 3 paragraphs", cases=cases, **known)


class Elements(HTMLParser):
    """Counts start tags and collects attributes and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_case_shows_what_one_needs_to_judge_it() -> None:
    shown = html(page(case("q1", note="a note")))

    for part in (
        "When?",
        "a note",
        "tides.txt",
        "<mark>six</mark>",
        "&lt;Porto&gt;",
        "<dt>confidence</dt><dd>0.500</dd>",
        "q1",
    ):
        assert part in shown
    assert "<small class=good>right</small>" in shown


def test_a_case_without_a_quote_or_answer() -> None:
    shown = html(
        page(
            case(
                "q1",
                verdict="rightly refused",
                quote=None,
                expected=(),
                f1=None,
                score=float("-inf"),
            )
        )
    )

    assert (
        "<dt>expected</dt><dd>no answer</dd><dt>best span</dt><dd>none</dd>"
        "<dt>confidence</dt><dd>-inf</dd>" in shown
    )


def test_errors_come_first_by_type_and_the_surest_before_all() -> None:
    cases = [
        case("right"),
        case("unsure", verdict="wrong", score=0.6),
        case("sure", verdict="wrong", score=0.9),
        case("who", "Who?", "wrongly refused"),
        case("withheld", verdict="wrongly refused", score=0.99),
    ]

    shown = html(page(*cases))

    order = re.findall(r"<dt>id</dt><dd>(\w+)</dd>", shown)
    assert order == ["sure", "unsure", "withheld", "who", "right"]
    assert re.findall(r"<h2>(.*: .*)</h2>", shown) == [
        "when: 3 as it should not be",
        "who: 1 as it should not be",
        "when: 1 as it should be",
    ]


def test_filters_need_no_script_and_hide_their_verdict() -> None:
    shown = html(page(*(case(verdict, verdict=verdict) for verdict in VERDICTS)))

    assert "<script" not in shown
    for verdict in VERDICTS:
        slug = verdict.replace(" ", "-")
        assert f"#show-{slug}:not(:checked) ~ section .{slug} {{ display: none }}" in shown
        assert (
            f"<input type=checkbox checked id=show-{slug}> "
            f"<label for=show-{slug}>{verdict} (1)</label>" in shown
        )
        assert f"<details class={slug}>" in shown


def test_figures_types_and_risks_are_tables() -> None:
    risks = [(0.5, 0.25), (1.0, 0.5)]

    text = Elements(html(page(case("1"), case("2", "Who?", "wrong", f1=None), risks=risks))).text

    for part in ("answerable", "0.500", "0.000 to 1.000", "By type of question", "50%", "0.250"):
        assert part in text
    assert "Risk by coverage" not in html(page(case("1")))


@given(st.text(), st.text(min_size=1), st.text(), st.text())
def test_whatever_is_said_stays_text(
    question: str, sentence: str, expected: str, name: str
) -> None:
    quote = Quote(sentence, 0, 1, name, right=False)
    plain = Elements(html(page(case("1"))))

    hostile = Elements(
        html(page(case(name, question, expected=(expected,), quote=quote, note=name)))
    )

    assert set(hostile.tags) <= set(plain.tags)
    assert len(hostile.tags) <= len(plain.tags) + 2  # a note
    assert not {name for name, _ in hostile.attributes} - {name for name, _ in plain.attributes}


def test_nothing_is_asked_of_anyone() -> None:
    shown = html(page(case("1", "See http://example.org <img src=x>?")))
    found = Elements(shown)

    assert not {"img", "link", "script", "iframe"} & set(found.tags)
    assert not {"src", "href", "style"} & {name for name, _ in found.attributes}
    assert "default-src 'none'" in shown
    assert "url(" not in shown
    assert "@import" not in shown


def test_the_file_is_utf8(tmp_path: Path) -> None:
    write_html(page(case("é–1")), tmp_path / "x.html")

    assert (tmp_path / "x.html").read_bytes().decode("utf-8") == html(page(case("é–1")))


def test_the_curve_is_a_picture(tmp_path: Path) -> None:
    write_curve(np.array([0.9, 0.5, 0.1]), np.array([1.0, 0.0, 1.0]), tmp_path / "x.png", "x.json")

    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


@given(st.booleans(), st.booleans(), st.booleans())
def test_every_outcome_has_its_verdict(answerable: bool, answered: bool, right: bool) -> None:  # noqa: FBT001 - drawn
    verdict = verdict_of(answerable=answerable, answered=answered, right=right)

    one = case("1", verdict=verdict)
    assert one.answered is answered
    assert one.good is (answered and right if answerable else not answered)


def test_a_whole_number_is_shown_as_it_is() -> None:
    assert [Figure("x", value).text for value in (0.0, 12.0, 0.25)] == ["0", "12", "0.250"]
