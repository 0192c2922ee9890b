"""Tests of `qa watch` and `qa serve --watch` as processes, with real files.

A change in the folder is in the answers within two seconds.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from index.ingestion.debouncer import DEBOUNCE_SECONDS
from index.store.schema import FILE_NAME
from tests.support.serving import PATIENCE, Command, Server, eventually, write_files

pytestmark = pytest.mark.slow

PROMISED = 2.0
"""Seconds within which a change must be seen.

One of a few tries must keep it, because the machine may be busy with other tests.
"""
TRIES = 5
SLOW_TEXT = "The padlock of locker 777 is painted in every colour that the painter had left."
FILES = {
    f"{number}.txt": f"The padlock of locker {number} is painted grey." for number in range(20)
}


@contextmanager
def watching(
    command: Command, *arguments: str
) -> Iterator[tuple[subprocess.Popen[bytes], Callable[[], str]]]:
    """Run a real `qa watch`; yields the process and a function that returns its output."""
    command.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = command.data.parent / f"watch-{time.monotonic_ns()}.log"
    with path.open("wb") as log:
        process = subprocess.Popen(
            command.line("watch", *arguments), env=command.environment, stdout=log, stderr=log
        )
    try:
        yield process, path.read_text
    finally:
        process.terminate()
        process.wait(PATIENCE)


def colour(server: Server, number: int) -> str:
    """Return the cited sentences about a locker in the server's answer."""
    answer = server.client.post(
        "/ask", json={"question": f"In which colour is the padlock of locker {number} painted?"}
    ).json()
    return str(
        [
            each["sentence"]
            for each in answer.get("citations", [])
            if f"locker {number} " in each["sentence"]
        ]
    )


def uris(server: Server) -> set[str]:
    return {each["uri"] for each in server.client.get("/documents").json().get("documents", [])}


def stored(command: Command) -> int:
    """Return the number of stored documents, without the cost of a command."""
    with closing(sqlite3.connect(f"file:{command.data / FILE_NAME}?mode=ro", uri=True)) as db:
        [(count,)] = db.execute("SELECT count(*) FROM documents")
    return int(count)


@pytest.fixture
def sure(command: Command) -> Command:
    return command.on(command.data, QUOTED_MIN_CONFIDENCE="0")


@pytest.fixture(params=["serve --watch", "watch"])
def server(request: pytest.FixtureRequest, sure: Command, corpus: Path) -> Iterator[Server]:
    """Run a server over a folder that it, or another process, watches."""
    write_files(corpus, FILES)
    if request.param == "watch":
        with watching(sure, str(corpus)), Server(sure) as opened:
            eventually(lambda: len(uris(opened)) == len(FILES))
            yield opened
    else:
        with Server(sure, arguments=("--watch", str(corpus))) as opened:
            eventually(lambda: len(uris(opened)) == len(FILES))
            yield opened


def test_creating_changing_saving_moving_and_deleting_are_in_the_answers(
    server: Server, corpus: Path
) -> None:
    def create(number: int) -> Callable[[], bool]:
        (corpus / f"{number + 100}.txt").write_text(
            f"The padlock of locker {number + 100} is painted white."
        )
        return lambda: "white" in colour(server, number + 100)

    def change(number: int) -> Callable[[], bool]:
        (corpus / f"{number}.txt").write_text(f"The padlock of locker {number} is painted red.")
        return lambda: "red" in colour(server, number)

    def save(number: int) -> Callable[[], bool]:
        (corpus / ".saving").write_text(f"The padlock of locker {number} is painted blue.")
        (corpus / ".saving").replace(corpus / f"{number}.txt")
        return lambda: "blue" in colour(server, number)

    def move(number: int) -> Callable[[], bool]:
        (corpus / f"{number}.txt").rename(corpus / f"moved-{number}.txt")
        return lambda: (
            {f"moved-{number}.txt", f"{number}.txt"} & uris(server) == {f"moved-{number}.txt"}
        )

    def delete(number: int) -> Callable[[], bool]:
        (corpus / f"{number + 10}.txt").unlink()
        return lambda: (
            f"{number + 10}.txt" not in uris(server) and colour(server, number + 10) == "[]"
        )

    for act in (create, change, save, move, delete):
        delays = [eventually(act(0)), eventually(act(1))]
        while min(delays) >= PROMISED and len(delays) < TRIES:
            delays.append(eventually(act(len(delays))))
        assert min(delays) < PROMISED, act.__name__


