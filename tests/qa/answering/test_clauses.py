"""Values in one sentence: the one in the clause that the question names."""

from __future__ import annotations

from pathlib import Path

import pytest

from qa.answering.clauses import (
    abolished_first,
    later_change_first,
    named_clause_first,
    named_period_first,
    named_section_first,
    named_sentence_first,
    named_version_first,
    newer_value_first,
)
from qa.answering.features import AnswerGroup
from qa.answering.passage_retrieval import Retrieved
from qa.answering.reading.reader import Candidate
from tests.support.serving import pipeline_of

RECORDS = (
    "Records of adults are kept for 10 years after the visit, those of children for 28 years. "
    "Parking is free for parents."
)


@pytest.fixture
def groups(tmp_path: Path) -> dict[str, AnswerGroup]:
    """Return candidates of one passage by their texts, each a group of its own."""
    pipeline = pipeline_of(tmp_path, {"records.txt": RECORDS})
    passage = pipeline._retriever.retrieve("records of children", 1)[0]

    def group(text: str) -> AnswerGroup:
        start = RECORDS.index(text)
        sentences = passage.chunk.sentences
        sentence = next(each for each in sentences if each[0] <= start < each[1])
        return AnswerGroup((Candidate(passage, start, start + len(text), sentence, 0.0),))

    return {text: group(text) for text in ("10 years", "28 years", "Parking", "adults")}


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("How long are records of children kept?", "28 years"),
        ("How long are records of adults kept?", "10 years"),
        ("How long are records kept?", "10 years"),
    ],
)
def test_the_clause_that_is_named(
    groups: dict[str, AnswerGroup], question: str, first: str
) -> None:
    ranked = named_clause_first(question, [groups["10 years"], groups["28 years"]])

    assert ranked[0].best.text == first
    assert len(ranked) == 2


@pytest.mark.parametrize(("brew", "price"), [("Harbour", "€19"), ("Sidamo", "€23")])
def test_the_clause_of_one_of_two_amounts(tmp_path: Path, brew: str, price: str) -> None:
    text = "The price is €19 per kg for the blend Harbour and €23 per kg for the bean Sidamo."
    pipeline = pipeline_of(tmp_path, {"contract.txt": text})
    passage = pipeline._retriever.retrieve("price", 1)[0]
    groups = [
        AnswerGroup((Candidate(passage, at, at + 3, passage.chunk.sentences[0], 0.0),))
        for at in map(text.index, ("€19", "€23"))
    ]

    ranked = named_clause_first(f"What is the price per kg for {brew}?", groups)

    assert ranked[0].best.text == price


@pytest.mark.parametrize(
    ("text", "question", "ranked", "first"),
    [
        (
            "Quiet hours are from 10 pm to 7 am; on Sundays until 9 am.",
            "When are quiet hours?",
            ("Sundays until 9 am", "10 pm to 7 am"),
            "10 pm to 7 am",
        ),
        (
            "The crane is tested on 4 May and the lock on 9 June.",
            "When is the lock tested?",
            ("4 May", "9 June"),
            "9 June",
        ),
        (
            "If it rains we move to the loft, unless 80 come: then we put it off.",
            "What happens if it rains?",
            ("we put it off", "move to the loft"),
            "move to the loft",
        ),
        (
            "If a payment is 14 days late, we write to you; after 28 days a fee is added.",
            "What happens if I am 14 days late?",
            ("we write to you", "a payment"),
            "we write to you",
        ),
    ],
)
def test_the_clause_of_a_time_or_a_condition(
    tmp_path: Path, text: str, question: str, ranked: tuple[str, str], first: str
) -> None:
    passage = pipeline_of(tmp_path, {"rules.txt": text})._retriever.retrieve(question, 1)[0]
    sentence = passage.chunk.sentences[0]
    groups = [
        AnswerGroup((Candidate(passage, at, at + len(value), sentence, 0.0),))
        for value, at in ((value, text.index(value)) for value in ranked)
    ]

    assert named_clause_first(question, groups)[0].best.text == first


def test_what_is_no_value_of_the_same_kind_stays_behind(groups: dict[str, AnswerGroup]) -> None:
    ranked = [groups["10 years"], groups["adults"]]

    assert named_clause_first("How long are records of children kept?", ranked) == ranked
    assert named_clause_first("How long?", []) == []


