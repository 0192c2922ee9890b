"""SIGKILL at named moments, and what must be true afterwards.

    python -m tests.support.crashes [--moments 200] [--seed 0]

Each moment: a small folder is changed (files made, edited, deleted), a process that indexes it with
`--prune` is killed there, and then

- `qa doctor` finds nothing wrong with index, derived files and state;
- every document that was reported as indexed is there as it was reported, no removed one is, what
  is searched is what is there, and whose file is gone does not answer;
- the next run finishes, after which the store holds the folder and nothing else.

`tests.support.crash_desk` does the same with uploads, replacements, removals, backups and restores,
`tests.support.crash_watch` with a watcher while files are made, changed, moved and deleted. Prints
how often it was killed where.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import click

import index.backend
import index.ingestion.ingest
import index.store.derivation
import index.store.store
from index.ingestion.report import Outcome, Reporter
from index.search import index_cache
from index.search.index_cache import IndexCache
from index.store.schema import FILE_NAME, MIGRATIONS
from index.store.snapshot import SqliteSnapshot
from qa.library.documents import index_paths
from tests.support.crash_desk import HITS as DESK
from tests.support.crash_desk import moment as desk_moment
from tests.support.crash_watch import HITS as WATCH
from tests.support.crash_watch import moment as watch_moment
from tests.support.killing import SECONDS, Killer, examined, quoted, run_killed, settings_of
from tests.support.older import SINGLE_VECTORS, with_single
from tests.support.serving import carded

POINTS = (
    *("parse", "embed", "commit", "derive", "base", "delta", "compact", "rename", "migrate"),
    *DESK,
    *WATCH,
    "random",
)
HITS = {
    "parse": 12,
    "embed": 3,
    "commit": 24,
    "derive": 4,
    "base": 6,
    "delta": 2,
    "compact": 4,
    "rename": 2,
    "migrate": 21,
    "random": 1,
}
"""About how often a run passes each point; before and after a call count apart."""
OLDER = (
    "ALTER TABLE documents DROP COLUMN date",
    "ALTER TABLE chunks DROP COLUMN columns",
    "ALTER TABLE documents DROP COLUMN extractor",
    "DROP TABLE digests",
    "DROP TABLE sightings",
    "DROP TABLE roots",
    "DROP TABLE tags",
    "DROP INDEX documents_by_sha256",
    "DROP INDEX documents_by_uri",
    *SINGLE_VECTORS,
    "ALTER TABLE documents DROP COLUMN places",
    "DROP TABLE structures",
    "DROP TABLE version_traits",
    "DROP TABLE document_versions",
    "DROP TABLE superseded_sections",
    "DROP TABLE extraction_reports",
    "DROP TABLE unclaimed_vectors",
    "DROP TABLE removed_chunks",
    "ALTER TABLE documents DROP COLUMN date_source",
    "PRAGMA user_version = 1",
)
"""Statements that turn a store back into one of the first version."""


class Telling(Reporter):
    """Reporter that prints each file at once."""

    def on_file(self, outcome: Outcome) -> None:
        """Print a line of JSON."""
        click.echo(json.dumps({"uri": outcome.uri, "status": outcome.status}))


def child(folder: Path, point: str, hits: int) -> None:
    """Index a folder, and be killed at a point."""
    killer = Killer(point, hits)
    killer.arm_statements(_point)
    killer.arm("parse", index.ingestion.ingest, "parse")
    # Small stores are derived anew each time; here the changes are a delta as in large ones.
    index_cache.SMALL, index_cache.SHARE = 0, 0.4
    killer.arm("derive", index.backend, "derive")
    killer.arm("derive", index.store.store, "derive")
    killer.arm("base", index_cache, "build_segment", "write_segment")
    killer.arm("delta", IndexCache, "_delta")
    killer.arm("compact", IndexCache, "compact")
    killer.arm("compact", index.store.derivation, "forget_removals")
    killer.arm("rename", Path, "replace")
    encoder = carded()
    killer.arm("embed", encoder, "encode_passages")
    index_paths(settings_of(folder), encoder, [folder / "corpus"], Telling(), prune=True, yes=True)


def _point(statement: str) -> str | None:
    """Return the name of a statement's point, None if it has none."""
    word = statement.split(maxsplit=1)[0].upper() if statement.strip() else ""
    if word == "COMMIT":
        return "commit"
    return "migrate" if word in {"CREATE", "ALTER"} or "user_version =" in statement else None


