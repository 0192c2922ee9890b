"""Borders that cut no token, cross no cell, and leave no bracket or vague noun alone."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.answering.reading.span_borders import (
    completed,
    inside_token_mask,
    segments,
    with_other_items,
    without_contrast,
    without_old_value,
)

ROW = "Shift: Late; From: 13:00; To: 21:12; Break: 30 minutes"


def tokens_of(text: str) -> list[str]:
    """Return the text cut at every border that cuts no token, without white space."""
    borders = np.flatnonzero(~inside_token_mask(text)).tolist()
    return [piece for first, last in pairwise(borders) if (piece := text[first:last].strip())]


@pytest.mark.parametrize(
    "token",
    [
        "security@sheaf.example",
        "https://docs.example/a/b?c=1",
        "ssh://git@code.example.org:2222/front.git",
        "www.harbour.example/gate",
        "/etc/harbour/gate",
        "~/notes.txt",
        "C:\\Users\\ann\\a.txt",
        "src/qa/answer.py",
        "@harbour/gate-client",
        "std::io::Read",
        "os.path.join()",
        "settings.cache.size",
        "HX-40S",
        "Q-26-0815",
        "E-104/E-107",
        "0.10 mm",
        "$5 billion",
        "20 l/min",
        "40 m³",
        "400 EUR",
        "5 %",
        "3.1.2",
    ],
)
def test_a_quote_holds_a_token_whole_or_not_at_all(token: str) -> None:
    assert token in tokens_of(f"Look at {token}, or ask.")
    assert token in tokens_of(f"It is {token}.")


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("He left.Then it rained.", ["He", "left", ".", "Then", "it", "rained", "."]),
        ("and/or", ["and", "/", "or"]),
        ("from 09:00-12:00", ["from", "09:00", "-", "12:00"]),
        ("in 1990-1995", ["in", "1990", "-", "1995"]),
        ("40 men", ["40", "men"]),
        ("well-known", ["well", "-", "known"]),
    ],
)
def test_ordinary_words_may_be_parted(text: str, tokens: list[str]) -> None:
    assert tokens_of(text) == tokens


def test_a_value_of_a_row_is_a_segment_and_so_is_its_name() -> None:
    segment = segments(f"{ROW}\nA line of text.", [(0, len(ROW)), (len(ROW) + 1, len(ROW) + 16)])

    places = [ROW.index(part) for part in ("Shift", "Late", "From", "13:00", "To", "21:12", "30")]
    assert len({int(segment[at]) for at in places}) == len(places)
    value = ROW.index("30 minutes")
    assert len(set(segment[value : len(ROW)].tolist())) == 1
    assert segment[len(ROW) + 1] != segment[value]


def test_a_row_may_have_a_name_in_a_column_without_one() -> None:
    row = "Noise level; G3: 71 dB(A); G3 Plus: 74 dB(A)"

    segment = segments(row)

    assert len({int(segment[row.index(part)]) for part in ("Noise", "71 dB", "74 dB")}) == 3


def test_the_mark_of_an_item_is_no_part_of_a_quote() -> None:
    text = "Tighten to 2.5 Nm.\n7. Set the zero point.\n- Close it."
    ranges = [(text.index(line), text.index(line) + len(line)) for line in ("Tighten to 2.5 Nm.",)]
    ranges += [(text.index("Set"), text.index("\n-")), (text.index("Close"), len(text))]

    inside, segment = inside_token_mask(text, ranges), segments(text, ranges)

    assert inside[text.index("7")]
    assert inside[text.index("- ")]
    assert not any(inside[border] for pair in ranges for border in pair)
    assert len({int(segment[start]) for start, _ in ranges}) == len(ranges)


def test_a_fence_is_no_part_of_a_quote() -> None:
    text = "Run:\n```bash\nmake all\n```"
    inside = inside_token_mask(text)

    assert [at for at in np.flatnonzero(~inside).tolist() if text[at : at + 1].strip()] == [
        0, 3, text.index("make"), text.index("all"),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["Note: bring a pen; it rains.", "One; two; three", "Time: 10:30"])
def test_prose_is_one_segment(text: str) -> None:
    assert len(set(segments(text).tolist())) == 1


def test_sentences_on_one_line_are_one_segment_and_those_of_two_lines_are_not() -> None:
    assert len(set(segments("It rains. It pours.", [(0, 9), (10, 19)]).tolist())) == 1
    assert len(set(segments("It rains.\nIt pours.", [(0, 9), (10, 19)]).tolist())) == 2


@pytest.mark.parametrize(
    ("text", "span", "whole"),
    [
        ("by Junia (wife) today", "Junia (wife", "Junia (wife)"),
        ("lasted 5 hours (06:50 to 12:30) then", "06:50 to 12:30)", "(06:50 to 12:30)"),
        ("“the gate” is shut", "the gate”", "“the gate”"),
        ("open (see below\nfor more)", "open (see", "open (see"),
        (
            "Ducks eat a variety of food sources such as grasses, fish and worms. They dive.",
            "a variety of food sources",
            "a variety of food sources such as grasses, fish and worms",
        ),
        ("They eat grass such as reed.", "grass", "grass"),
        ("Use `--all` to see it", "Use `--all", "Use `--all`"),
        ("call `GET /v2/{id}` or `x`", "/v2/{id", "/v2/{id}"),
        ("one of `debug`, `info`, `warn` now", "debug`, `info`, `warn", "`debug`, `info`, `warn`"),
        ("Items: various things, including a 3.5 mm plug; and more", "various things", None),
    ],
)
def test_a_span_gets_what_it_lacks(text: str, span: str, whole: str | None) -> None:
    start = text.index(span)

    first, last = completed(text, start, start + len(span))

    assert text[first:last] == (whole or "various things, including a 3.5 mm plug")


@pytest.mark.parametrize(
    ("quote", "kept"),
    [
        ("by e-mail and never by phone", "by e-mail"),
        ("the green bin, not the grey one", "the green bin"),
        ("cash instead of a card", "cash"),
        ("not a workflow engine", "not a workflow engine"),
        ("salt and pepper", "salt and pepper"),
    ],
)
def test_a_span_ends_before_what_it_is_contrasted_with(quote: str, kept: str) -> None:
    text = f"Use {quote}."

    start, end = without_contrast(text, 4, 4 + len(quote))

    assert text[start:end] == kept


@pytest.mark.parametrize(
    ("text", "span", "kept"),
    [
        ("The fee goes up from €11.40 to €12 a week.", "€11.40 to €12 a week", "€12 a week"),
        ("It was raised for boats from\n4 to 5 euros.", "4 to 5 euros", "5 euros"),
        ("The limit fell from 30 days to 20 days.", "30 days to 20 days", "20 days"),
        ("It is open from 7 am to 9 pm.", "7 am to 9 pm", "7 am to 9 pm"),
        ("Prices rose. Open from 7 to 9.", "7 to 9", "7 to 9"),
        ("It rose from 4 euros to a high.", "4 euros to a high", "4 euros to a high"),
    ],
)
def test_a_span_begins_behind_the_value_before_a_change(text: str, span: str, kept: str) -> None:
    at = text.index(span)

    start, end = without_old_value(text, at, at + len(span))

    assert text[start:end] == kept


@given(st.text("ab ([)]“”such as3.5,:;\n", max_size=60), st.data())
def test_a_completed_span_holds_the_span_and_cuts_no_token(text: str, data: st.DataObject) -> None:
    borders = np.flatnonzero(~inside_token_mask(text)).tolist()
    start, end = sorted(data.draw(st.sampled_from(borders)) for _ in range(2))

    first, last = completed(text, start, end)

    assert 0 <= first <= start <= end <= last <= len(text)
    assert not inside_token_mask(text)[[first, last]].any()


@pytest.mark.parametrize(
    ("text", "span", "whole"),
    [
        (
            "It must not be used for feeding tubes, for 2.5 kg loads, or on ships.",
            "feeding tubes",
            "feeding tubes, for 2.5 kg loads, or on ships",
        ),
        (
            "They are not fit for oil, for sea water (except HX), or for food. Ask us.",
            "sea water (except HX)",
            "oil, for sea water (except HX), or for food",
        ),
        (
            "Not in force majeure or if the\nbuyer is late; else yes.",
            "force majeure",
            "force majeure or if the\nbuyer is late",
        ),
        ("The gate closes at noon, the notary leaves.", "noon", "noon"),
        ("Cats, dogs and birds stay out.", "dogs", "dogs and birds stay out"),
    ],
)
def test_an_item_gets_the_others_of_its_enumeration(text: str, span: str, whole: str) -> None:
    start = text.index(span)

    found = with_other_items(text, start, start + len(span))

    assert text[slice(*found)] == whole


@given(st.text("ab ,.;()\n", max_size=60), st.data())
def test_other_items_are_around_the_span(text: str, data: st.DataObject) -> None:
    end = data.draw(st.integers(0, len(text)))
    start = data.draw(st.integers(0, end))

    first, last = with_other_items(text, start, end)

    assert 0 <= first <= start <= end <= last <= len(text)
