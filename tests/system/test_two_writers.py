"""Tests of several processes that write at once.

All finish, nothing is lost, and a backup of that moment is complete.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.qa.interfaces.api.test_uploads import HARBOUR, ask, documents, form, results, uploaded
from tests.support.serving import PATIENCE, Command, Server, eventually, write_files

pytestmark = pytest.mark.slow


def started(command: Command, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command.line(*arguments),
        env=command.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> str:
    """Wait for a command, which must succeed, and return its output."""
    out, err = process.communicate(timeout=3 * PATIENCE)
    assert (process.returncode, "Traceback" in err) == (0, False), err
    return out


def texts(folder: Path, name: str, count: int) -> Path:
    """Make a folder of files."""
    write_files(
        folder / name,
        {
            f"{name}-{number}.txt": f"Buoy {number} of {name} lies in bay {number * 7}."
            for number in range(count)
        },
    )
    return folder / name


def test_indexing_uploading_removing_and_backing_up_at_once(
    command: Command, tmp_path: Path
) -> None:
    sure = command.on(command.data, QUOTED_MIN_CONFIDENCE="0")
    old, east, west = (
        texts(tmp_path, "old", 3),
        texts(tmp_path, "east", 15),
        texts(tmp_path, "west", 15),
    )
    assert sure("index", str(old)).returncode == 0
    with Server(sure) as server:
        server.ready()
        work = [
            started(sure, "index", str(east)),
            started(sure, "index", str(west)),
            started(sure, "index", str(east)),
        ]
        accepted = server.client.post("/documents", **form([("gate.txt", HARBOUR)]))
        work += [
            started(sure, "remove", "old-1.txt"),
            started(sure, "backup", str(tmp_path / "during.zip")),
        ]
        for process in work:
            ended(process)
        assert [each["status"] for each in results(server, accepted)] == ["added"]
        expected = {path.name for folder in (old, east, west) for path in folder.iterdir()} - {
            "old-1.txt"
        } | {"gate.txt"}
        eventually(lambda: {each["uri"] for each in documents(server).values()} == expected)

        there = sure.on(tmp_path / "there" / "data")
        assert there("restore", str(tmp_path / "during.zip")).returncode == 0
        assert there("doctor").returncode == 0, there("doctor").stdout
        restored = {line.split()[3] for line in there("list").stdout.splitlines()}
        assert restored <= expected | {"old-1.txt"}

        assert sure("restore", str(tmp_path / "during.zip"), "--yes").returncode == 0
        eventually(lambda: {each["uri"] for each in documents(server).values()} == restored)
        assert "Traceback" not in server.log
    assert sure("doctor").returncode == 0


def test_two_servers_take_uploads_and_one_answers_what_the_other_took(
    command: Command, tmp_path: Path
) -> None:
    sure = command.on(command.data, QUOTED_MIN_CONFIDENCE="0")
    sure.data.mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(sure.data)
    with Server(sure) as one, Server(sure.on(tmp_path / "link")) as other:
        assert (
            uploaded(other, [("bread.txt", "Bread rises for two hours.")])[0]["status"] == "added"
        )
        assert uploaded(one, [("gate.txt", HARBOUR)])[0]["status"] == "added"
        for server in (one, other):
            eventually(lambda server=server: len(documents(server)) == 2)
            assert ask(server)["answer"] == "seven"
        [gate] = [each["id"] for each in documents(one).values() if each["uri"] == "gate.txt"]
        assert other.client.delete(f"/documents/{gate}").status_code == 200
        eventually(lambda: len(documents(one)) == 1)
    checks = json.loads(sure("doctor", "--json").stdout)
    assert [each["wrong"] for each in checks] == [[]] * 5
