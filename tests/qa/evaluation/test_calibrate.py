"""Fitting the confidence on questions with known answers."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from qa.answering.calibration import Calibration, load_calibration
from qa.answering.decision import rank_answers
from qa.answering.features import FEATURES
from qa.answering.pipeline import Pipeline
from qa.answering.question import kind_of
from qa.errors import CalibrationError
from qa.evaluation import calibrate as calibrating
from qa.evaluation import fitting
from qa.evaluation.calibrate import Models, Observation, Observed, calibrate, observe, questions_of
from qa.evaluation.fitting import FOLDS, PRECISIONS
from qa.evaluation.question_sampling import Asked
from qa.evaluation.squad import Gold
from qa.interfaces.cli.calibrate import calibrate_command
from qa.settings import CALIBRATION
from tests.support.serving import Command, pipeline_of

WORDS = [
    f"{first}{second}"
    for first in ("bal", "cor", "dun", "fer", "gol", "hal")
    for second in ("mex", "nip", "rox", "tud", "vim")
]
SENTENCES = {word: f"The {word} weighs {10 + at} kilos." for at, word in enumerate(WORDS)}
MODELS = Models("reader", "encoder", 5)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return pipeline_of(
        tmp_path_factory.mktemp("calibrating"),
        {f"{word}.txt": text for word, text in SENTENCES.items()},
    )


def fitted_to(observations: Sequence[Observation], pipeline: Pipeline) -> Calibration:
    """Return the calibration of one file's observations."""
    return calibrate([Observed("file", observations, pipeline.snapshot)], MODELS)


def asked(answerable: int, unanswerable: int) -> list[Asked]:
    """Return questions whose words are all in one sentence, and others with one word in several."""
    known = [
        Asked(Gold(f"a{at}", f"How many kilos weighs the {word}?", (text,)))
        for at, (word, text) in enumerate(list(SENTENCES.items())[:answerable])
    ]
    return known + [
        Asked(Gold(f"n{at}", f"How many kilos weighs the zebra of house {at}?", ()))
        for at in range(unanswerable)
    ]


def test_right_answers_get_higher_confidence_than_wrong_ones(pipeline: Pipeline) -> None:
    observations = observe(asked(30, 30), pipeline)

    found = fitted_to(observations, pipeline)

    confidences = []
    for each in observations:
        question = each.asked.gold.question
        judged = rank_answers(question, kind_of(question), each.reading, found.passage_weight)
        assert judged
        confidences.append(found.confidence(judged.features))
    assert np.mean(confidences[:30]) > 0.8
    assert np.mean(confidences[30:]) < 0.2
    assert (found.reader, found.encoder, found.top_k, found.questions, found.source) == (
        "reader",
        "encoder",
        5,
        60,
        "file",
    )
    assert len(found.weights) == len(FEATURES)


def test_the_thresholds_rise_with_the_precision(pipeline: Pipeline) -> None:
    found = fitted_to(observe(asked(30, 30), pipeline), pipeline)

    precisions, thresholds = zip(*found.precisions, strict=True)
    assert list(precisions) == sorted(precisions)
    assert set(precisions) <= set(PRECISIONS)
    assert list(thresholds) == sorted(thresholds)


@pytest.mark.parametrize(
    "context", [True, False], ids=["questions of one paragraph", "one question of two pools"]
)
def test_the_same_question_is_never_on_both_sides_of_a_fold(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, *, context: bool
) -> None:
    """Each score is the number of a group; every fit must see a whole group or nothing of it."""
    observations = numbered(observe(asked(30, 29), pipeline), context=context)
    sizes = Counter(each.reading.candidates[0].score for each in observations)
    fitted: list[Counter[float]] = []
    fit = fitting.fit

    def recorded(
        features: NDArray[np.float64], right: NDArray[np.float64], weights: NDArray[np.float64]
    ) -> tuple[float, tuple[float, ...]]:
        fitted.append(Counter(features[:, FEATURES.index("score")].tolist()))
        return fit(features, right, weights)

    monkeypatch.setattr(fitting, "fit", recorded)
    fitted_to(observations, pipeline)

    assert len(fitted) == FOLDS
    assert all(fold[group] in {0, size} for fold in fitted for group, size in sizes.items())
    assert all(sum(not fold[group] for fold in fitted) == 1 for group in sizes)