def write_slowly(path: Path, server: Server) -> tuple[set[str], float]:
    """Write a file word by word; return what was served meanwhile, and the longest pause."""
    served: set[str] = set()
    longest, last = 0.0, time.monotonic()
    with path.open("w") as file:
        for word in SLOW_TEXT.split():
            file.write(f"{word} ")
            file.flush()
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
            served |= uris(server)
            time.sleep(0.15)
    return served, longest


def test_a_half_written_file_waits_until_it_is_whole(server: Server, corpus: Path) -> None:
    pauses: list[float] = []
    # Where the machine is so busy that a word comes late, the file was quiet meanwhile.
    while len(pauses) < TRIES and min(pauses, default=DEBOUNCE_SECONDS) >= DEBOUNCE_SECONDS:
        path = corpus / f"slow-{len(pauses)}.txt"
        served, longest = write_slowly(path, server)
        pauses.append(longest)
    assert min(pauses) < DEBOUNCE_SECONDS
    assert path.name not in served

    eventually(lambda: "painter had left" in colour(server, 777))
    assert "Traceback" not in server.log


def test_an_emptied_root_deletes_nothing_and_says_so_once(
    sure: Command, corpus: Path, tmp_path: Path
) -> None:
    write_files(corpus, FILES)
    with watching(sure, str(corpus)) as (_, said):
        eventually(lambda: said().count("added: ") == len(FILES))
        corpus.rename(tmp_path / "away")
        corpus.mkdir()
        eventually(lambda: "nothing was removed below corpus" in said())
        time.sleep(2)
        assert said().count("nothing was removed") == 1
        assert len(sure("list").stdout.splitlines()) == len(FILES)

        for path in list((tmp_path / "away").iterdir()):
            path.rename(corpus / path.name)
        (corpus / "back.txt").write_text("The folder is back.")
        eventually(lambda: "added: back.txt" in said())
        assert "removed: " not in said()


def test_a_burst_of_500_files_with_a_stop_in_the_middle_loses_none(
    sure: Command, corpus: Path
) -> None:
    write_files(corpus, {"0.txt": "Nought."})
    with watching(sure, str(corpus)) as (process, said):
        eventually(lambda: "added: 0.txt" in said())
        write_files(
            corpus,
            {
                f"{number}.txt": f"The code of vault {number} is v{number}."
                for number in range(1, 500)
            },
        )
        eventually(lambda: stored(sure) > 1)
        process.terminate()
        assert process.wait(PATIENCE) == 0
        assert "Traceback" not in said()
        stopped = len(sure("list").stdout.splitlines())
    assert stopped >= 2
    assert sure("doctor").returncode == 0

    with watching(sure, str(corpus)) as (_, said):
        eventually(lambda: stored(sure) == 500)
        assert len(sure("list").stdout.splitlines()) == 500
        assert said().count("added: ") <= 500 - stopped


def test_a_server_stops_cleanly_while_it_indexes(sure: Command, corpus: Path) -> None:
    rows = "The code of vault {} in row {} is known to nobody who has ever spoken of it."
    write_files(
        corpus,
        {
            f"{number}.txt": "\n\n".join(rows.format(number, row) for row in range(20))
            for number in range(400)
        },
    )
    with Server(sure, arguments=("--watch", str(corpus))) as server:
        eventually(lambda: "Watching" in server.log)
        time.sleep(2)
        began = time.monotonic()

        assert server.stop() == 0

        assert time.monotonic() - began < 10
        assert "Traceback" not in server.log
    assert sure("doctor").returncode == 0


