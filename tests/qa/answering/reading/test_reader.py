"""logits -> candidates in offsets of the document."""

from __future__ import annotations

from itertools import count, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.text.chunking import chunk_document
from qa.answering.reading.reader import LONGEST, PER_PASSAGE, Candidate, CrossEncoderReader, Reading
from qa.answering.reading.reader_model import Window
from qa.answering.reading.span_borders import inside_token_mask
from qa.answering.retrieval.retriever import RetrievedChunk
from tests.support.fakes import (
    FakeEncoder,
    FakeSpanModel,
    hashed,
    marked,
    passage_of,
    plain_document,
)

SENTENCES = ("Ships sail.", "The tide turns at six.", "Bread rises.")
TEXT = " ".join(SENTENCES)
WORDS = st.sampled_from(
    [
        "tide",
        "Porto.",
        "“six”",
        "$1,200.50",
        "naïve",
        "東京",
        "e\u0301",
        "2.7%",
        "U.S.",
        "👩‍👩‍👧",
        "ebb\n\n",
        "noon,",
        "- x",
    ]
)
TEXTS = st.lists(WORDS, min_size=1, max_size=80).map(" ".join)


def reader(model: FakeSpanModel | None = None) -> CrossEncoderReader:
    """Return a reader with a fake model and a clock that ticks a second at every look."""
    ticks = count()
    return CrossEncoderReader(model or FakeSpanModel(), "fake", clock=lambda: float(next(ticks)))


def passages_of(text: str, name: str = "a.txt", budget: int = 24) -> list[RetrievedChunk]:
    """Return the chunks of a text as passages; long sentences make neighbours overlap."""
    chunks = chunk_document(plain_document(text, name), FakeEncoder(passage_budget=budget))
    like = passage_of("x")
    return [
        RetrievedChunk(chunk, like.document, like.hit, rank) for rank, chunk in enumerate(chunks, 1)
    ]


def overlap(first: Candidate, second: Candidate) -> bool:
    """Return True if two candidates share characters of one document."""
    same = first.passage.chunk.document_id == second.passage.chunk.document_id
    return same and first.start < second.end and second.start < first.end


def test_the_likeliest_span_comes_first_in_offsets_of_the_document() -> None:
    model = FakeSpanModel(marked("at", "six"))

    found = reader(model).read("When?", [passage_of(TEXT, SENTENCES, at=100)])

    best = found.candidates[0]
    assert (best.text, best.sentence_text, best.score) == ("at six", SENTENCES[1], 8.0)
    assert (best.start, best.end) == (100 + TEXT.index("at six"), 100 + TEXT.index("at six") + 6)
    assert best.sentence == (100 + TEXT.index("The tide"), 100 + TEXT.index(" Bread"))


def test_a_span_over_two_sentences_is_covered_by_both() -> None:
    [best, *_] = (
        reader(FakeSpanModel(marked("six", "Bread")))
        .read("x", [passage_of(TEXT, SENTENCES)])
        .candidates
    )

    assert (best.text, best.sentence_text) == ("six. Bread", " ".join(SENTENCES[1:]))


@given(texts=st.lists(TEXTS, min_size=1, max_size=3), window=st.sampled_from([4, 12, 40]))
def test_candidates_are_whole_words_of_their_documents_best_first_and_apart(
    texts: list[str], window: int
) -> None:
    passages = [each for at, text in enumerate(texts) for each in passages_of(text, f"{at}.txt")]

    found = reader(FakeSpanModel(window=window)).read("What?", passages)

    assert (found.passages_read, found.passages_found) == (len(passages), len(passages))
    assert [each.score for each in found.candidates] == sorted(
        (each.score for each in found.candidates), reverse=True
    )
    assert not [
        1
        for at, each in enumerate(found.candidates)
        for other in found.candidates[:at]
        if overlap(each, other)
    ]
    for each in found.candidates:
        chunk = each.passage.chunk
        inside = inside_token_mask(chunk.text)
        assert each.text
        assert each.text == each.text.strip()
        assert not inside[[each.start - chunk.start, each.end - chunk.start]].any()
        assert each.sentence[0] <= each.start < each.end <= each.sentence[1]
        assert each.text in each.sentence_text
        assert sum(other.passage is each.passage for other in found.candidates) <= PER_PASSAGE


