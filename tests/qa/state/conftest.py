"""A state whose clock is set by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from qa.state.database import State
from tests.support.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def state(tmp_path: Path, location: str, clock: Clock) -> Iterator[State]:
    opened = State(tmp_path, location, clock=clock)
    yield opened
    opened.close()
