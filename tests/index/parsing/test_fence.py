"""Tests of the fence around the parser process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from index.formats.detection import Kind
from index.parsing.fence import put_up
from index.parsing.sandbox import Extraction

TRY = """
import json, os, socket, subprocess, sys, tempfile
from index.parsing.fence import put_up
secret, own, scratch = sys.argv[1:]
tempfile.tempdir = scratch
held = put_up([own])
def tried(work):
    try:
        work()
    except OSError as error:
        return type(error).__name__
    return "done"
print(json.dumps({
    "held": held,
    "read": tried(lambda: open(secret).read()),
    "own": tried(lambda: open(own).read()),
    "write": tried(lambda: open(secret, "w")),
    "append": tried(lambda: open(own, "a")),
    "scratch": tried(lambda: open(scratch + "/x", "w").write("x")),
    "list": tried(lambda: os.listdir(os.path.dirname(secret))),
    "link": tried(lambda: os.symlink(secret, scratch + "/link") or open(scratch + "/link").read()),
    "connect": tried(lambda: socket.socket()),
    "local": tried(lambda: socket.socket(socket.AF_UNIX)),
    "null": tried(lambda: open("/dev/null", "w").write("x")),
    "child": subprocess.run(["cat", secret], capture_output=True).returncode,
    "random": len(os.urandom(4)),
}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Landlock and seccomp are Linux's")
def test_a_fenced_process_reads_its_own_files_and_reaches_nobody(tmp_path: Path) -> None:
    secret, own, scratch = tmp_path / "data" / "s", tmp_path / "own", tmp_path / "scratch"
    for folder in (secret.parent, scratch):
        folder.mkdir()
    secret.write_text("secret")
    own.write_text("own")
    done = subprocess.run(
        [sys.executable, "-c", TRY, str(secret), str(own), str(scratch)],
        capture_output=True,
        check=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    result = json.loads(done.stdout)

    if "network" in result["held"]:
        assert (result["connect"], result["local"]) == ("PermissionError", "PermissionError")
    if "files" in result["held"]:
        assert result["read"] == result["write"] == result["list"] == "PermissionError"
        assert result["append"] == result["link"] == "PermissionError"
        assert result["child"] != 0
    assert (result["own"], result["scratch"], result["null"]) == ("done", "done", "done")
    assert result["random"] == 4


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_the_parser_has_no_secret_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLACK_BOT_TOKEN", "QUOTED_WEBHOOK_TOKEN", "AWS_SECRET_ACCESS_KEY", "HOME"):
        monkeypatch.setenv(name, f"secret of {name}")
    with Extraction() as extraction:
        extraction(Kind("html", "html/1"), b"<p>The gate opens at seven.</p>")
        assert extraction.process_id
        environment = Path(f"/proc/{extraction.process_id}/environ").read_bytes()

    assert b"secret" not in environment
    assert b"PYTHONPATH" in environment


def test_other_systems_have_no_fence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")

    assert put_up() == ()
