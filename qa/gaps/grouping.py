"""Groups of questions that ask for much the same."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ALIKE = 0.55
"""Least mean cosine, above that of unrelated texts, of a question with those of its group.

Of 40 everyday questions in two wordings each, both wordings came together for 85%, and 3% of the
questions came to a group of another one (`python benchmarks/question_wordings.py`). At 0.6 it was
78% and none, at 0.5 95% and 3%, with looser groups on the questions of real collections.
"""


def alike_groups(
    vectors: NDArray[np.float32], *, cosine_floor: float = 0.0, least: float = ALIKE
) -> list[list[int]]:
    """Return groups of rows, each row with the group that it is most like on average.

    `vectors` are unit vectors (n, dimension), the most important first: a group begins with its
    most important row. `cosine_floor` is the mean cosine of unrelated texts. Rows that are like no
    group begin one.
    """
    likeness = (vectors @ vectors.T - cosine_floor) / (1 - cosine_floor)
    groups: list[list[int]] = []
    for row in range(len(vectors)):
        means = [float(likeness[row, group].mean()) for group in groups]
        best = int(np.argmax(means)) if means else 0
        if means and means[best] >= least:
            groups[best].append(row)
        else:
            groups.append([row])
    return groups
