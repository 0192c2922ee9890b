"""The settings file: TOML, whose keys are the settings' names in lower case.

`top_k = 8` is QUOTED_TOP_K, and `[slack] rate = 5` is QUOTED_SLACK_RATE. Values become the texts
that the environment would hold, so that both are checked by the same code.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from platformdirs import user_config_path

from qa.errors import SettingsError

FILE_VARIABLE = "QUOTED_CONFIG"
"""Variable that names the settings file; without it the usual place is looked at."""
FILE_NAME = "config.toml"
_GROUP = "slack"
"""Table of the settings of Slack, which have no QUOTED_ of their own in some names."""
_NAMES_ALIKE = 70.0
"""Least likeness, 0 to 100, of a known name that is suggested for an unknown one."""


@dataclass(frozen=True, slots=True)
class FileValue:
    """A value of the file as the environment would hold it, with its place."""

    text: str
    place: str


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """The values of a settings file by the variables that they stand for."""

    path: Path | None = None
    values: Mapping[str, FileValue] = field(default_factory=dict)


def key_of(variable: str) -> str:
    """Return the key of a variable in the file: `slack.rate` of QUOTED_SLACK_RATE."""
    name = variable.removeprefix("QUOTED_").lower()
    return f"{_GROUP}.{name.removeprefix('slack_')}" if name.startswith("slack_") else name


def nearest_name(name: str, known: Collection[str]) -> str | None:
    """Return the known name that is most like a mistyped one, None if none is like it."""
    from rapidfuzz import fuzz, process

    found = process.extractOne(name, sorted(known), scorer=fuzz.ratio, score_cutoff=_NAMES_ALIKE)
    return found[0] if found else None


def usual_place() -> Path:
    """Return where the file is looked for unless QUOTED_CONFIG names one."""
    return user_config_path("quoted-qa", appauthor=False) / FILE_NAME


def find_settings_file(environment: Mapping[str, str]) -> Path | None:
    """Return the settings file, None if there is none. Raises SettingsError if it was named."""
    named = environment.get(FILE_VARIABLE, "").strip()
    path = Path(named).expanduser() if named else usual_place()
    if path.is_file():
        return path
    if named:
        raise SettingsError(f"{FILE_VARIABLE}: there is no file {named!r}")
    return None


def read_settings_file(path: Path | None, variables: Collection[str]) -> SettingsFile:
    """Read a settings file; without a path it is empty.

    `variables` are those that it may set. Raises SettingsError, which names line and key.
    """
    if path is None:
        return SettingsFile()
    try:
        text = path.read_text("utf-8-sig")
        content = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: the settings cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: expected TOML: {error}") from error
    keys = {key_of(variable): variable for variable in variables}
    values = {}
    for key, value in _entries(content):
        place = f"{path}, line {_line_of(key, text)}: {key}"
        if key not in keys:
            near = nearest_name(key, keys)
            hint = f": did you mean {near}?" if near else ""
            raise SettingsError(f"{place}: there is no such setting{hint}")
        values[keys[key]] = FileValue(_text_of(value, place), place)
    return SettingsFile(path, values)


def _entries(content: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield (key, value) with the keys of the group after its name."""
    for key, value in content.items():
        if key == _GROUP and isinstance(value, dict):
            yield from ((f"{_GROUP}.{inner}", each) for inner, each in value.items())
        else:
            yield key, value


def _text_of(value: Any, place: str) -> str:  # noqa: ANN401 - any TOML
    """Return a value as the environment would hold it. Raises SettingsError."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ",".join(_name(each, place) for each in value)
    if isinstance(value, dict):
        return ";".join(f"{name}={_text_of(each, place)}" for name, each in value.items())
    raise SettingsError(f"{place}: expected a text, a number or a list of texts, got {value!r}")


def _name(text: str, place: str) -> str:
    if "," in text or ";" in text:
        raise SettingsError(f"{place}: expected one name in each text of the list, got {text!r}")
    return text


def _line_of(key: str, text: str) -> int:
    """Return the line of a key, counted from 1; that of its table if it has none of its own."""
    table, _, name = key.rpartition(".")
    current, line_of_table = "", 1
    for number, line in enumerate(text.splitlines(), 1):
        heading = re.match(r"\s*\[\s*([\w.\"'-]+)\s*\]", line)
        if heading:
            current = heading[1].strip("\"'")
            line_of_table = number if current == table else line_of_table
            continue
        assigned = re.match(r"\s*([\w.\"' -]+?)\s*=", line)
        full = re.sub(r"[\"' ]", "", assigned[1]) if assigned else ""
        if full in {key, table} - {""} and not current:
            return number
        if full == name and current.startswith(table) and bool(current) == bool(table):
            return number
    return line_of_table
