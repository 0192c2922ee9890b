"""SIGKILL in uploads, replacements, removals, backups and restores: see `tests.support.crashes`."""

from __future__ import annotations

import hashlib
import random
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import click

from index.store.snapshot import SqliteSnapshot
from qa.library.documents import open_store, remove_document
from qa.library.index_follower import open_saved_questions
from qa.library.upload_service import UploadService
from qa.library.upload_worker import UploadWorker
from qa.settings import Settings
from qa.state.backup import back_up, restore
from qa.state.database import State
from qa.state.upload_jobs import UploadedFile, UploadJobs
from tests.support.killing import Killer, examined, quoted, run_killed, settings_of
from tests.support.serving import carded

HITS = {"upload": 20, "replace": 28, "remove": 8, "backup": 10, "restore": 18}
"""About how many points each of them passes: commits, renames, copies and deletions."""
Picture = tuple[dict[str, str], list[str]]
"""Texts by document id, and the saved questions."""


def child(folder: Path, point: str, hits: int) -> None:
    """Do the prepared work, and be killed at a point."""
    killer = Killer(point, hits)
    killer.arm_statements(
        lambda statement: point if statement.strip().upper().startswith("COMMIT") else None
    )
    killer.arm(point, Path, "replace", "rename", "unlink")
    killer.arm(point, shutil, "copyfile", "rmtree")
    _WORK[point](settings_of(folder), folder)
    click.echo("done")


def _work_jobs(settings: Settings, _: Path) -> None:
    with closing(State(settings.data)) as state, open_store(settings) as store:
        jobs, worker = UploadJobs(state), UploadWorker(settings, carded(), lambda: None, click.echo)
        while jobs.waiting():
            with store.writing():
                worker.work(jobs, store)


_WORK: dict[str, Callable[[Settings, Path], object]] = {
    "upload": _work_jobs,
    "replace": _work_jobs,
    "remove": lambda settings, folder: remove_document(settings, (folder / "remove").read_text()),
    "backup": lambda settings, folder: back_up(settings.data, folder / "new.zip"),
    "restore": lambda settings, folder: restore(folder / "old.zip", settings.data, yes=True),
}


def picture(settings: Settings) -> Picture:
    """Examine the data directory and return its picture; each file must hold its text."""
    found = examined(settings)
    with closing(SqliteSnapshot(settings.data, save_derived=False)) as snapshot:
        assert found == {file.document_id: file.path.read_text() for file in snapshot.files()}
    with open_saved_questions(settings) as saved:
        return found, [each.question for each in saved.questions()]


def moment(folder: Path, point: str, chance: random.Random) -> bool:
    """Try one moment; return True if the process was killed there."""
    desk = Desk(folder, chance)
    before = desk.prepared(point)
    killed, told = run_killed(child, folder, point, chance.randint(1, HITS[point]))
    assert killed != ("done" in told)
    desk.check(point, before)
    return killed


class Desk:
    """Data directory with uploaded documents and a backup of an earlier moment."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder, self.chance, self.settings = folder, chance, settings_of(folder)
        self.expected: dict[str, str] = {}
        if not (folder / "old.zip").exists():
            shutil.rmtree(self.settings.data, ignore_errors=True)
            self.settings.data.mkdir(parents=True)
            for _ in range(3):
                self._arrive()
            _work_jobs(self.settings, folder)
            back_up(self.settings.data, folder / "old.zip")

    def prepared(self, point: str) -> Picture:
        """Prepare work for the process; return the picture before it."""
        with open_saved_questions(self.settings) as saved:
            saved.add(f"When does tide {self.chance.random()} turn?")
        if not examined(self.settings):  # all were removed
            self._arrive()
            _work_jobs(self.settings, self.folder)
        before = picture(self.settings)
        self.expected = dict(before[0])
        if point == "upload":
            self._arrive()
            self._arrive()
        elif point == "replace":
            self._arrive(self.chance.choice(sorted(before[0])))
        elif point == "remove":
            (self.folder / "remove").write_text(self.chance.choice(sorted(before[0])))
        return before

    def check(self, point: str, before: Picture) -> None:
        """Check that nothing is half done, then do the work again and check that all is done."""
        found = (
            examined(self.settings) if point in {"upload", "replace"} else picture(self.settings)[0]
        )
        if point in {"upload", "replace"}:
            assert all(
                found.get(identity) in {before[0].get(identity), text}
                for identity, text in self.expected.items()
            )
            run_killed(child, self.folder, point, 0)
            assert picture(self.settings) == (self.expected, before[1])
        elif point == "remove":
            self._check_removed(before)
        elif point == "backup":
            assert picture(self.settings) == before
            if (self.folder / "new.zip").exists():
                (self.folder / "new.zip").replace(self.folder / "old.zip")
                self._check_restored(before)
        else:
            there = settings_of(self.folder / "there")
            restore(self.folder / "old.zip", there.data)
            assert picture(self.settings) in (before, picture(there))
            run_killed(child, self.folder, point, 0)
            assert picture(self.settings) == picture(there)
            shutil.rmtree(there.data)

    def _check_removed(self, before: Picture) -> None:
        identity = (self.folder / "remove").read_text()
        rest = {each: text for each, text in before[0].items() if each != identity}
        found = picture(self.settings)[0]
        assert found in (before[0], rest)
        if found != rest:
            run_killed(child, self.folder, "remove", 0)
        assert picture(self.settings)[0] == rest
        assert not rest or quoted(self.settings, before[0][identity]) <= {"tide.txt"}
        with closing(SqliteSnapshot(self.settings.data, save_derived=False)) as snapshot:
            assert not snapshot.has_document(identity)

    def _check_restored(self, before: Picture) -> None:
        there = settings_of(self.folder / "there")
        restore(self.folder / "old.zip", there.data)
        assert picture(there) == before
        shutil.rmtree(there.data)

    def _arrive(self, replaces: str | None = None) -> None:
        """Upload a file, as a new document or to replace one."""
        intake = UploadService(self.settings)
        text = f"The tide turns at {self.chance.random()}."
        path = intake.uploads.new() / "tide.txt"
        path.write_text(text)
        arrived = UploadedFile("tide.txt", path, hashlib.sha256(text.encode()).hexdigest())
        if replaces:
            with closing(SqliteSnapshot(self.settings.data, save_derived=False)) as snapshot:
                intake.replace(snapshot.file(replaces), [arrived], [])
        else:
            intake.take([arrived], [])
        [task] = [each for each in intake.jobs.waiting() if each.file.sha256 == arrived.sha256]
        self.expected[task.document_id] = text
