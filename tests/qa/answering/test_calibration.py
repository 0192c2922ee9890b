"""Calibration: features -> probability, precision -> threshold."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.answering.calibration import Calibration, load_calibration
from qa.answering.features import FEATURES
from qa.errors import CalibrationError

PRECISIONS = ((0.6, 0.1), (0.8, 0.45), (0.9, 0.7))
CALIBRATION = Calibration(
    "r", "e", 20, -1.0, tuple(map(float, range(len(FEATURES)))), 2.5, PRECISIONS, 1000, "squad2-dev"
)


def test_bins_of_all_files_together_are_those_of_one(tmp_path: Path) -> None:
    bins = ((0.8, 10.0, 9.0), (0.6, 10.0, 2.0))
    path = tmp_path / "calibration.json"
    replace(CALIBRATION, reliability=(bins,)).save(path)
    fields = json.loads(path.read_text())
    path.write_text(json.dumps({**fields, "reliability": fields["reliability"][0]}))

    loaded = load_calibration(path)

    assert loaded is not None
    assert loaded.reliability == (bins,)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "new" / "calibration.json"

    CALIBRATION.save(path)

    assert load_calibration(path) == CALIBRATION
    assert [each.name for each in path.parent.iterdir()] == ["calibration.json"]


def test_without_a_file_there_is_none(tmp_path: Path) -> None:
    assert load_calibration(tmp_path / "calibration.json") is None


def test_of_other_features_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    CALIBRATION.save(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), "features": ["another"]}))

    assert load_calibration(path) is None


@pytest.mark.parametrize(
    "change",
    [
        {"weights": [1.0]},
        {"weights": "high"},
        {"bias": "high"},
        {"bias": None},
        {"precisions": [0.5]},
        {"precisions": [["a", "b"]]},
        {"more": 1},
        {"features": None},
    ],
)
def test_a_wrong_value_is_an_error_that_says_what_to_do(
    tmp_path: Path, change: dict[str, object]
) -> None:
    path = tmp_path / "calibration.json"
    CALIBRATION.save(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))

    with pytest.raises(
        CalibrationError, match="delete it, or make it again with `qa calibrate FILE`"
    ):
        load_calibration(path)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"{}", b"[]", b"1", b"null", b'"text"', b"\xff\xfe\x00"]
)
def test_what_is_no_calibration_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "calibration.json").write_bytes(content)

    with pytest.raises(CalibrationError, match="cannot be read as a calibration"):
        load_calibration(tmp_path / "calibration.json")


def test_a_folder_in_its_place_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError):
        load_calibration(tmp_path)


def test_it_fits_its_own_models_only() -> None:
    assert CALIBRATION.fits("r", "e")
    assert not CALIBRATION.fits("other", "e")
    assert not CALIBRATION.fits("r", "other")


def test_confidence_is_the_logistic_of_bias_and_weighted_evidence() -> None:
    features = np.zeros(len(FEATURES))
    features[2] = 1.5

    assert CALIBRATION.confidence(features) == pytest.approx(1 / (1 + math.exp(1.0 - 3.0)))


@given(st.lists(st.floats(-12, 12), min_size=len(FEATURES), max_size=len(FEATURES)))
def test_confidence_is_a_probability_that_grows_with_evidence(values: list[float]) -> None:
    weaker, stronger = np.array(values), np.array(values) + 0.5

    assert 0 <= CALIBRATION.confidence(weaker) <= CALIBRATION.confidence(stronger) <= 1


@pytest.mark.parametrize(
    ("precision", "threshold"),
    [(0.0, 0.1), (0.6, 0.1), (0.61, 0.45), (0.9, 0.7), (0.91, 1.0), (1.0, 1.0)],
)
def test_the_threshold_is_the_smallest_that_reached_the_precision(
    precision: float, threshold: float
) -> None:
    assert CALIBRATION.threshold(precision) == threshold


@given(
    st.lists(st.floats(0, 1), max_size=5),
    st.lists(st.floats(0, 1), max_size=5),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_more_precision_never_needs_less_confidence(
    reached: list[float], needed: list[float], low: float, high: float
) -> None:
    pairs = tuple(zip(sorted(reached), sorted(needed), strict=False))
    calibration = replace(CALIBRATION, precisions=pairs)
    low, high = min(low, high), max(low, high)

    assert 0 <= calibration.threshold(low) <= calibration.threshold(high) <= 1


@pytest.mark.parametrize(
    ("precision", "threshold"),
    [(0.9, 0.8), (0.6, 0.8), (0.5, 0.4), (0.2, 0.3)],
    ids=["never", "not on average", "two bins", "in each file"],
)
def test_likely_answers_of_each_file_are_right_that_often_on_average(
    precision: float, threshold: float
) -> None:
    bins = ((0.8, 10, 9), (0.6, 10, 2), (0.4, 10, 9), (0.2, 10, 1), (0.0, 10, 0))
    other = ((0.8, 10, 9), (0.3, 10, 9), (0.0, 90, 1))

    calibration = replace(CALIBRATION, reliability=(bins, other))

    assert calibration.likely_threshold(precision, 0.8) == threshold
