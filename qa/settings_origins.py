"""The settings in force, each with where its value comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any, Literal

from qa.settings import SECRETS, VARIABLES, Settings, settings_file
from qa.settings_file import SettingsFile, key_of

Origin = Literal["default", "file", "environment", "option"]


@dataclass(frozen=True, slots=True)
class EffectiveSetting:
    """A setting in force: `key` is its name in the file, `place` where it is set, "" by default.

    A secret that is set has the value "(set)".
    """

    variable: str
    key: str
    value: str
    origin: Origin
    place: str = ""


def effective_settings(
    environment: Mapping[str, str], *, data: Path | None = None
) -> list[EffectiveSetting]:
    """Return all settings in force. `data` is the option --data. Raises SettingsError."""
    file = settings_file(environment)
    settings = Settings.from_environment(environment, data=data, file=file)
    return [_effective(each, settings, environment, file, data) for each in VARIABLES]


def _effective(
    variable: str,
    settings: Settings,
    environment: Mapping[str, str],
    file: SettingsFile,
    data: Path | None,
) -> EffectiveSetting:
    key = key_of(variable)
    in_force = reduce(getattr, key.split("."), settings)
    is_hidden = variable in SECRETS and bool(in_force)
    value = "(set)" if is_hidden else _shown(in_force)
    if variable == "QUOTED_DATA" and data is not None:
        return EffectiveSetting(variable, key, value, "option", "--data")
    if environment.get(variable, "").strip():
        return EffectiveSetting(variable, key, value, "environment", variable)
    in_file = file.values.get(variable)
    if in_file and in_file.text.strip():
        return EffectiveSetting(variable, key, value, "file", in_file.place)
    return EffectiveSetting(variable, key, value, "default")


def _shown(value: Any) -> str:  # noqa: ANN401 - the value of any setting
    """Return a value as the environment would hold it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, Mapping):
        return ";".join(f"{name}={_shown(each)}" for name, each in value.items())
    return ",".join(value) if isinstance(value, tuple) else str(value)
