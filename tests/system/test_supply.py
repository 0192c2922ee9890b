"""The lock file and the bill of materials hold what the package needs, with hashes."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def _locked() -> dict[str, str]:
    """Return the version of each locked package by its name, after checking that it has hashes."""
    entries = re.split(r"\n(?=\w)", (ROOT / "deploy" / "requirements.lock").read_text("utf-8"))
    versions = {}
    for entry in entries:
        found = re.match(r"([\w.-]+)==([^\s;]+)", entry)
        if found:
            assert "--hash=sha256:" in entry, found[1]
            versions[_normal(found[1])] = found[2]
    return versions


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["slack"]]
    names = {_normal(re.match(r"[\w.-]+", each)[0]) for each in wanted}  # type: ignore[index]

    assert names <= set(_locked())


def test_the_bill_of_materials_is_that_of_the_lock_file() -> None:
    bill = json.loads((ROOT / "deploy" / "sbom.cdx.json").read_text("utf-8"))

    assert {_normal(each["name"]): each["version"] for each in bill["components"]} == _locked()
    assert all(each["hashes"] for each in bill["components"])


def test_nothing_that_answers_needs_scikit_learn() -> None:
    users = [
        path.relative_to(ROOT).as_posix()
        for top in ("qa", "index")
        for path in (ROOT / top).rglob("*.py")
        if "sklearn" in path.read_text("utf-8")
    ]

    assert users == ["qa/evaluation/fitting.py"]
