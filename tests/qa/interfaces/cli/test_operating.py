"""`qa gaps`, `qa self-test` and `qa config show` as commands, with fake models."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from qa import bootstrap
from qa.interfaces.cli import cli
from qa.settings import Settings
from qa.state.database import State
from qa.state.gap_records import GapRecords
from tests.support.fakes import SharedWordsReader
from tests.support.serving import carded, indexed

OPERATIONS = Path(__file__).parents[4] / "docs" / "operations.md"
FILES = {
    "pump.md": "# Pump\n\nThe filter of the bilge pump is changed every 30 days.\n",
    "prices.md": "# Prices\n\n| Part | Price |\n|---|---|\n| Seal | 12 |\n| Impeller | 90 |\n",
}


class Qa:
    """The command with a data directory and fake models."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(data=folder / "data", cache=folder / "cache")
        indexed(self.settings, carded("all-MiniLM-L6-v2"), folder / "docs", FILES)

    def __call__(self, *arguments: str, **environment: str) -> Result:
        return CliRunner().invoke(
            cli, [*arguments, "--data", str(self.settings.data)], env=environment
        )


@pytest.fixture
def qa(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Qa:
    monkeypatch.setattr(bootstrap, "load_encoder", lambda *_, **__: carded("all-MiniLM-L6-v2"))
    monkeypatch.setattr(bootstrap, "load_reader", lambda *_, **__: SharedWordsReader())
    monkeypatch.setenv("QUOTED_MIN_CONFIDENCE", "0.6")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    return Qa(tmp_path)


def test_a_refused_question_becomes_a_gap_where_that_is_wanted(qa: Qa) -> None:
    question = "When does the tide turn at Porto?"

    assert qa("ask", question).exit_code == 3
    assert "No question was asked in vain" in qa("gaps").stdout
    assert qa("ask", question, QUOTED_GAPS="all").exit_code == 3
    shown = qa("gaps")
    [gap] = json.loads(qa("gaps", "--json").stdout)["gaps"]
    [row] = csv.DictReader(io.StringIO(qa("gaps", "--csv").stdout))
    off = qa("gaps", QUOTED_GAPS="off")

    assert question in shown.stdout
    assert "asked once" in shown.stdout
    assert (gap["question"], gap["outcome"]) == (question, "refused")
    assert row["question"] == question
    assert off.exit_code == 1
    assert "QUOTED_GAPS" in str(off.exception)
    assert qa("gaps", "--csv", "--json").exit_code == 2


def test_the_upgrade_guide_can_be_followed(
    qa: Qa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    guide = OPERATIONS.read_text("utf-8").partition("## Upgrade")[2]
    commands = re.findall(r"`qa ((?:backup|self-test|restore) [^`>]+)", guide)
    done = {command.split()[0]: qa(*command.split()) for command in commands}

    assert [command.split()[0] for command in commands] == ["backup", "self-test", "restore"]
    assert done["backup"].exit_code == done["restore"].exit_code == 0, done
    assert json.loads(done["self-test"].stdout)["asked"] > 0
    assert qa("ask", "When is the filter of the bilge pump changed?").exit_code == 0


def test_forgetting_everything_forgets_the_gaps(qa: Qa) -> None:
    qa("ask", "When does the tide turn at Porto?", QUOTED_GAPS="all")
    assert qa("forget", "--all").exit_code == 0

    assert GapRecords(State(qa.settings.data), "all").newest() == []


def test_the_self_test_prints_figures_and_is_a_gate(qa: Qa, tmp_path: Path) -> None:
    page = tmp_path / "self-test.html"

    done = qa("self-test", "--questions", "8", "--html", str(page))
    printed = json.loads(qa("self-test", "--questions", "8", "--json").stdout)
    missed = qa("self-test", "--questions", "8", "--min-right", "1", "--min-refused", "1")

    assert done.exit_code == 0, done.output
    assert "retrieved" in done.stdout
    assert page.read_text("utf-8").startswith("<!doctype html>")
    assert printed["asked"] == printed["planned"] > 2
    assert set(printed["figures"]) >= {"retrieved", "answered", "refused"}
    is_below = any(printed["figures"][name]["value"] < 1 for name in ("right", "refused"))
    assert missed.exit_code == (6 if is_below else 0)


def test_the_settings_are_shown_with_their_origin(qa: Qa) -> None:
    shown = qa("config", "show", QUOTED_TOP_K="7", QUOTED_TOPK="7", QUOTED_WEBHOOK_TOKEN="hush")  # noqa: S106
    printed = json.loads(qa("config", "show", "--json", QUOTED_TOP_K="7").stdout)

    assert "did you mean QUOTED_TOP_K?" in shown.stderr
    assert "hush" not in shown.output
    assert "environment: QUOTED_TOP_K" in shown.stdout
    [top_k] = [each for each in printed["settings"] if each["key"] == "top_k"]
    assert top_k == {
        "variable": "QUOTED_TOP_K",
        "key": "top_k",
        "value": "7",
        "origin": "environment",
        "place": "QUOTED_TOP_K",
    }
