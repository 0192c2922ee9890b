"""Windows, their labels, and the batches made of them."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from qa.training.batches import assemble_batch, plan_batches, window_lengths
from qa.training.config import DataSettings, TrainSettings
from qa.training.corpus import Corpus, encode, key_of, load_tokenizer, prepare, token_span
from qa.training.data import Example, occurrences
from qa.training.errors import TrainingError
from qa.training.model import default_base
from qa.training.special_tokens import SpecialTokens
from qa.training.units import Negatives, chosen_questions, stage1_units, stage2_units
from qa.training.windows import (
    SPECIAL,
    Units,
    all_windows,
    answers_in_window,
    split_passage,
    windows_of,
)
from tests.qa.training.test_training import write_toy_data

TOKENIZER = load_tokenizer(default_base())
SETTINGS = DataSettings(max_tokens=40, overlap=8, max_question=12, sources="s=1")
WORDS = st.sampled_from(
    [
        "alpha",
        "beta-blocker",
        "Gamma's",
        "$5.2",
        "naïve",
        "unbelievably",
        "delta.",
        "(x)",
        "é",
        "\u200b",
        "42%",
    ]
)
PASSAGES = st.lists(WORDS, min_size=1, max_size=90).map(" ".join)


@st.composite
def examples(draw: st.DrawFn) -> Example:
    """Draw a question whose answer is some words of the passage, or an unanswerable one.

    All occurrences of the answer are marked.
    """
    passage = draw(PASSAGES)
    parts = passage.split(" ")
    first = draw(st.integers(0, len(parts) - 1))
    answer = " ".join(parts[first : first + draw(st.integers(1, 3))])
    question = " ".join(draw(st.lists(WORDS, min_size=1, max_size=20)))
    start = len(" ".join(parts[:first])) + bool(first)
    spans = draw(
        st.sampled_from([(), tuple({*occurrences(passage, answer), (start, start + len(answer))})])
    )
    return Example(
        f"s/{question}",
        "s",
        "t",
        question,
        passage,
        tuple(span for span in spans if passage[slice(*span)].strip("\u200b")),
    )


def test_case_does_not_matter_to_the_tokenizer() -> None:
    upper, lower = (
        TOKENIZER.encode(text).ids
        for text in ("Who Founded ÉCOLE Amazon", "who founded école amazon")
    )

    assert upper == lower


@given(st.integers(0, 600), st.integers(0, 64), st.integers(80, 256), st.integers(0, 96))
def test_windows_cover_the_passage_and_overlap(
    passage: int, question: int, longest: int, overlap: int
) -> None:
    settings = DataSettings(max_tokens=longest, overlap=overlap)

    windows = split_passage(passage, question, settings)

    assert windows[0][0] == 0
    assert windows[-1][1] == passage
    assert max(longest, question + SPECIAL + 16) >= question + SPECIAL + max(
        last - first for first, last in windows
    )
    for (_, end), (start, _) in itertools.pairwise(windows):
        assert start < end or overlap == 0
        assert end - start >= min(overlap, longest - SPECIAL - question - 1)


@given(examples())
def test_labels_point_at_the_answer_and_at_every_occurrence(example: Example) -> None:
    corpus = encode([example], TOKENIZER, SETTINGS.max_question)
    offsets = TOKENIZER.encode(example.passage, add_special_tokens=False).offsets
    units = all_windows(corpus, SETTINGS)
    seen: set[tuple[int, int]] = set()
    for row in range(len(units.rows)):
        one = Units(units.rows[row : row + 1], np.array([0, 1], dtype=np.int64))
        batch = assemble_batch(corpus, one, np.array([0]), SpecialTokens.of(TOKENIZER))
        begin, first = len(corpus.questions[0]) + 2, int(units.rows[row][2])
        for _, start, end in batch.spans.tolist():
            assert begin <= start <= end
            assert bool(batch.readable[0, start : end + 1].all())
            tokens = start - begin + first, end - begin + first
            assert (
                batch.ids[0, start : end + 1].tolist()
                == corpus.passages[0][tokens[0] : tokens[1] + 1].tolist()
            )
            seen.add((offsets[tokens[0]][0], offsets[tokens[1]][1]))
    trimmed = {example.passage[start:end].strip("\u200b ") for start, end in seen}
    assert trimmed <= {answer.strip("\u200b ") for answer in example.answers}
    starts = {token_span(np.array(offsets).reshape(-1, 2), *span) for span in example.spans}
    assert len(seen) == len(starts - {None})


@given(examples())
def test_windows_without_the_answer_or_with_part_of_it(example: Example) -> None:
    corpus = encode([example], TOKENIZER, SETTINGS.max_question)
    kept = {tuple(row) for row in all_windows(corpus, SETTINGS).rows.tolist()}
    for row in windows_of(corpus, 0, 0, SETTINGS):
        inside, partial = answers_in_window(corpus.answers[0], row[2], row[3])
        assert (tuple(row) in kept) == (len(inside) > 0 or not partial)


def test_the_question_and_the_frame_are_not_readable() -> None:
    corpus = encode([Example("s/1", "s", "t", "who is it", "It is Ann", ((6, 9),))], TOKENIZER, 12)

    batch = assemble_batch(
        corpus, all_windows(corpus, SETTINGS), np.array([0]), SpecialTokens.of(TOKENIZER)
    )

    assert (
        TOKENIZER.decode(batch.ids[0].tolist(), skip_special_tokens=False)
        == "[CLS] who is it [SEP] it is ann [SEP]" + " [PAD]" * 7
    )
    assert batch.readable[0].nonzero().flatten().tolist() == [0, 5, 6, 7]
    assert batch.types[0].tolist() == [0] * 5 + [1] * 4 + [0] * 7
    assert batch.mask[0].tolist() == [1] * 9 + [0] * 7
    assert batch.spans.tolist() == [[0, 7, 7]]
    assert batch.tokens == 9


def _corpus(count: int = 40, source: str = "s") -> Corpus:
    made = [
        Example(
            f"s/{at}",
            source,
            "t",
            f"what is {at}",
            f"{'word ' * (at % 25)} it is {at} indeed {at}",
            () if at % 5 == 0 else _at(at),
        )
        for at in range(count)
    ]
    return encode(made, TOKENIZER, 12)


def _at(number: int) -> tuple[tuple[int, int], ...]:
    return occurrences(f"{'word ' * (number % 25)} it is {number} indeed {number}", str(number))


@given(st.integers(30, 400), st.integers(0, 99))
def test_a_plan_has_every_unit_once_within_the_budget(budget: int, seed: int) -> None:
    corpus = _corpus()
    units = all_windows(corpus, SETTINGS)
    units = Units(units.rows, np.arange(len(units.rows) + 1, dtype=np.int64))

    batches = plan_batches(corpus, units, budget, np.random.default_rng(seed))

    assert sorted(np.concatenate(batches).tolist()) == list(range(len(units)))
    for chosen in batches:
        assert (
            len(chosen) == 1
            or assemble_batch(corpus, units, chosen, SpecialTokens.of(TOKENIZER)).ids.numel()
            <= budget
        )
    assert [each.tolist() for each in batches] == [
        each.tolist() for each in plan_batches(corpus, units, budget, np.random.default_rng(seed))
    ]


def test_lengths_are_those_of_the_tensors() -> None:
    corpus = _corpus()
    units = all_windows(corpus, SETTINGS)
    batch = assemble_batch(corpus, units, np.arange(len(units)), SpecialTokens.of(TOKENIZER))

    assert batch.mask.sum(dim=1).tolist() == window_lengths(corpus, units.rows).tolist()


def test_weights_say_how_often_a_set_comes() -> None:
    corpus = _corpus(1000)

    chosen = chosen_questions(corpus, replace(SETTINGS, sources="s=2.5"), np.random.default_rng(0))

    assert set(np.unique(chosen, return_counts=True)[1].tolist()) == {2, 3}
    assert 2400 < len(chosen) < 2600
    assert (
        len(
            chosen_questions(corpus, replace(SETTINGS, sources="other=1"), np.random.default_rng(0))
        )
        == 0
    )


def test_unanswerable_questions_may_come_more_often() -> None:
    corpus = _corpus(100)
    unanswerable = [at for at in range(100) if not len(corpus.answers[at])]

    chosen = chosen_questions(
        corpus, replace(SETTINGS, unanswerable=2), np.random.default_rng(0)
    ).tolist()

    assert 0 < len(unanswerable) < 100
    assert sorted(chosen) == sorted([*range(100), *unanswerable])


def test_an_epoch_can_be_made_again() -> None:
    units = stage1_units(_corpus(), replace(SETTINGS, sources="s=0.5"), 7)

    assert np.array_equal(units(3).rows, units(3).rows)
    assert not np.array_equal(units(3).rows, units(4).rows)


def test_stage2_reads_a_question_beside_its_negatives() -> None:
    corpus = _corpus(20)
    keys = np.array([key_of(f"s/{at}") for at in range(10)], dtype=np.uint64)
    passages = np.array(
        [[corpus.passage_keys[at + 5], corpus.passage_keys[at + 6], 0] for at in range(10)],
        dtype=np.uint64,
    )
    settings = TrainSettings(max_negatives=2, dropped_gold=0.3)
    units = stage2_units(corpus, Negatives(keys, passages), SETTINGS, settings)
    dropped = 0
    for epoch in range(20):
        made = units(epoch)
        for unit in range(len(made)):
            rows = made.rows[made.bounds[unit] : made.bounds[unit + 1]]
            question, others = int(rows[0, 0]), set(rows[:, 1].tolist())
            own = int(corpus.asked_of[question])
            assert set(rows[:, 0].tolist()) == {question}
            assert question < 10
            assert others - {own} <= {question + 5, question + 6}
            assert others - {own}
            batch = assemble_batch(corpus, made, np.array([unit]), SpecialTokens.of(TOKENIZER))
            assert (len(batch.spans) > 0) == (own in others and question % 5 != 0)
            assert own in others or question % 5 != 0
            dropped += own not in others
    assert 20 * 8 * 0.15 < dropped < 20 * 8 * 0.45


def test_stage2_shows_a_share_of_the_other_questions_alone() -> None:
    corpus = _corpus(100)
    negatives = Negatives(
        np.array([key_of("s/3")], dtype=np.uint64),
        np.array([[corpus.passage_keys[8], corpus.passage_keys[9]]], dtype=np.uint64),
    )

    made = stage2_units(corpus, negatives, SETTINGS, TrainSettings(alone=0.5, dropped_gold=0))(0)

    asked = [made.rows[made.bounds[unit] : made.bounds[unit + 1]] for unit in range(len(made))]
    assert 35 < len(asked) < 65
    assert all(
        set(rows[:, 1].tolist()) == {int(corpus.asked_of[rows[0, 0]])}
        for rows in asked
        if rows[0, 0] != 3
    )
    assert [len(set(rows[:, 1].tolist())) > 1 for rows in asked if rows[0, 0] == 3] == [True]


def test_negatives_survive_saving(tmp_path: Path) -> None:
    negatives = Negatives(
        np.array([2**64 - 1, 3], dtype=np.uint64),
        np.array([[7, 2**63, 0], [7, 0, 0]], dtype=np.uint64),
    )
    negatives.save(tmp_path / "negatives.npz")

    again = Negatives.load(tmp_path / "negatives.npz")

    assert again.questions.tolist() == negatives.questions.tolist()
    assert again.passages.tolist() == negatives.passages.tolist()
    with pytest.raises(TrainingError, match=r"run `python -m qa\.training negatives"):
        Negatives.load(tmp_path / "none.npz")


def test_negatives_of_another_corpus_are_refused() -> None:
    negatives = Negatives(np.array([1], dtype=np.uint64), np.array([[2]], dtype=np.uint64))

    with pytest.raises(TrainingError, match="no question of the negatives"):
        stage2_units(_corpus(), negatives, SETTINGS, TrainSettings())


def test_the_corpus_is_made_once(tmp_path: Path) -> None:
    data, work = write_toy_data(tmp_path / "data"), tmp_path / "work"
    settings = DataSettings(sources="squad2-train-partial=1,swaps=1")
    first = prepare(data, work, default_base(), settings)
    (data / "reader" / "squad2-train-partial.json.gz").rename(tmp_path / "away")

    again = prepare(None, work, default_base(), settings)

    assert np.array_equal(first.passages.values, again.passages.values)
    assert np.array_equal(first.answers.bounds, again.answers.bounds)
    assert first.sources == again.sources
    with pytest.raises(TrainingError, match="other settings"):
        prepare(None, work, default_base(), replace(settings, overlap=1))


def test_a_tokenizer_without_special_tokens_is_refused() -> None:
    from tokenizers.models import WordLevel

    with pytest.raises(TrainingError, match="BERT"):
        SpecialTokens.of(Tokenizer(WordLevel({"a": 0}, unk_token="a")))  # noqa: S106 - no password
