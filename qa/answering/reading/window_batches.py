"""Plan of batches: which windows are read together, so that reading takes the shortest time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from index.models.openvino_graph import padded_length

RUN_TOKENS = 25
"""Tokens that take as long as it takes to begin a run of the graph.

19 shapes of batches took 5.6 ms of processor time and 0.364 ms a token (least squares), and some
3 ms more behind a run of another shape.
"""


def batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Yield rows by falling length, in the batches that are read in the shortest time.

    Rows of like length stand together, so that little is padded. A batch has at most `budget`
    padded tokens, or one row.
    """
    order = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    padded = [padded_length(lengths[row]) for row in order]
    borders = [len(order)]
    last_starts = _last_starts(padded, budget)
    while borders[-1] > 0:
        borders.append(last_starts[borders[-1]])
    for start, end in pairwise(reversed(borders)):
        yield order[start:end]


def _last_starts(padded: Sequence[int], budget: int) -> list[int]:
    """Return, for the first n rows read as fast as possible, the row that begins their last batch.

    `padded` are lengths in falling order. The result has an entry for each n from 0.
    """
    costs, starts = [0], [0]
    for end in range(1, len(padded) + 1):
        possible = [at for at in range(end) if at == end - 1 or (end - at) * padded[at] <= budget]
        # The first row of a batch is its longest.
        cost, start = min((costs[at] + (end - at) * padded[at] + RUN_TOKENS, at) for at in possible)
        costs.append(cost)
        starts.append(start)
    return starts