@dataclass(frozen=True)
class Run:
    """Result of a child process: the last reported status of each file, by uri."""

    killed: bool
    reported: dict[str, str]


def run_child(folder: Path, point: str = "none", hits: int = 0) -> Run:
    """Index in a process of its own."""
    killed, lines = run_killed(child, folder, point, hits)
    rows = [json.loads(line) for line in lines]
    return Run(killed, {row["uri"]: row["status"] for row in rows})


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
                f"# Tide {name}\n\nThe tide turns at {chance.random()}.\n\n"
                + "It falls slowly. " * chance.randrange(40)
            )


def stored(folder: Path) -> dict[str, str]:
    """Return the stored sha256 by uri, after the checks of `examined`."""
    settings = settings_of(folder)
    found = examined(settings)
    with closing(SqliteSnapshot(settings.data, save_derived=False)) as snapshot:
        assert {*snapshot.documents_of(snapshot.rows.tolist())} <= found.keys()
        return {info.uri: info.sha256 for info in snapshot.documents()}


def moment(folder: Path, point: str, chance: random.Random) -> bool:
    """Try one moment; return True if the process was killed there."""
    corpus = folder / "corpus"
    change(corpus, chance)
    if point == "migrate":
        run_child(folder)
        with closing(sqlite3.connect(folder / "data" / FILE_NAME)) as db:
            with_single(db)
            for statement in OLDER:
                db.execute(statement)
            db.commit()
        change(corpus, chance)
    hits = (
        chance.randint(1, int(SECONDS * 1000))
        if point == "random"
        else chance.randint(1, HITS[point])
    )
    run = run_child(folder, point, hits)
    files = {path.name: sha256(path.read_bytes()).hexdigest() for path in corpus.iterdir()}
    if (folder / "data" / FILE_NAME).exists():
        found = stored(folder)
        # A document whose file is gone does not answer.
        assert quoted(settings_of(folder), "When does the tide turn?") <= files.keys()
        for uri, status in run.reported.items():
            assert (
                (found.get(uri) == files.get(uri)) if status != "removed" else uri not in found
            ), (uri, status)
    run_child(folder)
    assert stored(folder) == files
    return run.killed


def crash(
    moments: int, seed: int, least: int, tell: Callable[[str], None] = lambda _: None
) -> Counter[str]:
    """Kill at least `least` times at each point and `moments` times in all.

    Returns the number of kills by point.
    """
    chance, killed = random.Random(seed), Counter[str]()
    folder = Path(tempfile.mkdtemp(prefix="crashes-"))
    try:
        while sum(killed.values()) < moments or any(killed[point] < least for point in POINTS):
            lacking = [point for point in POINTS if killed[point] < least]
            point = chance.choice(lacking) if lacking else "random"
            if chance.random() < 0.2:
                shutil.rmtree(folder / "data", ignore_errors=True)
            if point in WATCH:
                killed[point] += watch_moment(folder / "watched", point, chance)
            else:
                killed[point] += (
                    desk_moment(folder / "desk", point, chance)
                    if point in DESK
                    else moment(folder, point, chance)
                )
            tell(f"{sum(killed.values())} killed: {dict(killed)}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return killed


def main() -> None:
    """Kill, and print the number of kills by point."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--moments", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    began = time.monotonic()
    killed = crash(
        options.moments,
        options.seed,
        min(20, options.moments // 10),
        lambda text: click.echo(f"\r{text}", nl=False),
    )
    click.echo(
        f"\nkilled {sum(killed.values())} times in {time.monotonic() - began:.0f} s, nothing lost"
    )
    for point in POINTS:
        click.echo(f"{point:8}{killed[point]:>4}  {'#' * killed[point]}")


if __name__ == "__main__":
    assert len(MIGRATIONS) > 1
    main()
