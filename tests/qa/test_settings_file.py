"""The settings file, its precedence, its errors, and where each value in force comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from qa.errors import SettingsError
from qa.settings import VARIABLES, Settings, unknown_variables
from qa.settings_file import key_of
from qa.settings_origins import effective_settings

FILE = """\
data = "/srv/quoted"
top_k = 8
target_precision = 0.8
deterministic = true
allowed_hosts = ["qa.example.org", "intra"]

[slack]
rate = 5
tags = { C1 = ["harbour", "sea"], dm = "public" }
"""


def environment(folder: Path, text: str, **variables: str) -> dict[str, str]:
    file = folder / "config.toml"
    file.write_text(text, "utf-8")
    return {"QUOTED_CONFIG": str(file), **variables}


def test_the_file_sets_what_the_environment_does_not(tmp_path: Path) -> None:
    settings = Settings.load(environment(tmp_path, FILE, QUOTED_TOP_K="3"))

    assert settings.data == Path("/srv/quoted")
    assert (settings.top_k, settings.target_precision, settings.deterministic) == (3, 0.8, True)
    assert settings.allowed_hosts == ("qa.example.org", "intra")
    assert settings.slack.rate == 5
    assert settings.slack.tags == {"C1": ("harbour", "sea"), "dm": ("public",)}


def test_the_usual_place_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "quoted-qa").mkdir()
    (tmp_path / "quoted-qa" / "config.toml").write_text("top_k = 9", "utf-8")

    assert Settings.load({}).top_k == 9


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("top_k = 5\nkeep_day = 3\n", "line 2: keep_day: there is no such setting: .*keep_days"),
        ("\n[slack]\n# a comment\nrate = 0\n", "line 4: slack.rate: expected a whole number"),
        ("slack.rate = 0\n", "line 1: slack.rate: expected a whole number"),
        ("[slack]\nratte = 1\nrate = 2\n", "line 2: slack.ratte: .*did you mean slack.rate"),
        ('precision = "f16"', "line 1: precision: expected one of auto"),
        ("allowed_hosts = [1]", "line 1: allowed_hosts: expected a text, a number or a list"),
        ('allowed_hosts = ["a,b"]', "line 1: allowed_hosts: expected one name in each text"),
        ("top_k = = 1", r"expected TOML: .*line 1"),
        ("zzz = 1", "line 1: zzz: there is no such setting$"),
    ],
)
def test_errors_name_the_line_and_the_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Settings.load(environment(tmp_path, text))


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="QUOTED_CONFIG: there is no file"):
        Settings.load({"QUOTED_CONFIG": str(tmp_path / "none.toml")})


def test_unknown_variables_are_named_with_the_nearest_known_one() -> None:
    given = {"QUOTED_TOPK": "1", "QUOTED_ZEBRA_CROSSING": "1", "QUOTED_DATA": "x", "OTHER": "1"}

    assert unknown_variables(given) == {
        "QUOTED_TOPK": "QUOTED_TOP_K",
        "QUOTED_ZEBRA_CROSSING": None,
    }


def test_each_value_has_its_origin(tmp_path: Path) -> None:
    given = environment(tmp_path, FILE, QUOTED_TOP_K="3", SLACK_BOT_TOKEN="xoxb")  # noqa: S106
    of = {each.key: each for each in effective_settings(given, data=tmp_path)}

    assert (of["data"].value, of["data"].origin) == (str(tmp_path), "option")
    assert (of["top_k"].value, of["top_k"].origin) == ("3", "environment")
    assert (of["target_precision"].value, of["target_precision"].origin) == ("0.8", "file")
    assert of["target_precision"].place.endswith("config.toml, line 3: target_precision")
    assert (of["slack.tags"].value, of["slack.tags"].origin) == ("C1=harbour,sea;dm=public", "file")
    assert (of["slack.bot_token"].value, of["gaps"].origin) == ("(set)", "default")
    assert list(of) == [key_of(variable) for variable in VARIABLES]
