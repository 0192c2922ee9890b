"""Weights of a question's words, and the names in it that stand nowhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.store.snapshot import SqliteSnapshot
from qa.answering.question_terms import UNWEIGHTED, question_terms, unknown_names
from qa.answering.retrieval.searched_passages import SearchedPassages
from tests.support.serving import carded, indexed, settings_in

FILES = {
    "pumps.txt": (
        "The HX-40 and the VR 110 pump water. Change notice CN-0147 replaces the seal.\n\n"
        "Error 404 means that the page is gone. Miriam Vogel signs for the pump."
    ),
    "harbour.txt": (
        "The harbour opens at six. Version 3.2 of the gate software runs on Linux, v5.0.1 does not."
    ),
}


@pytest.fixture(scope="module")
def passages(tmp_path_factory: pytest.TempPathFactory) -> SearchedPassages:
    folder = tmp_path_factory.mktemp("terms")
    indexed(settings_in(folder), carded(), folder / "corpus", FILES)
    return SearchedPassages(SqliteSnapshot(folder / "data"))


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("How much is the HX-40?", ()),
        ("How much is the hx 40?", ()),
        ("How much is the HX-80?", ("HX-80",)),
        ("What pumps the VR-110?", ()),
        ("What is change notice 147 about?", ()),
        ("What does error 418 mean?", ("418",)),
        ("What does error 404 mean?", ()),
        ("What is new in version 4.3.0 of the gate software?", ("4.3.0",)),
        ("What is new in version 5.0.1 of the gate software?", ()),
        ("How do I run the gate software on Kubernetes?", ("Kubernetes",)),
        ("how do i run the gate software on kubernetes", ("kubernetes",)),
        ("Where does Gulliver sign?", ("Gulliver",)),
        ("Does the pump need 9 litres a week?", ()),
        ("Can't I come at 3am on the 19th or in Q3?", ()),
        ("Wie oft muss die Membran gewechselt werden?", ()),
        ("Gate?", ()),
    ],
)
def test_names_that_stand_nowhere(
    passages: SearchedPassages, question: str, names: tuple[str, ...]
) -> None:
    assert unknown_names(question, passages) == names


def test_rare_words_weigh_more(passages: SearchedPassages) -> None:
    terms = question_terms("Which pump has a seal?", passages)

    assert terms.weight("seal") > terms.weight("pump") > 0
    assert terms.weight("elsewhere") == 1 == UNWEIGHTED.weight("seal")


@given(st.text(max_size=60))
def test_any_question_has_terms(passages: SearchedPassages, question: str) -> None:
    terms = question_terms(question, passages)

    assert all(weight > 0 for weight in terms.weights.values())
    assert len(set(terms.unknown_names)) == len(terms.unknown_names)