def test_a_second_watcher_says_that_it_waits_and_indexing_goes_on_beside(
    sure: Command, corpus: Path, tmp_path: Path
) -> None:
    write_files(corpus, FILES)
    write_files(tmp_path / "other", {"other.txt": "Something else."})
    with watching(sure, str(corpus)) as (first, said):
        eventually(lambda: said().count("added: ") == len(FILES))
        with watching(sure, str(corpus)) as (_, second):
            eventually(lambda: "Another process watches into this index already" in second())
            assert sure("index", str(tmp_path / "other")).returncode == 0
            assert "other.txt" in sure("list").stdout

            first.send_signal(signal.SIGTERM)
            assert first.wait(PATIENCE) == 0
            (corpus / "late.txt").write_text("Taken over.")
            eventually(lambda: "added: late.txt" in second())
            assert "removed: " not in second()


def test_excludes_links_in_circles_and_a_bad_pattern(sure: Command, corpus: Path) -> None:
    write_files(
        corpus,
        {
            "a.txt": "One.",
            "draft.txt": "Two.",
            ".quotedignore": "secret.txt\n",
            "secret.txt": "Three.",
        },
    )
    (corpus / "around").symlink_to(corpus, target_is_directory=True)
    os.mkfifo(corpus / "pipe.txt")
    with watching(sure, str(corpus), "--exclude", "draft*") as (_, said):
        eventually(lambda: "added: a.txt" in said())
        (corpus / "b.txt").write_text("Four.")
        eventually(lambda: "added: b.txt" in said())
        assert "draft" not in said()
        assert "secret" not in said()
        assert said().count("pipe.txt") == 1

    done = sure("watch", str(corpus), "--exclude", "!")
    assert (done.returncode, done.stdout) == (1, "")
    assert "expected a pattern as in a .gitignore" in done.stderr


def test_saved_questions_are_asked_again_when_the_index_changes(
    sure: Command, corpus: Path
) -> None:
    write_files(corpus, FILES)
    question = "In which colour is the padlock of locker 7 painted?"
    assert sure("index", str(corpus)).returncode == 0
    assert sure("watchlist", "add", question).returncode == 0
    with watching(sure, str(corpus)) as (_, said):
        eventually(lambda: "Watching" in said())
        (corpus / "7.txt").write_text("The padlock of locker 7 is painted purple.")
        eventually(lambda: "│ purple" in said())
    assert "grey.”  " in said()
    assert "│ purple" in sure("history", question).stdout
    done = sure("watchlist", "check")
    assert (done.returncode, done.stdout) == (0, "")
    assert sure("history", "Who?").returncode == 1

    with Server(sure, arguments=("--watch", str(corpus))) as server:
        eventually(lambda: "Watching" in server.log)
        (corpus / "7.txt").write_text("The padlock of locker 7 is painted orange.")
        eventually(
            lambda: f"The answer to “{question}” was “purple” and is “orange”." in server.log
        )
        assert "Traceback" not in server.log


def test_what_appears_in_a_watched_folder_has_its_tag(sure: Command, corpus: Path) -> None:
    def tagged(server: Server) -> set[str]:
        return {
            each["uri"]
            for each in server.client.get("/documents", params={"tag": "sea"}).json()["documents"]
        }

    write_files(corpus, {"a.txt": "The first boat is red."})
    with Server(sure, arguments=("--watch", str(corpus), "--tag", "Sea")) as server:
        server.ready()
        eventually(lambda: tagged(server) == {"a.txt"})
        write_files(corpus, {"b.txt": "The second boat is blue."})
        eventually(lambda: tagged(server) == {"a.txt", "b.txt"})
    with watching(sure, str(corpus), "--tag", "lake") as (_, said):
        write_files(corpus, {"c.txt": "The third boat is white."})
        eventually(lambda: "added: c.txt" in said())
        assert "c.txt" in sure("list", "--in", "lake").stdout
    assert "--tag needs --watch" in sure("serve", "--tag", "sea").stderr
    assert "expected a tag" in sure("watch", str(corpus), "--tag", "a,b").stderr
