"""`qa index --ray` and `qa serve --ray`: what is refused, and which settings a node uses."""

from __future__ import annotations

import asyncio
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner

from index.errors import ClusterError, ModelError
from qa.errors import NotReady, SettingsError
from qa.interfaces import replicas
from qa.interfaces.cli import cli
from qa.interfaces.cluster import require_shared
from qa.interfaces.replicas import Sent, StartedWhenReady, settings_of_node
from qa.interfaces.service import Service
from qa.settings import Settings, SlackSettings


def _settings(tmp_path: Path, store: str = "") -> Settings:
    return Settings(
        tmp_path / "data",
        tmp_path / "cache",
        store=store,
        top_k=7,
        state="postgresql://of the driver/quoted",
        webhook_token="of the driver",  # noqa: S106 - no secret
        teams_secrets=(b"of the driver",),
        slack=SlackSettings(bot_token="of the driver"),  # noqa: S106 - no secret
    )


def test_a_cluster_needs_a_shared_store(tmp_path: Path) -> None:
    require_shared(_settings(tmp_path, "/shared"), "indexes", "--ray")

    with pytest.raises(SettingsError, match=r"--ray indexes a store .*: set QUOTED_STORE"):
        require_shared(_settings(tmp_path), "indexes", "--ray")


def test_secrets_do_not_travel_and_a_node_has_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = _settings(tmp_path, "/shared")
    sent = Sent.of(settings)
    assert b"of the driver" not in pickle.dumps(sent)
    with pytest.raises(SettingsError, match="QUOTED_STATE must be set"):
        settings_of_node(sent)
    monkeypatch.setenv("QUOTED_DATA", str(tmp_path / "of the node"))
    monkeypatch.setenv("QUOTED_CACHE", str(tmp_path / "cache of the node"))
    monkeypatch.setenv("QUOTED_WEBHOOK_TOKEN", "of the node")
    monkeypatch.setenv("QUOTED_TOP_K", "3")
    monkeypatch.setenv("QUOTED_STORE", "/of the node")
    monkeypatch.setenv("QUOTED_STATE", "postgresql://of-the-node/quoted")
    own = Settings.load({"QUOTED_DATA": "/unused"})

    assert settings_of_node(sent) == replace(
        settings,
        data=tmp_path / "of the node",
        cache=tmp_path / "cache of the node",
        state="postgresql://of-the-node/quoted",
        webhook_token="of the node",  # noqa: S106 - no secret
        teams_secrets=own.teams_secrets,
        slack=own.slack,
    )


@pytest.mark.parametrize("error", [None, ModelError("no model")])
def test_a_replica_has_started_when_its_models_are_loaded(
    monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    monkeypatch.setattr(replicas, "PAUSE_SECONDS", 0.0)
    events: list[str] = []

    class Loading:
        def live(self) -> None:
            events.append("asked")
            if len(events) < 4:
                raise NotReady
            if error:
                raise error

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": f"{scope['type']}.startup.complete"})

    async def send(message: Any) -> None:
        events.append(message["type"])

    service = cast("Service", Loading())
    started = StartedWhenReady(app, service)
    asyncio.run(started({"type": "http"}, cast("Any", None), send))
    asyncio.run(started({"type": "lifespan"}, cast("Any", None), send))

    assert events == ["http.startup.complete", *["asked"] * 3, "lifespan.startup.complete"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["serve", "--replicas", "2"], "--replicas needs --ray"),
        (["serve", "--ray", "h:1", "--watch", "."], "--watch and --only are for one server"),
        (["serve", "--ray", "h:1", "--replicas", "0"], "0 is not in the range"),
    ],
)
def test_options_that_do_not_go_together_are_wrong_usage(
    tmp_path: Path, arguments: list[str], reason: str
) -> None:
    done = CliRunner().invoke(cli, [*arguments, "--data", str(tmp_path)])

    assert done.exit_code == 2
    assert reason in done.output


@pytest.mark.parametrize("command", ["index", "serve"])
def test_errors_come_before_anything_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    paths = [str(tmp_path)] if command == "index" else []
    arguments = [command, *paths, "--ray", "nowhere", "--data", str(tmp_path / "data")]
    monkeypatch.delenv("QUOTED_STORE", raising=False)
    without_store = CliRunner().invoke(cli, arguments)
    monkeypatch.setenv("QUOTED_STORE", str(tmp_path / "store"))
    without_cluster = CliRunner().invoke(cli, arguments)

    assert isinstance(without_store.exception, SettingsError)
    assert isinstance(without_cluster.exception, ClusterError)
    assert not (tmp_path / "store").exists()