def test_the_sentence_that_holds_more_of_the_question(groups: dict[str, AnswerGroup]) -> None:
    ranked = [groups["10 years"], groups["Parking"]]

    assert named_sentence_first("Is parking free?", ranked)[0] == groups["Parking"]
    assert named_sentence_first("Are records kept?", ranked) == ranked


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("How much did the gate earn in the third quarter?", "300"),
        ("How much did the gate earn in the first quarter?", "200"),
        ("How much did the gate earn?", "200"),
        ("When did the gate earn 200 in the third quarter?", "200"),
    ],
)
def test_the_sentence_of_the_period_that_is_named(
    tmp_path: Path, question: str, first: str
) -> None:
    text = "The gate earned 200 in the first quarter. The gate earned 300 in the third quarter."
    pipeline = pipeline_of(tmp_path, {"gate.txt": text})
    passages = pipeline._passages.with_versions(
        question, Retrieved(pipeline._retriever.retrieve(question, 1)), None
    )
    passage = passages[0].passages[0]

    def group(value: str) -> AnswerGroup:
        start = text.index(value)
        sentence = next(each for each in passage.chunk.sentences if each[0] <= start < each[1])
        return AnswerGroup((Candidate(passage, start, start + 3, sentence, 0.0),))

    assert named_period_first(question, [group("200"), group("300")])[0].best.text == first


REPORTS = {
    "gate_report_2026_Q2.md": "# Gate report\n\nThe foundry reached 91 points, the smithy 68.\n",
    "gate_report_2026_Q3.md": "# Gate report\n\nThe foundry fell to 84 points for late lots.\n",
}


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("How many points did the foundry get in Q3 2026?", "84"),
        ("How many points did the foundry get in Q2 2026?", "91"),
        ("How many points did the foundry get in Q1 2026?", "91"),
    ],
)
def test_the_document_of_the_period_that_is_named(
    tmp_path: Path, question: str, first: str
) -> None:
    pipeline = pipeline_of(tmp_path, REPORTS)
    retrieved = Retrieved(pipeline._retriever.retrieve(question, 2))
    passages = pipeline._passages.with_versions(question, retrieved, None)[0].passages

    def group(value: str) -> AnswerGroup:
        [passage] = [each for each in passages if value in each.chunk.text]
        start = passage.chunk.start + passage.chunk.text.index(value)
        return AnswerGroup((Candidate(passage, start, start + 2, (start, start + 2), 0.0),))

    ranked = [group("91"), group("84")]
    assert named_version_first(question, ranked)[0].best.text == first
    assert named_version_first(question, []) == []


MINUTES = {
    "minutes_2026-08-11.txt": (
        "Minutes of the pier meeting of 11 August 2026\n\n1. Winter Cup\nThe budget is €8,500.\n"
    ),
    "minutes_2026-09-08.txt": (
        "Minutes of the pier meeting of 8 September 2026\n\n1. Winter Cup\n"
        "The budget is raised to €9,800.\n"
    ),
}


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("what is the budget of the winter cup", "€9,800"),
        ("what was the budget of the winter cup originally", "€8,500"),
        ("budget of the winter cup in August 2026", "€8,500"),
    ],
)
def test_a_later_report_changes_a_value(tmp_path: Path, question: str, first: str) -> None:
    pipeline = pipeline_of(tmp_path, MINUTES)
    retrieved = Retrieved(pipeline._retriever.retrieve(question, 6))
    passages = pipeline._passages.with_versions(question, retrieved, None)[0].passages

    def group(value: str) -> AnswerGroup:
        passage = next(each for each in passages if value in each.chunk.text)
        start = passage.chunk.start + passage.chunk.text.index(value)
        sentence = next(each for each in passage.chunk.sentences if each[0] <= start < each[1])
        return AnswerGroup((Candidate(passage, start, start + len(value), sentence, 0.0),))

    ranked = later_change_first(question, [group("€8,500"), group("€9,800")])

    assert ranked[0].best.text == first


PARTY = {
    "minutes_2026-08-11.txt": (
        "Minutes of the pier meeting of 11 August 2026\n\n1. Pier party\n"
        "The pier party is on 20 June. Ann Lee collects the names. "
        "A guest may stay for five nights.\n"
    ),
    "minutes_2026-09-08.txt": (
        "Minutes of the pier meeting of 8 September 2026\n\n1. Pier party\n"
        "The date was moved to 4 July, after Ann Lee had fallen ill. "
        "Bob Ray has taken over the list from Ann Lee. "
        "The limit of five nights was changed to seven nights. The fair is on 9 July.\n"
    ),
}


@pytest.mark.parametrize(
    ("question", "old", "new", "gap", "is_changed"),
    [
        ("When is the pier party?", "20 June", "4 July", 4.0, True),
        ("When is the pier party?", "20 June", "9 July", 4.0, False),
        ("Who collects the names?", "Ann Lee", "Bob Ray", 7.0, True),
        ("Who collects the names?", "Ann Lee", "Bob Ray", 9.0, False),
        ("How many nights may a guest stay?", "five", "seven", 5.0, True),
    ],
)
def test_the_sentence_of_a_change_needs_less_of_a_score(
    tmp_path: Path, question: str, old: str, new: str, gap: float, *, is_changed: bool
) -> None:
    pipeline = pipeline_of(tmp_path, PARTY)
    retrieved = Retrieved(pipeline._retriever.retrieve(question, 6))
    passages = pipeline._passages.with_versions(question, retrieved, None)[0].passages

    def group(value: str, uri: str, score: float) -> AnswerGroup:
        [passage] = [
            each for each in passages if value in each.chunk.text and each.document.uri == uri
        ]
        start = passage.chunk.start + passage.chunk.text.index(value)
        sentence = next(each for each in passage.chunk.sentences if each[0] <= start < each[1])
        return AnswerGroup((Candidate(passage, start, start + len(value), sentence, score),))

    first, second = PARTY
    ranked = [group(old, first, 1.0), group(new, second, 1.0 - gap)]

    assert later_change_first(question, ranked)[0].best.text == (new if is_changed else old)


