"""Tests of language detection."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.text.language import ENGLISH, UNDETERMINED, detect_language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How much will Amazon invest in Anthropic?", ENGLISH),
        ("WHO WROTE THE REPORT ON COMPUTING RESOURCES?", ENGLISH),
        ("Wie viel Geld hat das Unternehmen im letzten Jahr verdient?", "de"),
        ("Combien l’entreprise a-t-elle gagné l’année dernière ?", "fr"),
        ("Сколько компания заработала в прошлом году?", "ru"),
        ("昨年、会社はいくら稼ぎましたか。", "ja"),
    ],
)
def test_common_languages_are_detected(text: str, language: str) -> None:
    assert detect_language(text) == language


@pytest.mark.parametrize("text", ["", "42 %", "Anthropic", "Amazon 2024", "!?"])
def test_names_and_numbers_belong_to_no_language(text: str) -> None:
    assert detect_language(text) is None


def test_another_script_is_not_english_even_if_it_is_short() -> None:
    assert detect_language("ᏣᎳᎩ") not in {None, ENGLISH}
    assert detect_language("ⵜⴰⵎⴰⵣⵉⵖⵜ ⵜⵓⵜⵍⴰⵢⵜ") == UNDETERMINED


@given(st.text())
def test_any_text_has_a_language_or_none(text: str) -> None:
    language = detect_language(text)

    assert language is None or language.isalnum()
