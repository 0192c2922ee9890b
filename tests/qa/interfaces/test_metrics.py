"""Tests of the counters that Prometheus reads."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from index.errors import StoreBusy
from qa.interfaces.metrics import Metrics
from tests.support.team import Team, team_in

LABELS = {"door", "certainty", "stage", "le", "why", "state", "status", "outcome", "version"}
ANSWER = {
    "certainty": "sure",
    "confidence": 0.87,
    "passages_read": 5,
    "timings_ms": {"retrieve": 20.0, "read": 40.0, "decide": 1.0, "total": 61.0, "other": 1.0},
}


def samples(text: str) -> dict[tuple[str, ...], float]:
    """Return the values by name and labels."""
    return {
        (sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items()))): (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    with (
        pytest.MonkeyPatch.context() as patch,
        team_in(tmp_path_factory.mktemp("team"), patch) as made,
    ):
        yield made


def scraped(team: Team) -> dict[tuple[str, ...], float]:
    return samples(team.send("admin", "GET", "/metrics").text)


def test_answers_are_counted_by_door_certainty_stage_and_confidence() -> None:
    metrics = Metrics()
    metrics.answered("http", ANSWER)
    metrics.answered("http", ANSWER | {"certainty": "none", "confidence": 0.1})
    metrics.answered("mcp", ANSWER | {"passages_read": 0})
    found = samples(metrics.text().decode())

    assert found["quoted_answers_total", "certainty=sure", "door=http"] == 1
    assert found["quoted_answers_total", "certainty=none", "door=http"] == 1
    assert found["quoted_answers_total", "certainty=likely", "door=slack"] == 0
    assert found["quoted_answer_confidence_bucket", "le=0.1"] == 1
    assert found["quoted_answer_confidence_count",] == 2
    assert found["quoted_question_stage_seconds_sum", "stage=read"] == pytest.approx(0.12)
    assert not any("stage=other" in key for key in found)


def test_a_scrape_of_the_server_shows_what_it_did(team: Team) -> None:
    before = scraped(team)
    asked = team.send("reader", "POST", "/ask", json={"question": "How deep is the harbour?"})
    job = team.upload("writer", "buoy.txt", "The buoy is red.\n")
    after = scraped(team)

    answered = ("quoted_answers_total", f"certainty={asked.json()['certainty']}", "door=http")
    assert after[answered] == before[answered] + 1
    assert after["quoted_question_stage_seconds_count", "stage=wait"] == (
        before["quoted_question_stage_seconds_count", "stage=wait"] + 1
    )
    assert job["files"][0]["status"] == "added"
    assert after["quoted_upload_files", "status=added"] == 1
    assert after["quoted_index_documents",] == before["quoted_index_documents",] + 1 == 6
    assert after["quoted_index_generation",] > before["quoted_index_generation",]
    assert after["quoted_questions", "state=waiting"] == 0
    assert after["process_resident_memory_bytes",] > 0


def test_no_label_is_one_that_askers_choose(team: Team) -> None:
    team.send("admin", "POST", "/ask", json={"question": "Is zanzibar in a label?"})
    text = team.send("admin", "GET", "/metrics").text
    names = {name for key in samples(text) for name in (part.split("=")[0] for part in key[1:])}

    assert names <= LABELS
    assert "zanzibar" not in text
    assert len(samples(text)) < 250


def test_a_key_of_a_monitor_reads_the_counters_and_nothing_else(team: Team) -> None:
    codes = {
        role: team.send(role, "GET", "/metrics").status_code
        for role in ("nobody", "reader", "writer", "monitor", "admin")
    }
    refused = [
        team.send("monitor", "POST", "/ask", json={"question": "How deep?"}),
        team.send("monitor", "GET", "/documents"),
        team.send("monitor", "DELETE", "/documents/x"),
        team.send("monitor", "GET", "/audit"),
    ]

    assert codes == {"nobody": 401, "reader": 403, "writer": 403, "monitor": 200, "admin": 200}
    assert [each.status_code for each in refused] == [403] * 4


def test_a_scrape_takes_less_than_twenty_milliseconds_after_many_answers() -> None:
    metrics = Metrics()
    for number in range(100_000):
        metrics.answered("http", ANSWER | {"confidence": number % 100 / 100})
    best = min(_seconds(metrics) for _ in range(5))

    assert best < 0.02


def _seconds(metrics: Metrics) -> float:
    began = time.perf_counter()
    metrics.text()
    return time.perf_counter() - began


def test_a_busy_database_leaves_its_counter_out() -> None:
    def busy() -> Any:
        raise StoreBusy("busy")

    metrics = Metrics()
    metrics.count_uploads(busy)
    metrics.count_slack(lambda: 3)
    found = samples(metrics.text().decode())

    assert found["quoted_slack_unfinished_messages", "state=unfinished"] == 3
    assert not any(key[0] == "quoted_upload_files" for key in found)


def test_a_request_id_that_is_sent_comes_back(team: Team) -> None:
    client: TestClient = team.client

    def id_of(sent: str) -> str:
        headers = {"x-request-id": sent, "authorization": f"Bearer {team.keys['reader']}"}
        refused = client.post("/v1/chat/completions", json={"model": "x"}, headers=headers)
        assert refused.status_code == 400
        return refused.headers["x-request-id"]

    assert id_of("trace-1.a_B") == "trace-1.a_B"
    assert id_of("two words") != "two words"
    assert id_of("x" * 65) != "x" * 65
