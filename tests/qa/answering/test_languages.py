"""Languages that the models work in, in words."""

from __future__ import annotations

import pytest

from index.models.conversion import DEFAULT_MODEL
from index.models.packed_model import MULTILINGUAL_MODEL
from qa.answering.languages import ALL, Languages, language_name, languages_of


def test_the_shipped_models_read_english() -> None:
    languages = languages_of(DEFAULT_MODEL, ("en",))

    assert [languages.reads(code) for code in ("en", None, "de", "und")] == [
        True,
        True,
        False,
        False,
    ]
    assert languages.sentence() == (
        "Answers are read in English. Documents in other languages are searched by their words, "
        "with answers that are never sure."
    )


def test_a_multilingual_encoder_matches_by_meaning() -> None:
    languages = languages_of(MULTILINGUAL_MODEL, ("en", "de"))

    assert languages.is_multilingual
    assert languages.names == "English and German"
    assert "matched by meaning" in languages.sentence()
    assert languages.notes("fr", ["de", "it", None]) == [
        (
            "The question looks like French; the models read English and German: passages are "
            "found by their meaning, and an answer is never sure."
        ),
        (
            "The cited document looks like Italian, and the models read English and German: "
            "its answers are never sure."
        ),
    ]


def test_a_reader_of_all_languages_gets_no_note() -> None:
    languages = Languages((ALL,))

    assert languages.notes("xx", ["ja", "und"]) == []
    assert languages.sentence() == "Questions and documents may be in any language."


@pytest.mark.parametrize(
    ("code", "name"),
    [("de", "German"), ("und", "another language"), ("zz", "another language (zz)")],
)
def test_a_language_has_a_name(code: str, name: str) -> None:
    assert language_name(code) == name
