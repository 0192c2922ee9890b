"""SIGKILL in a process that watches a folder of changing files: see `tests.support.crashes`.

Files are made, changed, moved and deleted while it watches.
"""

from __future__ import annotations

import json
import random
import shutil
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import click

import index.ingestion.watcher
import index.store.store
from index.ingestion.debouncer import Debouncer
from index.ingestion.report import Outcome
from index.ingestion.watcher import WatchedPaths, Watcher
from index.store.document_moves import Moves
from index.store.schema import connect
from index.store.snapshot import SqliteSnapshot
from index.store.store import Store
from qa.interfaces import server
from qa.library.documents import has_index
from qa.library.index_follower import follow_sources
from qa.library.listener import Listener
from qa.settings import Settings
from qa.state.saved_questions import Difference
from tests.support.fakes import SharedWordsReader
from tests.support.killing import Killer, Running, examined, quoted, settings_of
from tests.support.restless import MOST_GONE, PAUSE, Restless
from tests.support.serving import carded, eventually

HITS = {"settle": 24, "move": 8, "gone": 8, "watch": 2500, "serve": 2500}
"""About how often a watcher passes each point: looks at waiting files, moves, removals.

The last two are the longest milliseconds to a random moment of `qa watch` and `qa serve --watch`.
"""
STEPS = 40
"""Changes of the folder, at most, until the watcher is killed."""
QUIET_SECONDS = PAUSE / 2
"""Debounce seconds, a fifth of the product's: some pauses are shorter, some longer."""
QUESTION = "When does the tide turn?"


class Telling(Listener):
    """Listener that prints each file with its indexed checksum at once."""

    def __init__(self, settings: Settings) -> None:
        self._db = connect(settings.data)

    def on_differences(self, differences: Sequence[Difference]) -> None:
        """Print nothing."""

    def on_message(self, text: str) -> None:
        """Print a line of JSON."""
        click.echo(json.dumps({"said": text}))

    def on_file(self, outcome: Outcome) -> None:
        """Print a line of JSON."""
        if outcome.status not in {"skipped", "kept"}:
            row = self._db.execute(
                "SELECT sha256 FROM documents WHERE uri = ?", (outcome.uri,)
            ).fetchone()
            click.echo(
                json.dumps({"uri": outcome.uri, "status": outcome.status, "sha256": row and row[0]})
            )


def child(folder: Path, point: str, hits: int) -> None:
    """Watch a folder, and be killed at a point or end with SIGTERM."""
    stopping = threading.Event()

    def leave(*_: object) -> None:
        stopping.set()
        sys.exit(0)

    signal.signal(signal.SIGTERM, leave)
    index.ingestion.watcher.DEBOUNCE_SECONDS = QUIET_SECONDS
    killer = Killer("random" if point in {"watch", "serve"} else point, hits)
    killer.arm("settle", Debouncer, "ready", when=lambda _, looks, __: looks)
    killer.arm("move", Store, "put", when=lambda *_, **named: named["moved_from"])
    killer.arm("move", Moves, "begin")
    killer.arm("gone", Watcher, "_delete")
    killer.arm("gone", Store, "remove", "_truncate_log")
    killer.arm("gone", index.store.store, "delete_index_files")
    settings, watched = settings_of(folder), WatchedPaths([folder / "corpus"])
    if point == "serve":
        _serve(settings, watched)
    follow_sources(settings, carded(), _nothing_saved, watched, Telling(settings), stopping)


def _nothing_saved() -> None:
    raise AssertionError("no question is saved")


def _serve(settings: Settings, watched: WatchedPaths) -> None:
    """Run all threads of a server, with small models, and ask questions all the time."""
    server.load_encoder, server.load_reader = (lambda _: carded()), (lambda _: SharedWordsReader())
    server._Log = lambda: Telling(settings)  # type: ignore[assignment, misc]
    service = server.ServerState(settings, watched)
    service.start()
    while True:
        time.sleep(0.02)
        if service._live and has_index(settings):
            with service.live().use() as pipeline:
                pipeline.ask(QUESTION)


def moment(folder: Path, point: str, chance: random.Random) -> bool:
    """Try one moment; return True if the process was killed there."""
    scene = Scene(folder, chance)
    killed, told = scene.watched(point, chance.randint(1, HITS[point]))
    scene.check(told)
    scene.followed()
    return killed


class Scene:
    """Folder whose files are changed while it is watched."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder, self.chance, self.settings = folder, chance, settings_of(folder)
        if chance.random() < 0.1:
            shutil.rmtree(self.settings.data, ignore_errors=True)
        self.corpus = Restless(folder / "corpus", chance, indexed=has_index(self.settings))

    def watched(self, point: str, hits: int) -> tuple[bool, list[str]]:
        """Change the folder while it is watched, until the watcher is killed or has seen enough."""
        running = Running(child, self.folder, point, hits)
        for _ in range(STEPS):
            if not running.process.is_alive():
                break
            self.corpus.step()
        else:
            running.process.terminate()
        return running.ended()

    def check(self, told: Sequence[str]) -> None:
        """Check that the index holds what was reported, or a later state of the file.

        Nothing else may be indexed, and a file that is gone may not answer.
        """
        if not has_index(self.settings):
            assert not [line for line in told if "uri" in json.loads(line)]
            return
        at = dict.fromkeys(self.corpus.had, 0)
        for row in map(json.loads, told):
            if "uri" in row:
                assert (row["sha256"] is None) == (row["status"] == "removed"), row
                later = at[row["uri"]] + (row["status"] != "unchanged")
                at[row["uri"]] = self.corpus.had[row["uri"]].index(row["sha256"], later)
        found, files = self.stored(), self.corpus.files()
        for name, since in at.items():
            assert found.get(name) in self.corpus.had[name][since:], (
                name,
                since,
                self.corpus.had[name],
                found.get(name),
            )
        for name in quoted(self.settings, QUESTION):
            assert name in files or found[name] in files.values(), name

    def followed(self) -> None:
        """Check that the next watcher, or run, brings the index up to date."""
        files = self.corpus.files()
        found = self.stored() if has_index(self.settings) else {}
        gone = [
            name
            for name, digest in found.items()
            if name not in files and digest not in files.values()
        ]
        if len(gone) <= MOST_GONE and self.chance.random() < 0.5:
            running = Running(child, self.folder, "none", 0)
            eventually(
                lambda: running.said() and has_index(self.settings) and self._indexed() == files
            )
            running.process.terminate()
            running.ended()
        else:
            from tests.support.crashes import run_child

            run_child(self.folder)
        assert self.stored() == files
        with closing(connect(self.settings.data)) as db:
            assert db.execute("SELECT 1 FROM meta WHERE key = 'moving'").fetchall() == []
        assert quoted(self.settings, QUESTION) <= files.keys()

    def stored(self) -> dict[str, str]:
        """Return the indexed sha256 by name, after the checks of `examined`."""
        examined(self.settings)
        return self._indexed()

    def _indexed(self) -> dict[str, str]:
        with closing(SqliteSnapshot(self.settings.data, save_derived=False)) as snapshot:
            found = [(info.uri, info.sha256) for info in snapshot.documents()]
        assert len(dict(found)) == len(found)
        return dict(found)
