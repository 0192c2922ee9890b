"""Named figures with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from qa.evaluation.selective_metrics import Floats, Interval, Statistic, interval, mean_interval

DIGITS = 4


@dataclass(frozen=True, slots=True)
class Figure:
    """A share in [0, 1] or a count.

    `interval` is the 95% bootstrap interval over questions, where there is one.
    """

    name: str
    value: float
    interval: Interval | None = None

    @property
    def text(self) -> str:
        """The value and its interval to three digits, or a whole number without digits."""
        if self.interval is None:
            return f"{self.value:g}" if self.value == int(self.value) else f"{self.value:.3f}"
        return f"{self.value:.3f}  ({self.interval.low:.3f} to {self.interval.high:.3f})"


def count(name: str, value: int) -> Figure:
    """Return a number of questions as a figure."""
    return Figure(name, float(value))


def mean(name: str, values: Sequence[float]) -> list[Figure]:
    """Return the mean of a value per question with its interval; empty for no questions."""
    if not values:
        return []
    numbers = np.array(values, dtype=np.float64)
    return [_rounded(name, float(numbers.mean()), mean_interval(numbers))]


def of_rows(name: str, statistic: Statistic, confidence: Floats, right: Floats) -> list[Figure]:
    """Return a figure of (confidence, right) rows with its interval; empty for no rows.

    Both arrays are (n,).
    """
    if not len(confidence):
        return []
    return [_rounded(name, statistic(confidence, right), interval(statistic, confidence, right))]


def values_of(figures: Iterable[Figure]) -> dict[str, float]:
    """Return value by name."""
    return {figure.name: figure.value for figure in figures}


def intervals_of(figures: Iterable[Figure]) -> dict[str, tuple[float, float]]:
    """Return the ends of the interval by name, for the figures that have one."""
    return {
        figure.name: (figure.interval.low, figure.interval.high)
        for figure in figures
        if figure.interval
    }


def _rounded(name: str, value: float, around: Interval) -> Figure:
    return Figure(
        name, round(value, DIGITS), Interval(round(around.low, DIGITS), round(around.high, DIGITS))
    )