@given(texts=st.lists(TEXTS, min_size=1, max_size=3))
def test_probabilities_are_parts_of_one(texts: list[str]) -> None:
    found = reader().read(
        "What?", [each for at, text in enumerate(texts) for each in passages_of(text, f"{at}.txt")]
    )

    assert all(0 <= found.probability(each) <= 1 for each in found.candidates)
    assert sum(map(found.probability, found.candidates)) + np.exp(-found.log_normaliser) <= 1 + 1e-6


def test_of_overlapping_passages_the_better_span_stays_with_its_passage() -> None:
    text = "The tide turns at six. " * 12
    passages = passages_of(text, budget=22)
    assert any(first.chunk.end > second.chunk.start for first, second in pairwise(passages))

    found = reader(FakeSpanModel(hashed)).read("When?", passages)

    assert len(found.candidates) > len(passages)
    assert not [
        1
        for at, each in enumerate(found.candidates)
        for other in found.candidates[:at]
        if overlap(each, other)
    ]


def test_equal_candidates_keep_the_order_of_the_passages() -> None:
    passages = [passage_of("one six", document=name) for name in ("b", "a")]

    found = reader(FakeSpanModel(marked("six", "six"))).read("x", passages)

    assert [each.passage.document.id for each in found.candidates[:2]] == ["b", "a"]


def test_a_passage_offers_no_more_than_its_share() -> None:
    [words] = [" ".join(f"w{number}." for number in range(60))]

    assert len(reader().read("x", [passage_of(words)]).candidates) == PER_PASSAGE


def test_a_span_has_at_most_so_many_tokens() -> None:
    text = " ".join(["first", *["word"] * LONGEST, "last"])

    found = reader(FakeSpanModel(marked("first", "last", rest=-1.0))).read("x", [passage_of(text)])

    assert max(len(each.text.split()) for each in found.candidates) <= LONGEST


def test_a_token_with_a_space_in_it_is_stripped() -> None:
    class Spaced:
        """Tokens as a byte-level tokenizer counts them: each with the space before it."""

        def windows(self, question: str, texts: list[str]) -> list[Window]:
            del question, texts
            return [
                Window(
                    0,
                    np.array([(0, 5), (5, 9)]),
                    np.array([0, 3], np.float32),
                    np.array([0, 3], np.float32),
                )
            ]

    [best, *_] = (
        CrossEncoderReader(Spaced(), "spaced").read("x", [passage_of("Ships six", at=7)]).candidates
    )  # type: ignore[arg-type]

    assert (best.text, best.start, best.end) == ("six", 13, 16)


def test_the_question_reaches_the_model_as_it_is() -> None:
    model = FakeSpanModel()

    reader(model).read(" When does it turn ?? ", [passage_of(TEXT)])

    assert model.asked == [(" When does it turn ?? ", 1)]


def test_without_a_deadline_all_is_read_at_once() -> None:
    model = FakeSpanModel()

    passages = [passage_of(TEXT, document=name) for name in "abcde"]

    assert reader(model).read("x", passages).passages_read == 5
    assert [texts for _, texts in model.asked] == [5]


@pytest.mark.parametrize(("seconds", "read"), [(0.0, 2), (-5.0, 2), (1.5, 4), (100.0, 5)])
def test_after_the_deadline_no_further_passage_is_read(seconds: float, read: int) -> None:
    passages = [passage_of(f"It is six {name}.", document=name) for name in "abcde"]

    found = reader().read("When?", passages, seconds=seconds)

    assert (found.passages_read, found.passages_found) == (read, 5)
    assert {each.passage.document.id for each in found.candidates} == set("abcde"[:read])


def test_reading_in_steps_finds_what_reading_at_once_finds() -> None:
    passages = [
        passage_of(f"The tide {name} turns at six, {name} says.", document=name) for name in "abcde"
    ]

    model = FakeSpanModel()
    assert reader(model).read("When?", passages, seconds=3.5) == reader().read("When?", passages)
    assert [texts for _, texts in model.asked] == [2, 2, 1]


def test_with_time_enough_all_is_read_at_once() -> None:
    model = FakeSpanModel()
    passages = [passage_of(TEXT, document=name) for name in "abcde"]

    assert reader(model).read("When?", passages, seconds=60.0).passages_read == 5
    assert [texts for _, texts in model.asked] == [5]


def test_without_passages_there_are_no_candidates() -> None:
    assert reader().read("tide", []) == Reading((), 0, 0, 0.0)
