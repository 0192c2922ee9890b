"""Fixtures: a real `qa serve` over the seed documents, connected to a double of Slack."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.serving import Command, Server, copied
from tests.support.slack_asking import BASE
from tests.support.slack_double import SlackDouble

channels = (f"C{number}" for number in range(100, 1000))


@pytest.fixture(scope="module", name="double")
def slack_double() -> Iterator[SlackDouble]:
    with SlackDouble() as double:
        yield double
    assert double.faults == []


@pytest.fixture(scope="module", name="server")
def slack_server(
    double: SlackDouble, seeds_command: Command, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Yield a server with a state of its own and the default confidence."""
    data = copied(seeds_command.data, tmp_path_factory.mktemp("slack") / "data")
    settings = double.environment | {
        "QUOTED_PUBLIC_URL": BASE,
        "QUOTED_SLACK_RATE": "1000",
        "QUOTED_MIN_CONFIDENCE": "0.7",
    }
    with Server(seeds_command.on(data, **settings)) as server:
        yield server.ready()
        assert "Traceback" not in server.log


@pytest.fixture(name="channel")
def slack_channel() -> str:
    return next(channels)
