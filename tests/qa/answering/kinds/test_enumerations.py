"""Enumerations within a sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.answering.kinds.enumerations import enumeration


def items(sentence: str) -> list[str]:
    """Return the texts of the items of a sentence's enumeration."""
    found = enumeration(sentence, (0, len(sentence)))
    return [sentence[start:end] for start, end in found.items] if found else []


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("The states are waiting, running and done.", ["waiting", "running", "done"]),
        ("Returns the state: `waiting`, `done` or `lost`.", ["`waiting`", "`done`", "`lost`"]),
        ("Bring documents such as a card and a letter.", ["a card", "a letter"]),
        ("It runs on Linux, including Debian and Fedora.", ["Debian", "Fedora"]),
        ("When it rains, the harbour is closed.", []),
        ("The tide turns at six.", []),
    ],
)
def test_the_items(sentence: str, expected: list[str]) -> None:
    assert items(sentence) == expected


@given(st.text(max_size=120))
def test_items_stand_in_the_sentence_in_order(sentence: str) -> None:
    found = enumeration(sentence, (0, len(sentence)))
    ranges = found.items if found else ()

    assert all(0 <= start < end <= len(sentence) for start, end in ranges)
    assert list(ranges) == sorted(ranges)