def test_without_answers_nothing_has_changed() -> None:
    assert later_change_first("what is the budget", []) == []
    assert newer_value_first("what is the budget", []) == []


FIRES = {
    "fire-safety-v2.md": "# Fire safety\n\nVersion 2\n\nFires are allowed until 10 pm.\n",
    "fire-safety.md": (
        "# Fire safety\n\nVersion 3\n\nFires are allowed with a permit. They may burn until 9 pm. "
        "The alarm is tested at 11 am.\n"
    ),
}


@pytest.mark.parametrize(
    ("question", "gap", "first"),
    [
        ("Until when are fires allowed?", 1.0, "9 pm"),
        ("Until when are fires allowed?", 4.0, "10 pm"),
        ("Until when were fires allowed before?", 1.0, "10 pm"),
    ],
)
def test_the_newest_version_says_it_in_other_words(
    tmp_path: Path, question: str, gap: float, first: str
) -> None:
    pipeline = pipeline_of(tmp_path, FIRES)
    retrieved = Retrieved(pipeline._retriever.retrieve(question, 4))
    passages = pipeline._passages.with_versions(question, retrieved, None)[0].passages

    def group(value: str, score: float) -> AnswerGroup:
        passage = next(each for each in passages if value in each.chunk.text)
        start = passage.chunk.start + passage.chunk.text.index(value)
        sentence = next(each for each in passage.chunk.sentences if each[0] <= start < each[1])
        return AnswerGroup((Candidate(passage, start, start + len(value), sentence, score),))

    ranked = [group("10 pm", 1.0), group("9 pm", 1.0 - gap)]

    assert newer_value_first(question, ranked)[0].best.text == first


NOTES = (
    "# Gate software 3.1\n\nReleased on 18 February 2026.\n\n"
    "## 3.1.1\n\nReleased on 9 March 2026.\n\n## 3.1.2\n\nReleased on 27 April 2026.\n"
)


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("When was the gate software 3.1 released?", "18 February 2026"),
        ("When was 3.1.2 released?", "27 April 2026"),
        ("when was v3.1.1 released", "9 March 2026"),
        ("When was the gate software released?", "9 March 2026"),
        ("When was 4.0 released?", "9 March 2026"),
    ],
)
def test_the_section_of_the_version_that_is_named(
    tmp_path: Path, question: str, first: str
) -> None:
    pipeline = pipeline_of(tmp_path, {"notes.md": NOTES})
    passages = pipeline._retriever.retrieve("released", 5)

    def group(date: str) -> AnswerGroup:
        [passage] = [each for each in passages if date in each.chunk.text]
        start = passage.chunk.start + passage.chunk.text.index(date)
        span = start, start + len(date)
        return AnswerGroup((Candidate(passage, *span, span, 0.0),))

    ranked = [group(each) for each in ("9 March 2026", "18 February 2026", "27 April 2026")]
    assert named_section_first(question, ranked)[0].best.text == first


CHEQUES = {
    "rents-2025.md": "# Rents of 2025\n\nPay by card or by cheque. Berths are let by the week.\n",
    "rents-2026.md": "# Rents of 2026\n\nWe no longer take cheques. Berths are let by the week.\n",
}


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("Can I pay by cheque?", "no longer"),
        ("Can I pay by card?", "by card"),
        ("Could I pay by cheque before?", "by card"),
    ],
)
def test_the_newest_version_ends_what_was_so(tmp_path: Path, question: str, first: str) -> None:
    pipeline = pipeline_of(tmp_path, CHEQUES)
    retrieved = Retrieved(pipeline._retriever.retrieve(question, 4))
    passages = pipeline._passages.with_versions(question, retrieved, None)[0].passages

    def group(value: str, score: float) -> AnswerGroup:
        passage = next(each for each in passages if value in each.chunk.text)
        start = passage.chunk.start + passage.chunk.text.index(value)
        sentence = next(each for each in passage.chunk.sentences if each[0] <= start < each[1])
        return AnswerGroup((Candidate(passage, start, start + len(value), sentence, score),))

    ranked = abolished_first(question, [group("by card", 7.0), group("no longer", -5.0)])

    assert ranked[0].best.text == first
