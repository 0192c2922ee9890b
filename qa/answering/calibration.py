"""Calibration: features -> probability, and target precision -> threshold."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.filesystem.disk_errors import replacing
from qa.answering.features import FEATURES
from qa.errors import CalibrationError

UNCALIBRATED_THRESHOLD = 0.5
"""Confidence that a sure answer must reach without a calibration."""
UNCALIBRATED_LIKELY = 0.25
"""Confidence that a likely answer must reach without a calibration."""

Bins = tuple[tuple[float, float, float], ...]
"""Bins of the answers to the questions of a file, the surest first: the smallest confidence, and
the numbers of answers and of right ones."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic model for one reader and one encoder (Platt 1999, with several features).

    It was fitted where `top_k` passages are read. `weights` stand in the order of `FEATURES`;
    `passage_weight` is the weight of a passage's retrieval score in its candidates' scores.
    `precisions` are pairs, ascending, of a precision and the smallest confidence whose answers
    reached it on the questions of each file that the model was fitted on. `reliability` are bins of
    these questions, file by file.
    """

    reader: str
    encoder: str
    top_k: int
    bias: float
    weights: tuple[float, ...]
    passage_weight: float
    precisions: tuple[tuple[float, float], ...]
    questions: int
    source: str
    reliability: tuple[Bins, ...] = ()

    def confidence(self, features: NDArray[np.float64]) -> float:
        """Return the probability, in [0, 1], that an answer is right.

        `features` is float64 (len(FEATURES),).
        """
        return float(1 / (1 + np.exp(-(features @ np.array(self.weights) + self.bias))))

    def threshold(self, precision: float) -> float:
        """Return the confidence from which answers are right at least that often.

        It is 1 for a precision that was never reached.
        """
        return next(
            (confidence for reached, confidence in self.precisions if reached >= precision), 1.0
        )

    def likely_threshold(self, precision: float, below: float) -> float:
        """Return the confidence from which answers less sure than `below` are right that often.

        That is on average, for the questions of each file, and by their confidence as well: some
        are right by luck. It is `below` if there is none.
        """
        thresholds = [_likely_threshold(bins, precision, below) for bins in self.reliability]
        return max(thresholds, default=below)

    def fits(self, reader: str, encoder: str) -> bool:
        """Return True if the calibration was fitted for models with these hashes."""
        return (self.reader, self.encoder) == (reader, encoder)

    def save(self, path: Path) -> None:
        """Write the calibration as JSON, replacing the file atomically."""
        path.parent.mkdir(parents=True, exist_ok=True)
        # The names of the features are stored: a file of other features must not be loaded.
        fields = {"features": FEATURES, **asdict(self)}
        with replacing(path) as beside:
            beside.write_text(json.dumps(fields, indent=1) + "\n", "utf-8")


def _likely_threshold(bins: Bins, precision: float, below: float) -> float:
    """Return the smallest confidence from which a file's answers are right often enough."""
    threshold = below
    answers = right = expected = 0.0
    for (largest, *_), (smallest, of_bin, right_of_bin) in pairwise(((1.0, 0.0, 0.0), *bins)):
        # A bin that reaches above `below` holds answers that are sure.
        if smallest >= below:
            continue
        answers += of_bin
        right += right_of_bin
        expected += of_bin * (smallest + largest) / 2
        if min(right, expected) >= precision * answers:
            threshold = smallest
    return threshold


def calibrated_at(path: Path) -> int:
    """Return the time a calibration was written, in nanoseconds; 0 if there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def load_calibration(path: Path) -> Calibration | None:
    """Return the calibration in a file that `Calibration.save` wrote.

    None if there is no such file, or if it was fitted with other features. Raises CalibrationError
    if the file cannot be read as a calibration.
    """
    try:
        fields = json.loads(path.read_text("utf-8"))
        return _calibration(fields) if tuple(fields.pop("features")) == FEATURES else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CalibrationError(
            f"{path} cannot be read as a calibration ({error!r}): delete it, or make it again with "
            "`qa calibrate FILE`"
        ) from error


def _by_file(reliability: list[Any]) -> list[Any]:
    """Return bins by file; they were of all files together before."""
    is_joint = bool(reliability) and not isinstance(reliability[0][0], list)
    return [reliability] if is_joint else reliability


def _bins(rows: list[list[float]]) -> Bins:
    return tuple((float(smallest), float(of_bin), float(right)) for smallest, of_bin, right in rows)


def _calibration(fields: dict[str, Any]) -> Calibration:
    """Return the calibration with these JSON fields, each converted to its type.

    Raises ValueError, TypeError or KeyError for a value of another type or a missing field.
    """
    weights = zip(fields["weights"], FEATURES, strict=True)
    converted = {
        "bias": float(fields["bias"]),
        "weights": tuple(float(weight) for weight, _ in weights),
        "passage_weight": float(fields["passage_weight"]),
        "precisions": tuple(
            (float(precision), float(confidence)) for precision, confidence in fields["precisions"]
        ),
        "reliability": tuple(map(_bins, _by_file(fields["reliability"]))),
    }
    return Calibration(**{**fields, **converted})
