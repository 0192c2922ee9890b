"""Typing errors of questions, corrected from the words of the documents."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.store.snapshot import SqliteSnapshot
from qa.answering.retrieval.spelling import NAME_TRUST, Correction, SpellingCorrector
from tests.support.serving import carded, indexed, pipeline_of, settings_in

FILES = {
    "harbour.txt": (
        "The harbour office of Miriam Vogel opens at six. Its telephone is on the pier.\n\n"
        "RULE-A002 detects a changed firewall. `getUserById` returns the account."
    ),
    "secret.txt": "The acquisition of Northwind is confidential.",
    "dates.txt": "The maintenance of the lantern is planned for October. Emperor penguins visit.",
}
WORDS = st.sampled_from(
    [
        *("the", "harbour", "office", "opens", "Vogel", "pier", "firewall", "lantern", "October"),
        *("what", "when", "does", "purchase", "receive", "beautiful", "yesterday", "4711"),
        *("RULE-A002", "getUserById", "@acme/ui-kit", "/etc/x.conf"),
    ]
)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> SqliteSnapshot:
    folder = tmp_path_factory.mktemp("spelling")
    indexed(settings_in(folder), carded(), folder / "corpus", FILES)
    return SqliteSnapshot(folder / "data")


@pytest.fixture(scope="module")
def corrector(snapshot: SqliteSnapshot) -> SpellingCorrector:
    return SpellingCorrector(snapshot)


@pytest.mark.parametrize(
    ("asked", "understood"),
    [
        ("When does the harbuor office open?", "When does the harbour office open?"),
        ("when is the maintenaance of the lanturn", "when is the maintenance of the lantern"),
        ("Wich telephoen is on the peir?", "Which telephone is on the pier?"),
        ("WHAT IS THE HARBOR-TAX FOR THE LANTRN?", "WHAT IS THE HARBOR-TAX FOR THE LANTERN?"),
        ("Hrabour office hours", "Harbour office hours"),
        ("the lantren's maintenance", "the lantern's maintenance"),
        ("Which emporer visits?", "Which emperor visits?"),
        ("What does the firewal do?", "What does the firewall do?"),
    ],
)
def test_a_typing_error_becomes_the_word_of_the_documents(
    corrector: SpellingCorrector, asked: str, understood: str
) -> None:
    assert corrector.corrected(asked) == Correction(understood)


@pytest.mark.parametrize(
    "question",
    [
        "When does the harbour office open?",
        "Who is Miriam Vogel, and who is Mirjam Vogt?",
        "What does RULE-A0O2 detect, and RULF-A002?",
        "What does getUserByld return?",
        "What is in /etc/harbuor/gate.conf or @acme/harbuor?",
        "Is there a well-lantren?",
        "What is the PIRE of the EPDM?",
        "Did anybody receive the oil?",  # English words that the documents do not have
        "Are the boats beautiful, or is it a rumour?",
        "Wann öffnet das Hafenbüro, und wer arbeitet dort im Herbst?",
        "zqxjkvb wvutsrq",
        "4711 4712",
        "",
    ],
)
def test_right_words_names_codes_and_other_languages_stay(
    corrector: SpellingCorrector, question: str
) -> None:
    assert corrector.corrected(question) == Correction(question)


@given(st.lists(WORDS, max_size=8))
def test_a_question_of_known_words_is_never_changed(
    corrector: SpellingCorrector, words: list[str]
) -> None:
    question = " ".join(words)

    assert corrector.corrected(question).question == question


@given(st.text(max_size=60))
def test_any_text_may_be_asked(corrector: SpellingCorrector, text: str) -> None:
    corrected = corrector.corrected(text)

    assert 0 < corrected.trust <= 1
    assert corrector.corrected(corrected.question).question == corrected.question


def test_a_corrected_name_is_trusted_less(corrector: SpellingCorrector) -> None:
    assert corrector.corrected("Who is Miriam Vogle?") == Correction(
        "Who is Miriam Vogel?", NAME_TRUST
    )


def test_a_word_of_documents_that_may_not_be_read_is_not_suggested(
    snapshot: SqliteSnapshot, corrector: SpellingCorrector
) -> None:
    identity = {info.uri: info.id for info in snapshot.documents()}
    question = "What of the aquisition of the lantren?"

    assert corrector.corrected(question).question == "What of the acquisition of the lantern?"
    two = snapshot.scope([identity["harbour.txt"], identity["dates.txt"]])
    readable = corrector.corrected(question, two)
    assert readable.question == "What of the aquisition of the lantern?"
    assert corrector.corrected(question, snapshot.scope([])).question == question


def test_an_inflection_of_documents_that_may_not_be_read_is_not_suggested(tmp_path: Path) -> None:
    files = {"open.txt": "One lantern burns.", "closed.txt": "Two lanterns burn. A lantern is lit."}
    indexed(settings_in(tmp_path), carded(), tmp_path / "corpus", files)
    snapshot = SqliteSnapshot(tmp_path / "data")
    corrector = SpellingCorrector(snapshot)
    identity = {info.uri: info.id for info in snapshot.documents()}

    assert corrector.corrected("Which lantrens burn?").question == "Which lanterns burn?"
    open_alone = snapshot.scope([identity["open.txt"]])
    assert "lanterns" not in corrector.corrected("Which lantrens?", open_alone).question


def test_an_answer_says_how_the_question_was_understood(tmp_path: Path) -> None:
    pipeline = pipeline_of(tmp_path, FILES, min_confidence=0.0)
    asked, understood = "When does the harbuor office open?", "When does the harbour office open?"

    answer, clean = pipeline.ask(asked), pipeline.ask(understood)

    assert (answer.question, answer.interpreted_as) == (asked, understood)
    assert (clean.question, clean.interpreted_as) == (understood, None)
    assert answer.spans == clean.spans
    assert pipeline.search(asked, top_k=3) == pipeline.search(understood, top_k=3)
    assert pipeline.understood(asked) == understood
