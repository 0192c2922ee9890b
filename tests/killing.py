"""Processes that are killed when they pass a point for the n-th time."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import index.database
from index.schema import connect
from index.snapshot import Snapshot
from qa import doctor
from qa.backup import finish
from qa.bootstrap import has_index, load_pipeline
from qa.freshness import Hashes
from qa.settings import Settings
from tests.fakes import SharedWordsReader
from tests.serving import carded, settings_in

SECONDS = 0.6
"""Within which a random moment lies, from the start of the work."""


class Killer:
    """Ends this process when a point is passed for the n-th time; `random`: after n milliseconds."""

    def __init__(self, point: str, hits: int) -> None:
        self._point, self._left = point, hits
        if point == "random":
            threading.Timer(hits / 1000, lambda: os.kill(os.getpid(), signal.SIGKILL)).start()

    def passed(self, point: str) -> None:
        """A point is passed."""
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def around(self, point: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function with the point before and behind it."""

        def wrapped(*arguments: Any, **named: Any) -> Any:
            self.passed(point)
            result = function(*arguments, **named)
            self.passed(point)
            return result

        return wrapped

    def arm(self, point: str, owner: Any, *names: str) -> None:
        """Put the point around some functions of a module or a class."""
        for name in names:
            setattr(owner, name, self.around(point, getattr(owner, name)))

    def arm_statements(self, named: Callable[[str], str | None]) -> None:
        """Put points around the statements of SQLite, of which `named` gives the name of the point, and around its backups."""
        killer = self

        class Connection(sqlite3.Connection):
            def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
                point = named(statement)
                return killer.around(point, super().execute)(statement, *values) if point else super().execute(statement, *values)

            def backup(self, *given: Any, **options: Any) -> None:
                killer.around("restore", super().backup)(*given, **options)

        plain = sqlite3.connect
        index.database.sqlite3.connect = lambda *given, **options: plain(*given, factory=Connection, **options)  # type: ignore[assignment]


def run_killed(*arguments: str) -> tuple[bool, list[str]]:
    """Run the child of `tests.crashes` to its end: whether it was killed, and the whole lines that it wrote."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.crashes", "--child", *arguments], capture_output=True, check=False, text=True, timeout=120
    )
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr
    return done.returncode != 0, [line.removesuffix("\n") for line in done.stdout.splitlines(keepends=True) if line.endswith("\n")]


def settings_of(folder: Path) -> Settings:
    """Settings that answer however unsure they are."""
    return settings_in(folder, min_confidence=0.0)


def examined(settings: Settings) -> dict[str, str]:
    """Document id -> text, after what `qa doctor` looks at was looked at: SQLite's own check, rows, vectors, derived files, state."""
    finish(settings.data)  # as every command does first
    with closing(connect(settings.data)) as db:
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    for check in (doctor._index(settings), doctor._state(settings)):
        assert check.passed, check
    with closing(Snapshot(settings.data, save_derived=False)) as snapshot:
        assert snapshot.dense.size == snapshot.size
        return {info.id: snapshot.document(info.id).text for info in snapshot.documents()}


def quoted(settings: Settings, question: str) -> set[str]:
    """The uris of what answers a question, alternatives included."""
    if not has_index(settings):
        return set()
    pipeline = load_pipeline(settings, carded(), SharedWordsReader(), save_derived=False, hashes=Hashes())
    with closing(pipeline.snapshot):
        answer = pipeline.ask(question)
    return {each.citation.uri for each in (*answer.spans, *answer.alternatives, *answer.conflicts)}
