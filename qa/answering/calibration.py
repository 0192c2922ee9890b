"""From evidence to the probability that an answer is right, and from a wanted precision to the
probability that must be reached.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.filesystem.disk_errors import replacing
from qa.answering.features import FEATURES
from qa.errors import CalibrationError

UNCALIBRATED_THRESHOLD = 0.5
"""The confidence needed where no calibration knows better."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic model fitted for one reader and one encoder, where `top_k` passages are read
    (Platt 1999, with several features).

    `weights` stand in the order of `FEATURES`; `passage_weight` is what a passage's retrieval score
    adds to its candidates'. `precisions` maps a precision to the smallest confidence whose answers
    reached it on the questions that it was fitted on, in ascending order.
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

    def confidence(self, features: NDArray[np.float64]) -> float:
        """The probability, in [0, 1], that an answer with this evidence, float64 (len(FEATURES),),
        is right.
        """
        return float(1 / (1 + np.exp(-(features @ np.array(self.weights) + self.bias))))

    def threshold(self, precision: float) -> float:
        """The confidence from which answers are right at least this often; of a precision that was
        never reached, above all.
        """
        return next(
            (confidence for reached, confidence in self.precisions if reached >= precision), 1.0
        )

    def fits(self, reader: str, encoder: str) -> bool:
        """Whether it belongs to these models."""
        return (self.reader, self.encoder) == (reader, encoder)

    def save(self, path: Path) -> None:
        """Write it as JSON, beside and renamed."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as beside:
            beside.write_text(
                json.dumps({"features": FEATURES, **asdict(self)}, indent=1) + "\n", "utf-8"
            )


def calibrated_at(path: Path) -> int:
    """When a calibration was written, in nanoseconds; 0 if there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def load_calibration(path: Path) -> Calibration | None:
    """What `Calibration.save` wrote; None if there is no such file. Raises CalibrationError."""
    try:
        fields = json.loads(path.read_text("utf-8"))
        if tuple(fields.pop("features")) != FEATURES:
            return None
        fields["weights"] = tuple(
            float(weight) for weight, _ in zip(fields["weights"], FEATURES, strict=True)
        )
        fields["bias"], fields["passage_weight"] = (
            float(fields["bias"]),
            float(fields["passage_weight"]),
        )
        fields["precisions"] = tuple(
            (float(precision), float(confidence)) for precision, confidence in fields["precisions"]
        )
        return Calibration(**fields)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CalibrationError(
            f"{path} is no calibration ({error!r}): delete it, or make it again with `qa calibrate FILE`"
        ) from error
