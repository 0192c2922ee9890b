"""SIGKILL at named moments of indexing, and what must be true afterwards.

    python -m tests.crashes [--moments 200] [--seed 0]

Each moment: a small folder is changed (files made, edited, deleted), a process that indexes it with `--prune` is killed there, and then

- the store opens, SQLite finds it whole, and no chunk, vector or term is left without its document;
- every document that was reported as indexed is there as it was reported, no removed one is, and what is searched is what is there;
- the next run finishes, after which the store holds the folder and nothing else.

Prints how often it was killed where.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import click

import index.database
import index.ingest
from index.dense import DenseIndex
from index.lexical import PostingsBM25
from index.outcomes import Outcome
from index.schema import FILE_NAME, MIGRATIONS, connect
from index.snapshot import Snapshot
from qa.bootstrap import index_paths
from qa.settings import Settings
from tests.serving import carded, settings_in

POINTS = ("parse", "embed", "commit", "derive", "rename", "migrate", "random")
HITS = {"parse": 12, "embed": 3, "commit": 24, "derive": 4, "rename": 4, "migrate": 14, "random": 1}
"""About how often a run passes each of them, before and after counted apart."""
OLDER = (
    "ALTER TABLE documents DROP COLUMN date",
    "ALTER TABLE documents DROP COLUMN extractor",
    "ALTER TABLE documents DROP COLUMN places",
    "DROP TABLE sightings",
    "DROP TABLE roots",
    "DROP TABLE tags",
    "DROP INDEX documents_by_sha256",
    "PRAGMA user_version = 1",
)
"""What makes a store one of the first version again."""
SECONDS = 0.6
"""Within which a random moment lies, from the start of the work."""


class Killer:
    """Ends this process when a point is passed for the n-th time."""

    def __init__(self, point: str, hits: int) -> None:
        self._point, self._left = point, hits

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


class Telling:
    """Reports each file on standard output, at once."""

    def planned(self, files: int) -> None:
        """Not told."""

    def embedded(self, passages: int) -> None:
        """Not told."""

    def finished(self, outcome: Outcome) -> None:
        """A line of JSON."""
        click.echo(json.dumps({"uri": outcome.uri, "status": outcome.status}))


def child(folder: Path, point: str, hits: int) -> None:
    """Index a folder, and be killed at a point."""
    killer = Killer(point, hits)

    class Connection(sqlite3.Connection):
        """Passes the points of statements."""

        def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
            word = statement.split(maxsplit=1)[0].upper() if statement.strip() else ""
            named = (
                "commit"
                if word == "COMMIT"
                else "migrate"
                if word in {"CREATE", "ALTER"} or "user_version =" in statement
                else None
            )
            return killer.around(named, super().execute)(statement, *values) if named else super().execute(statement, *values)

    plain = sqlite3.connect
    index.database.sqlite3.connect = lambda *given, **named: plain(*given, factory=Connection, **named)  # type: ignore[assignment]
    index.ingest.load = killer.around("parse", index.ingest.load)
    DenseIndex.build = killer.around("derive", DenseIndex.build)  # type: ignore[method-assign]
    PostingsBM25.build = killer.around("derive", PostingsBM25.build)  # type: ignore[method-assign]
    Path.replace = killer.around("rename", Path.replace)  # type: ignore[method-assign]
    encoder = carded()
    encoder.encode_passages = killer.around("embed", encoder.encode_passages)  # type: ignore[method-assign]
    if point == "random":
        threading.Timer(hits / 1000, lambda: os.kill(os.getpid(), signal.SIGKILL)).start()
    index_paths(_settings(folder), encoder, [folder / "corpus"], Telling(), prune=True, yes=True)


def _settings(folder: Path) -> Settings:
    return settings_in(folder)


@dataclass(frozen=True)
class Run:
    """What a child did: whether it was killed, and the last status of each file that it reported."""

    killed: bool
    reported: dict[str, str]


def run_child(folder: Path, point: str = "none", hits: int = 0) -> Run:
    """Index in a process of its own."""
    command = [sys.executable, "-m", "tests.crashes", "--child", str(folder), point, str(hits)]
    done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=120)
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.endswith("}")]
    return Run(done.returncode != 0, {row["uri"]: row["status"] for row in rows})


def change(corpus: Path, chance: random.Random) -> None:
    """Make, edit and delete some files."""
    corpus.mkdir(exist_ok=True)
    names = [f"{number}.md" for number in range(8)]
    for name in chance.sample(names, 4):
        path = corpus / name
        if path.exists() and chance.random() < 0.4:
            path.unlink()
        else:
            path.write_text(
                f"# Tide {name}\n\nThe tide turns at {chance.random()}.\n\n" + "It falls slowly. " * chance.randrange(40)
            )


def stored(folder: Path) -> dict[str, str]:
    """Uri -> sha256 of what the store holds, after everything that must be true of it was looked at."""
    with closing(connect(folder / "data")) as db:  # opened as the program does, which makes and migrates what was cut off
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        for query in (
            "SELECT count(*) FROM terms WHERE chunk_id NOT IN (SELECT id FROM chunks)",
            "SELECT count(*) FROM chunks WHERE document_id NOT IN (SELECT id FROM documents)",
            "SELECT count(*) FROM chunks WHERE vector_key NOT IN (SELECT key FROM vectors)",
        ):
            assert db.execute(query).fetchone() == (0,), query
    with closing(Snapshot(folder / "data", save_derived=False)) as snapshot:
        assert snapshot.dense.size == snapshot.size
        known = {info.id for info in snapshot.documents()}
        assert {snapshot.document_id(row) for row in range(snapshot.size)} <= known
        return {info.uri: info.sha256 for info in snapshot.documents()}


def moment(folder: Path, point: str, chance: random.Random) -> bool:
    """One moment; whether the process was killed there."""
    corpus = folder / "corpus"
    change(corpus, chance)
    if point == "migrate":
        run_child(folder)
        with closing(sqlite3.connect(folder / "data" / FILE_NAME)) as db:
            for statement in OLDER:
                db.execute(statement)
            db.commit()
        change(corpus, chance)
    hits = chance.randint(1, int(SECONDS * 1000)) if point == "random" else chance.randint(1, HITS[point])
    run = run_child(folder, point, hits)
    files = {path.name: sha256(path.read_bytes()).hexdigest() for path in corpus.iterdir()}
    if (folder / "data" / FILE_NAME).exists():
        found = stored(folder)
        for uri, status in run.reported.items():
            assert (found.get(uri) == files.get(uri)) if status != "removed" else uri not in found, (uri, status)
    run_child(folder)
    assert stored(folder) == files
    return run.killed


def crash(moments: int, seed: int, least: int, tell: Callable[[str], None] = lambda _: None) -> Counter[str]:
    """Kill at least `least` times at each point and `moments` times in all; how often it was where."""
    chance, killed = random.Random(seed), Counter[str]()
    folder = Path(tempfile.mkdtemp(prefix="crashes-"))
    try:
        while sum(killed.values()) < moments or any(killed[point] < least for point in POINTS):
            lacking = [point for point in POINTS if killed[point] < least]
            point = chance.choice(lacking) if lacking else "random"
            if chance.random() < 0.2:
                shutil.rmtree(folder / "data", ignore_errors=True)
            killed[point] += moment(folder, point, chance)
            tell(f"{sum(killed.values())} killed: {dict(killed)}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return killed


def main() -> None:
    """Kill, or be killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moments", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(Path(options.child[0]), options.child[1], int(options.child[2]))
        return
    began = time.monotonic()
    killed = crash(
        options.moments, options.seed, min(20, options.moments // len(POINTS)), lambda text: click.echo(f"\r{text}", nl=False)
    )
    click.echo(f"\nkilled {sum(killed.values())} times in {time.monotonic() - began:.0f} s, nothing lost")
    for point in POINTS:
        click.echo(f"{point:8}{killed[point]:>4}  {'#' * killed[point]}")


if __name__ == "__main__":
    assert len(MIGRATIONS) > 1
    main()
