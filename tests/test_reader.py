"""Sentences as candidates, in offsets of the document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pytest

from index.document import Chunk, Span
from index.ranking import Hit
from index.snapshot import DocumentInfo
from qa.reader import FITTED, SentenceReader, SentenceWeights
from qa.retriever import Passage
from tests.fakes import FakeEncoder

INFO = DocumentInfo("id", "a.txt", "A", "00", 1, "utf-8", "en", "current", "", 1, 1)
TEXT = "Ships sail. The tide turns at six. Bread rises."
SENTENCES: tuple[Span, ...] = ((0, 11), (12, 34), (35, 47))


@dataclass
class Weights:
    """Every term weighs one but those given."""

    given: Mapping[str, float] = field(default_factory=dict)

    def term_weight(self, term: str) -> float:
        return self.given.get(term, 1.0)


def passage(first: int = 0, last: int = 3, *, dense: float = 0.5, headings: tuple[str, ...] = ()) -> Passage:
    """The sentences first..last of TEXT as a passage."""
    start, end = SENTENCES[first][0], SENTENCES[last - 1][1]
    return Passage(Chunk("id", start, end, TEXT[start:end], SENTENCES[first:last], headings), INFO, Hit(0, 1.0, dense, 1.0, 1, 1))


def reader(*weights: float, bias: float = 0.0, terms: Mapping[str, float] | None = None) -> SentenceReader:
    """A reader with these weights, the rest being zero."""
    fitted = SentenceWeights(bias, (*weights, *[0.0] * (len(FITTED.weights) - len(weights))), 0.5)
    return SentenceReader(FakeEncoder(), Weights(terms or {}), fitted)


def test_every_sentence_is_a_candidate_once_best_first() -> None:
    found = reader(1.0, 1.0).read("When does the tide turn?", [passage()])

    assert {candidate.sentence for candidate in found} == set(SENTENCES)
    assert found[0].text == "The tide turns at six."
    assert [each.confidence for each in found] == sorted((each.confidence for each in found), reverse=True)


def test_offsets_are_those_of_the_document() -> None:
    for candidate in reader(1.0).read("tide", [passage(1, 3)]):
        assert TEXT[candidate.start : candidate.end] == candidate.text


def test_a_sentence_of_two_passages_counts_once_for_the_better_passage() -> None:
    better, other = passage(0, 2), passage(1, 3)

    found = reader(1.0).read("tide", [better, other])

    assert len(found) == 3
    assert next(each.passage for each in found if each.sentence == SENTENCES[1]) is better


def test_equal_candidates_keep_the_order_of_the_passages() -> None:
    found = reader().read("tide", [passage(1, 3), passage(0, 1)])

    assert [candidate.sentence for candidate in found] == [SENTENCES[1], SENTENCES[2], SENTENCES[0]]


def test_confidence_is_the_logistic_of_bias_and_weighted_features() -> None:
    weighted = reader(0.0, 2.0, bias=-1.0)
    features = weighted.features("tide times", [(passage(), SENTENCES[1])])

    [*_, best] = sorted(each.confidence for each in weighted.read("tide times", [passage()]))

    assert best == pytest.approx(1 / (1 + np.exp(1.0 - 2.0 * features[0, 1])))


def test_shares_are_weighted_by_how_much_a_term_says() -> None:
    features = reader(terms={"tide": 3.0}).features("tide zebra", [(passage(), SENTENCES[1]), (passage(), SENTENCES[0])])

    assert features[:, 1].tolist() == [0.75, 0.0]
    assert features[:, 2].tolist() == [0.75, 0.75]


def test_a_heading_counts_for_the_passage_and_not_for_the_sentence() -> None:
    [row] = reader().features("zebra", [(passage(headings=("Zebra",)), SENTENCES[0])]).tolist()

    assert row[1:3] == [0.0, 1.0]


def test_the_cosines_are_those_of_the_sentence_and_of_its_passage() -> None:
    [row] = reader().features("The tide turns at six.", [(passage(dense=0.25), SENTENCES[1])]).tolist()

    assert row[0] == pytest.approx(1.0, abs=1e-5)
    assert row[3] == 0.25


def test_without_passages_there_are_no_candidates() -> None:
    assert reader().read("tide", []) == []


def test_the_fitted_threshold_is_a_probability() -> None:
    assert 0 < SentenceReader(FakeEncoder(), Weights()).threshold < 1
