"""Processes that are killed when they pass a point for the n-th time."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import index.store.sqlite
from index.store.schema import connect
from index.store.snapshot import SqliteSnapshot
from qa import doctor
from qa.answering.retrieval.source_freshness import FileHashes
from qa.bootstrap import load_pipeline
from qa.library.documents import has_index
from qa.settings import Settings
from qa.state.backup import finish_restore
from tests.support.fakes import SharedWordsReader
from tests.support.serving import carded, settings_in

SECONDS = 0.6
"""Longest time in seconds from the start of the work to a random moment."""
PATIENCE = 120
"""Seconds after which a process counts as hanging."""
_FRESH = multiprocessing.get_context("forkserver")
_FRESH.set_forkserver_preload(["tests.support.crash_desk", "tests.support.crash_watch"])


class Killer:
    """Killer of this process at the n-th pass of a point.

    With the point `random` it kills after n milliseconds.
    """

    def __init__(self, point: str, hits: int) -> None:
        self._point, self._left = point, hits
        if point == "random":
            threading.Timer(hits / 1000, lambda: os.kill(os.getpid(), signal.SIGKILL)).start()

    def passed(self, point: str) -> None:
        """Count a pass of a point, and kill the process at the last one."""
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def around(
        self,
        point: str,
        function: Callable[..., Any],
        when: Callable[..., object] = lambda *_, **__: True,
    ) -> Callable[..., Any]:
        """Return a function with the point before and after it.

        `when` gets the arguments of a call and returns a false value if it is not counted.
        """

        def wrapped(*arguments: Any, **named: Any) -> Any:
            counts = when(*arguments, **named)
            if counts:
                self.passed(point)
            result = function(*arguments, **named)
            if counts:
                self.passed(point)
            return result

        return wrapped

    def arm(
        self,
        point: str,
        owner: Any,
        *names: str,
        when: Callable[..., object] = lambda *_, **__: True,
    ) -> None:
        """Put the point around some functions of a module or a class."""
        for name in names:
            setattr(owner, name, self.around(point, getattr(owner, name), when))

    def arm_statements(self, named: Callable[[str], str | None]) -> None:
        """Put points around the statements of SQLite and around its backups.

        `named` returns the name of a statement's point, None if it has none.
        """
        killer = self

        class Connection(sqlite3.Connection):
            def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
                point = named(statement)
                return (
                    killer.around(point, super().execute)(statement, *values)
                    if point
                    else super().execute(statement, *values)
                )

            def backup(self, *given: Any, **options: Any) -> None:
                killer.around("restore", super().backup)(*given, **options)

        plain = sqlite3.connect
        index.store.sqlite.sqlite3.connect = lambda *given, **options: plain(
            *given, factory=Connection, **options
        )  # type: ignore[assignment]


class Running:
    """Work in a process of its own, which starts with all modules loaded and nothing done.

    `work` must be a function of a module.
    """

    def __init__(self, work: Callable[..., None], *arguments: Any) -> None:
        """Start the process."""
        self._folder = tempfile.TemporaryDirectory(prefix="crashes-")
        self._said, self._failed = (Path(self._folder.name) / name for name in ("said", "failed"))
        self._said.touch()
        self._failed.touch()
        self.process = _FRESH.Process(
            target=_told, args=(self._said, self._failed, work, arguments)
        )
        self.process.start()

    def said(self) -> list[str]:
        """Return the complete lines that the process has written so far."""
        return [
            line.removesuffix("\n")
            for line in self._said.read_text().splitlines(keepends=True)
            if line.endswith("\n")
        ]

    def ended(self) -> tuple[bool, list[str]]:
        """Wait for the end; return True if the process was killed, and its lines."""
        self.process.join(PATIENCE)
        with self._folder:
            assert self.process.exitcode in {0, -signal.SIGKILL}, self._failed.read_text()
            return self.process.exitcode != 0, self.said()


def _told(said: Path, failed: Path, work: Callable[..., None], arguments: Sequence[Any]) -> None:
    """Do the work with standard output and standard error in files."""
    for stream, path in ((sys.stdout, said), (sys.stderr, failed)):
        with path.open("w") as file:
            os.dup2(file.fileno(), stream.fileno())
    work(*arguments)


def run_killed(work: Callable[..., None], *arguments: Any) -> tuple[bool, list[str]]:
    """Run work to its end; return True if it was killed, and its complete lines."""
    return Running(work, *arguments).ended()


def settings_of(folder: Path) -> Settings:
    """Return settings with which any confidence suffices for an answer."""
    return settings_in(folder, min_confidence=0.0)


def examined(settings: Settings) -> dict[str, str]:
    """Return the texts by document id, after the checks of `qa doctor`.

    These are SQLite's own check, rows, vectors, index files and state.
    """
    # Every command does this first.
    finish_restore(settings.data)
    with closing(connect(settings.data)) as db:
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    for check in (doctor._index(settings), doctor._state(settings)):
        assert check.passed, check
    with closing(SqliteSnapshot(settings.data, save_derived=False)) as snapshot:
        assert snapshot.dense.size == snapshot.size
        return {info.id: snapshot.document(info.id).text for info in snapshot.documents()}


def quoted(settings: Settings, question: str) -> set[str]:
    """Return the uris that answer a question, alternatives included."""
    if not has_index(settings):
        return set()
    pipeline = load_pipeline(
        settings, carded(), SharedWordsReader(), save_derived=False, hashes=FileHashes()
    )
    with closing(pipeline.snapshot):
        answer = pipeline.ask(question)
    return {each.citation.uri for each in (*answer.spans, *answer.alternatives, *answer.conflicts)}
