"""Tests on a full disk.

Questions are answered, all other work reports the full disk, nothing is lost, and work goes on once
there is room.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from index.errors import StoreFull
from index.store.snapshot import SqliteSnapshot
from index.store.store import Store
from qa.state.database import State
from tests.qa.interfaces.api.test_ask import problem
from tests.qa.interfaces.api.test_uploads import HARBOUR, QUESTION, ask, form, uploaded
from tests.support.disks import disk, fill
from tests.support.serving import (
    Command,
    Server,
    carded,
    eventually,
    indexed,
    settings_in,
    write_files,
)

ROOM = [0, 30_000, 100_000]
"""Free bytes: too few for anything, for a transaction, for a batch of documents."""


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 4 MB."""
    with disk(tmp_path / "small", "4m"):
        yield tmp_path / "small"


@pytest.mark.parametrize("room", ROOM)
def test_a_store_on_a_full_disk_is_read_and_stays_whole(small: Path, room: int) -> None:
    settings = settings_in(small)
    indexed(settings, carded(), small / "corpus", {"gate.txt": HARBOUR})
    write_files(
        small / "corpus",
        {f"{number}.txt": f"Buoy {number} lies in the bay. " * 200 for number in range(12)},
    )
    fill(small / "ballast", room)
    with pytest.raises(StoreFull, match="make room and try again; nothing is lost"):
        indexed(settings, carded(), small / "corpus", {})
    with closing(SqliteSnapshot(settings.data)) as snapshot:
        assert "gate.txt" in {info.uri for info in snapshot.documents()}
        assert snapshot.dense.size == snapshot.size
    assert not list((settings.data / "derived").glob(".writing-*"))
    (small / "ballast").unlink()

    assert indexed(settings, carded(), small / "corpus", {}).count("added", "unchanged") == 13
    with closing(SqliteSnapshot(settings.data)) as snapshot:
        assert snapshot.document_count == 13


def test_a_state_that_cannot_be_made_is_called_full(small: Path) -> None:
    (small / "data").mkdir()
    fill(small / "ballast")
    for _ in range(2):
        with pytest.raises(StoreFull):
            State(small / "data")
    with pytest.raises(StoreFull):
        Store(small / "data")


@pytest.mark.slow
@pytest.mark.parametrize("room", ROOM[:2])
def test_the_commands_on_a_full_disk(
    converted: Path, corpus: Path, small: Path, tmp_path: Path, room: int
) -> None:
    command = Command(small / "data", converted, {"QUOTED_MIN_CONFIDENCE": "0"})
    write_files(corpus, {"gate.txt": HARBOUR})
    assert command("index", str(corpus)).returncode == 0
    assert command("backup", str(tmp_path / "b.zip")).returncode == 0
    write_files(
        corpus, {f"{number}.txt": f"Buoy {number} lies in the bay. " * 300 for number in range(3)}
    )
    fill(small / "ballast", room)

    for arguments in (
        ["index", str(corpus)],
        ["chat"],
        ["backup", str(small / "c.zip")],
        ["restore", str(tmp_path / "b.zip"), "--yes"],
    ):
        done = command(*arguments, stdin=QUESTION.encode())
        assert (done.returncode, "Traceback" in done.stderr) == (1, False), (arguments, done.stderr)
        assert "disk is full" in done.stderr or "disk has no room" in done.stderr
        assert "make room" in done.stderr
    answered = command("ask", QUESTION, "--json")
    assert json.loads(answered.stdout)["answer"] == "seven", answered.stderr
    assert command("list").stdout.count("gate.txt") == 1
    (small / "ballast").unlink()

    assert command("index", str(corpus)).stdout == "Indexed: 3 added, 1 unchanged.\n"
    assert command("restore", str(tmp_path / "b.zip"), "--yes").returncode == 0
    assert len(command("list").stdout.splitlines()) == 1
    checks = {each["check"]: each for each in json.loads(command("doctor", "--json").stdout)}
    assert [checks[name]["wrong"] for name in ("models", "index", "state")] == [[], [], []]


@pytest.mark.slow
def test_a_server_on_a_full_disk(converted: Path, small: Path) -> None:
    with Server(Command(small / "data", converted, {"QUOTED_MIN_CONFIDENCE": "0"})) as server:
        assert uploaded_at_last(server)
        conversation = server.client.post("/conversations").json()["id"]
        fill(small / "ballast")
        assert ask(server)["answer"] == "seven"
        answered = server.client.post(
            "/ask", json={"question": QUESTION, "conversation_id": conversation}
        )
        assert "make room" in problem(answered, 507)["detail"]
        (small / "ballast").unlink()
        assert ask(server, conversation_id=conversation)["answer"] == "seven"
        assert "Traceback" not in server.log


def uploaded_at_last(server: Server) -> bool:
    """Upload the only document once the server is up."""
    return uploaded(server, [("gate.txt", HARBOUR)])[0]["status"] == "added"


@pytest.mark.slow
def test_a_model_that_finds_no_room_is_said(command: Command, corpus: Path, small: Path) -> None:
    write_files(corpus, {"gate.txt": HARBOUR})

    done = Command(command.data, small / "cache")("index", str(corpus))

    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
    assert "the converted model cannot be kept" in done.stderr
    assert "make room" in done.stderr
    assert not list((small / "cache" / "graphs").iterdir())


@pytest.mark.slow
def test_a_server_that_began_on_a_full_disk_takes_up_everything_once_there_is_room(
    converted: Path, tmp_path: Path
) -> None:
    small, notes = tmp_path / "wide", tmp_path / "notes"
    write_files(notes, {"gate.txt": HARBOUR})
    with disk(small, "8m"):
        command = Command(small / "data", converted)
        assert command("index", str(notes)).returncode == 0
        (small / "data-serve.log").symlink_to(tmp_path / "serve.log")
        fill(small / "ballast")
        with Server(command, arguments=["--watch", str(notes)]) as server:
            server.ready()
            for response in (
                server.client.get("/jobs/unknown"),
                server.client.post("/documents", **form([("a.txt", "x")])),
            ):
                problem(response, 507)
            eventually(
                lambda: (
                    "Uploaded files wait" in server.log and "Nothing is watched now" in server.log
                )
            )
            (small / "ballast").unlink()

            assert uploaded(server, [("bread.txt", "Bread rises.")])[0]["status"] == "added"
            write_files(notes, {"tide.txt": "The tide turns at noon."})
            eventually(lambda: len(server.client.get("/documents").json()["documents"]) == 3)
            assert (
                server.log.count("Uploaded files wait")
                == server.log.count("Nothing is watched now")
                == 1
            )
