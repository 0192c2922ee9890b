"""Logistic fits, doubtful labels, and the confidences that reach a precision."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from qa.evaluation.fitting import (
    MIN_ANSWERS,
    RECOGNISED,
    Labels,
    common_precisions,
    fit,
    out_of_fold,
    precisions,
    probabilities,
    truth,
)
from qa.evaluation.selective_metrics import ece


def drawn(count: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64], Labels]:
    """Return two features, the true probabilities of being right, and labels.

    One in ten right answers is not recognised. The last third are answers to questions without one.
    """
    rng = np.random.default_rng(seed)
    features = rng.normal(0, 2, (count, 2))
    features[2 * count // 3 :, 0] -= 3
    answerable = np.arange(count) < 2 * count // 3
    probability = np.where(answerable, 1 / (1 + np.exp(-features[:, 0] - 0.3)), 0.0)
    true = rng.random(count) < probability
    recognised = true & (rng.random(count) < RECOGNISED)
    return (
        features,
        probability,
        Labels(recognised, answerable & ~recognised, np.arange(count), np.ones(count)),
    )


@pytest.mark.parametrize("seed", range(3))
def test_doubtful_answers_count_as_often_as_people_fail_to_recognise_right_ones(seed: int) -> None:
    features, probability, labels = drawn(6000, seed)

    found = truth(features, labels)

    assert found[labels.right].tolist() == [1.0] * labels.right.sum()
    assert found[~labels.right & ~labels.doubtful].max() == 0
    assert found.sum() == pytest.approx(probability.sum(), rel=0.03)
    assert labels.right.sum() < 0.93 * probability.sum()


def test_confidence_fitted_to_the_truth_is_nearer_to_it_than_to_the_labels() -> None:
    features, probability, labels = drawn(6000, 7)
    true = np.random.default_rng(1).random(6000) < probability

    corrected = out_of_fold(features, truth(features, labels), labels)
    plain = out_of_fold(features, labels.right.astype(np.float64), labels)

    assert ece(corrected, true) < ece(plain, true)


def test_without_doubtful_answers_the_labels_are_the_truth() -> None:
    labels = Labels(
        np.array([True, False, True]), np.zeros(3, dtype=np.bool_), np.arange(3), np.ones(3)
    )

    assert truth(np.ones((3, 1)), labels).tolist() == [1, 0, 1]
    assert truth(
        np.ones((2, 1)),
        Labels(np.zeros(2, dtype=np.bool_), np.ones(2, dtype=np.bool_), np.arange(2), np.ones(2)),
    ).tolist() == [0, 0]


def test_a_fit_to_whole_numbers_is_plain_logistic_regression() -> None:
    features, _, labels = drawn(900, 3)
    from sklearn.linear_model import LogisticRegression

    found = probabilities(features, *fit(features, labels.right.astype(np.float64), labels.weights))

    centre, scale = features.mean(axis=0), features.std(axis=0)
    model = LogisticRegression(max_iter=1000).fit((features - centre) / scale, labels.right)
    assert found == pytest.approx(model.predict_proba((features - centre) / scale)[:, 1], abs=2e-3)


@pytest.mark.parametrize("answers", [MIN_ANSWERS - 1, MIN_ANSWERS])
def test_fewer_answers_than_say_something_promise_nothing(answers: int) -> None:
    confidence = np.concatenate([np.full(answers, 0.9931), np.full(100, 0.25)])
    right = np.concatenate([np.ones(answers), np.zeros(100)])

    found = dict(precisions(confidence, right))

    assert found.get(0.99) == (0.9931 if answers == MIN_ANSWERS else None)
    assert found.get(0.9) == (0.9931 if answers == MIN_ANSWERS else None)


def test_what_was_observed_is_not_promised_beyond_the_confidences() -> None:
    found = dict(precisions(np.full(100, 0.72), np.ones(100)))

    assert max(found) == 0.7


def test_a_precision_needs_the_confidence_at_which_each_file_has_it() -> None:
    office, articles = ((0.5, 0.1), (0.9, 0.4)), ((0.5, 0.3), (0.9, 0.35), (0.95, 0.6))
    together = ((0.5, 0.2), (0.9, 0.38), (0.95, 0.5))

    assert common_precisions(together, [office, articles]) == ((0.5, 0.3), (0.9, 0.4), (0.95, 0.6))
    assert common_precisions(office, [office]) == office
    assert common_precisions((), [(), office]) == ()


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0.1, 0.3, 0.5001, 0.50014, 0.50019, 0.8, 0.99]) | st.floats(0, 1),
            st.booleans(),
        ),
        max_size=150,
    )
)
def test_every_threshold_keeps_its_promise_with_equal_confidences_all_in_or_all_out(
    answers: list[tuple[float, bool]],
) -> None:
    confidence = np.array([sure for sure, _ in answers], dtype=np.float64)
    right = np.array([is_right for _, is_right in answers], dtype=np.float64)

    found = precisions(confidence, right)

    assert list(found) == sorted(found)
    for precision, threshold in found:
        given_ = np.floor(1e4 * confidence) / 1e4 >= threshold
        assert given_.sum() >= MIN_ANSWERS
        assert right[given_].mean() >= precision - 1e-9
        assert confidence[given_].mean() >= precision - 1e-9
        assert (confidence >= threshold).sum() >= given_.sum()
