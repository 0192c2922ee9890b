"""Tests with a process that is killed at every named point of indexing.

Nothing that was reported is lost, nothing that was removed comes back, the next run finishes.
"""

from __future__ import annotations

import pytest

from tests.support.crashes import POINTS, crash


@pytest.mark.slow
def test_a_run_that_is_killed_anywhere_loses_nothing() -> None:
    killed = crash(moments=len(POINTS), seed=1, least=1)

    assert set(killed) >= set(POINTS)