def numbered(observations: Sequence[Observation], *, context: bool) -> list[Observation]:
    """Return three questions per paragraph, not in a row, or each question twice.

    The score of their only candidate is the number of the group. The number of groups is no
    multiple of that of the folds, so that no rule by place fits.
    """
    groups = len(observations) // 3 if context else len(observations)
    found = []
    for at, each in enumerate(observations if context else [*observations, *observations]):
        gold = replace(each.asked.gold, context=f"paragraph {at % groups}" if context else None)
        reading = replace(
            each.reading, candidates=(replace(each.reading.candidates[0], score=at % groups / 10),)
        )
        found.append(replace(each, asked=replace(each.asked, gold=gold), reading=reading))
    return found


def test_a_wrong_answer_is_doubtful_where_one_answer_was_expected(pipeline: Pipeline) -> None:
    gold = Gold("1", f"How many kilos weighs the {WORDS[0]}?", ("99 kilos",))
    cases = [
        Asked(gold),
        Asked(replace(gold, answers=("99 kilos", "98 kilos"))),
        Asked(gold, removed=True),
        Asked(replace(gold, answers=())),
        Asked(replace(gold, answers=("10 kilos",))),
    ]

    _, labels = calibrating._table(observe(cases, pipeline), pipeline.snapshot, 1.0)

    assert labels.doubtful.tolist() == [True, False, False, False, False]
    assert labels.right.tolist() == [False, False, False, False, True]


def test_a_fold_that_cannot_be_fitted_is_said(pipeline: Pipeline) -> None:
    observations = observe(asked(30, 30), pipeline)
    one_paragraph = [
        replace(each, asked=replace(each.asked, gold=replace(each.asked.gold, context="x")))
        for each in observations
    ]

    with pytest.raises(CalibrationError, match=f"at least {FOLDS} paragraphs: give more questions"):
        fitted_to(one_paragraph, pipeline)


@pytest.mark.parametrize(("answerable", "unanswerable"), [(10, 10), (0, 60), (3, 0)])
def test_too_few_or_all_alike_is_said(
    pipeline: Pipeline, answerable: int, unanswerable: int
) -> None:
    with pytest.raises(CalibrationError, match="give more questions"):
        fitted_to(observe(asked(answerable, unanswerable), pipeline), pipeline)


def squad(path: Path, articles: int = 12) -> Path:
    """A SQuAD-format file with one paragraph and five questions an article."""
    data = [
        {
            "title": f"Article {number}",
            "paragraphs": [
                {
                    "context": " ".join(list(SENTENCES.values())[2 * number : 2 * number + 2]),
                    "qas": [
                        {
                            "id": f"{number}-{at}",
                            "question": f"How many kilos weighs the {WORDS[2 * number + at % 2]}?",
                            "answers": [
                                {"text": f"{10 + 2 * number + at % 2} kilos", "answer_start": 0}
                            ],
                        }
                        for at in range(5)
                    ],
                }
            ],
        }
        for number in range(articles)
    ]
    path.write_bytes(gzip.compress(json.dumps({"data": data}).encode()))
    return path


def test_a_third_of_the_questions_lose_their_article_in_each_pool(tmp_path: Path) -> None:
    found, paragraphs = questions_of(squad(tmp_path / "a.json.gz"), (5, 8), 30, held_out_only=False)

    assert len(found) == 60
    assert sum(each.removed for each in found) == 20
    assert {len(each.documents or ()) for each in found} == {5, 8}
    assert len(paragraphs) == 12


def test_held_out_articles_only(tmp_path: Path) -> None:
    found, paragraphs = questions_of(
        squad(tmp_path / "a.json.gz", 15), (None,), 100, held_out_only=True
    )

    assert len({each.gold.id.split("-")[0] for each in found}) == 2
    assert len(paragraphs) == 15


def test_json_lines_are_asked_of_the_index(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": "1", "question": "Who?", "answers": []}\n')

    found, paragraphs = questions_of(path, (), 100, held_out_only=False)

    assert ([each.gold.question for each in found], paragraphs) == (["Who?"], [])


@pytest.mark.slow
def test_the_command_writes_what_answers_are_judged_by(
    seeds_command: Command, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    file = squad(tmp_path / "a.json.gz", 15)

    done = seeds_command(
        "calibrate", str(file), "--pool-size", "10", "--sample", "60", "--out", str(data)
    )

    found = load_calibration(data / CALIBRATION)
    assert done.returncode == 0, done.stderr
    assert found is not None
    assert (found.source, str(found.questions) in done.stdout) == ("a.json.gz", True)


def test_json_lines_have_no_pools_and_nothing_held_out(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"id": "1", "question": "Who?", "answers": []}\n')

    for option in (["--pool-size", "10"], ["--held-out"]):
        done = CliRunner().invoke(calibrate_command, [str(file), *option])
        assert (done.exit_code, "need a SQuAD-format FILE" in done.output) == (2, True)
