"""The files of deploy/monitoring name what the server counts."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from qa.interfaces.api.question_queue import QuestionQueue
from qa.interfaces.metrics import Metrics

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "monitoring"
DASHBOARD = FOLDER / "grafana-dashboard.json"
ALERTS = FOLDER / "alerts.yml"


def counted() -> set[str]:
    """Return the names of all series of a server with uploads and Slack."""
    metrics = Metrics()
    metrics.watch(QuestionQueue())
    metrics.count_uploads(dict)
    metrics.count_slack(lambda: 0)
    metrics.slack_finished("answered")
    families = text_string_to_metric_families(metrics.text().decode())
    return {sample.name for family in families for sample in family.samples}


def queries() -> list[str]:
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    rules = yaml.safe_load(ALERTS.read_text("utf-8"))["groups"][0]["rules"]
    shown = [target["expr"] for panel in panels for target in panel["targets"]]
    return [*shown, *(rule["expr"] for rule in rules)]


def test_every_query_is_about_a_series_that_there_is() -> None:
    known = counted()
    asked = {name for query in queries() for name in re.findall(r"\b(?:quoted|process)_\w+", query)}

    assert asked - {"quoted"} <= known, asked - known
    # Everything that is counted is shown, but for what comes with the library.
    ours = {
        re.sub(r"_(bucket|count|sum)$", "", name) for name in known if not name.endswith("_created")
    }
    shown = {re.sub(r"_(bucket|count|sum)$", "", name) for name in asked}
    assert {name for name in ours - shown if name.startswith("quoted_")} == {"quoted_info"}


def test_panels_of_the_dashboard_do_not_overlap_and_have_ids_of_their_own() -> None:
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    places = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    assert len(set(places)) == len(places)
    assert max(x for x, _ in places) < 24
    assert len({panel["id"] for panel in panels}) == len(panels)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="Debian's package prometheus has it")
@pytest.mark.parametrize(
    "arguments", [("check", "rules", "alerts.yml"), ("test", "rules", "alerts_test.yml")]
)
def test_promtool_accepts_the_alerts(arguments: tuple[str, ...]) -> None:
    done = subprocess.run(
        ["promtool", *arguments], cwd=FOLDER, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
