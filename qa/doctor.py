"""Checks of all that answers depend on: environment, models, index and state."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from index.errors import IndexingError
from index.lance.integrity import store_issues
from index.lance.snapshot import LanceSnapshot
from index.models.conversion import damaged_graphs, delete_damaged_graph
from index.models.encoder_conversion import check_model
from index.store import schema
from index.store.integrity import (
    TOLERANCE,
    IntegrityIssue,
    database_issues,
    derived_issues,
    row_issues,
)
from index.store.repair import document_issues
from index.store.store import Store
from qa.bootstrap import calibration_of, load_encoder, load_reader
from qa.errors import QAError
from qa.library.documents import has_index, open_snapshot
from qa.settings import Settings
from qa.state import database as state
from qa.state.backup import UNPACKED_PREFIX

FREE_BYTES = 200_000_000
"""Free bytes of a disk below which a warning is given.

The converted models take as much; a change of the index takes at most as much as its document.
"""
_RESTORE = "restore a backup with `qa restore FILE`, or move the file away and index again"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Result of one check; `detail` names what was checked."""

    name: str
    detail: str
    findings: tuple[IntegrityIssue, ...] = ()

    @property
    def passed(self) -> bool:
        """True if nothing harmful was found."""
        return all(issue.harmless for issue in self.findings)


def examine(settings: Settings) -> Iterator[CheckResult]:
    """Run all checks in order; a check that fails with an error is a result, too."""
    yield _environment(settings)
    for name, check in _CHECKS.items():
        try:
            yield check(settings)
        except (IndexingError, QAError, OSError) as error:
            yield CheckResult(
                name, "failed", (IntegrityIssue(str(error), "do what the message says"),)
            )


def repair(settings: Settings, checks: Sequence[CheckResult]) -> None:
    """Repair all issues that can be repaired, while nobody else writes to the index."""
    repairs = [issue.repair for check in checks for issue in check.findings if issue.repair]
    if not repairs:
        return
    with ExitStack() as stack:
        if (settings.data / schema.FILE_NAME).is_file():
            store = stack.enter_context(Store(settings.data))
            stack.enter_context(store.writing())
        for repair_issue in repairs:
            repair_issue()


def _environment(settings: Settings) -> CheckResult:
    issues = []
    for folder in (settings.data, settings.cache):
        existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        if not os.access(existing, os.W_OK):
            issues.append(_read_only_issue(folder))
        free = shutil.disk_usage(existing).free
        if free < FREE_BYTES:
            issues.append(
                IntegrityIssue(
                    f"{free // 1_000_000} MB are free at {folder}",
                    "make room: a full disk stops indexing, it damages nothing",
                )
            )
    return CheckResult(
        "environment",
        f"Python {sys.version.split()[0]}, data in {settings.data}, models in {settings.cache}",
        tuple(issues),
    )


def _read_only_issue(folder: Path) -> IntegrityIssue:
    """Return the issue of a folder without the right to write, harmless if it is there."""
    return IntegrityIssue(
        f"{folder} may only be read: questions about what is indexed are answered, "
        "nothing can be indexed or stored",
        "give this user the right to write, or set QUOTED_DATA or QUOTED_CACHE",
        harmless=folder.exists(),
    )


def _models(settings: Settings) -> CheckResult:
    damaged = tuple(_damaged_model_issues(settings.cache))
    if damaged:
        # Loading a damaged model would convert it anew, before anybody has read of the damage.
        return CheckResult("models", f"converted models in {settings.cache}", damaged)
    encoder, reader = load_encoder(settings), load_reader(settings)
    issues = []
    norm = float(np.linalg.norm(encoder.encode_queries(["Does it work?"])[0]))
    if abs(norm - 1) > TOLERANCE:
        issues.append(
            IntegrityIssue(f"an embedding has length {norm:.3f}, not 1", f"delete {settings.cache}")
        )
    if has_index(settings):
        with closing(open_snapshot(settings)) as snapshot:
            check_model(snapshot.model, settings.model, encoder.card.fingerprint)
    is_calibrated = calibration_of(settings, encoder, reader) is not None
    calibration = "calibrated" if is_calibrated else "not calibrated: `qa calibrate FILE`"
    detail = f"{settings.model} and {settings.reader}, {calibration}"
    return CheckResult("models", detail, tuple(issues))


def _damaged_model_issues(cache: Path) -> Iterator[IntegrityIssue]:
    """Yield the issues of converted models with damaged files."""
    for folder, names in damaged_graphs(cache).items():
        verb = "is" if len(names) == 1 else "are"
        yield IntegrityIssue(
            f"{folder.relative_to(cache)}: {', '.join(names)} {verb} damaged",
            "delete it: it is made anew",
            partial(delete_damaged_graph, folder),
        )


def _index(settings: Settings) -> CheckResult:
    return _shared_index(settings) if settings.store else _embedded_index(settings)


def _shared_index(settings: Settings) -> CheckResult:
    """Check a shared store; what is wrong there is not repaired from here."""
    if not has_index(settings):
        return CheckResult("index", f"nothing is indexed yet in {settings.store}")
    with closing(open_snapshot(settings)) as snapshot:
        if not isinstance(snapshot, LanceSnapshot):
            raise TypeError(f"no checks of a {type(snapshot).__name__}")
        detail = (
            f"{settings.store}: {snapshot.document_count} documents, "
            f"generation {snapshot.generation}"
        )
        return CheckResult("index", detail, tuple(store_issues(snapshot)))


def _embedded_index(settings: Settings) -> CheckResult:
    if not (settings.data / schema.FILE_NAME).is_file():
        return CheckResult("index", "nothing is indexed yet")
    db = schema.connect(settings.data)
    # The other checks read the tables, which needs a sound file.
    damage = database_issues(db, _RESTORE)
    if damage:
        return CheckResult("index", schema.FILE_NAME, tuple(damage))
    meta = dict(db.execute("SELECT key, value FROM meta"))
    [documents] = db.execute("SELECT count(*) FROM documents").fetchone()
    texts = document_issues(settings.data, db, settings.max_file_bytes)
    issues = (
        *row_issues(db),
        *texts,
        *derived_issues(settings.data, meta["store"]),
        *_leftovers(settings),
    )
    return CheckResult("index", f"{documents} documents, generation {meta['generation']}", issues)


def _leftovers(settings: Settings) -> list[IntegrityIssue]:
    """Return the folders of restores that were cut off before they changed anything."""
    folders = settings.data.glob(f"{UNPACKED_PREFIX}*")
    return [
        IntegrityIssue(
            f"{path.name} was left by a restore",
            "delete it",
            partial(shutil.rmtree, path),
            harmless=True,
        )
        for path in folders
    ]


def _privacy(settings: Settings) -> CheckResult:
    """Look for files that others of this machine may read or write, as older versions left them."""
    if os.name != "posix" or not settings.data.is_dir():
        return CheckResult("privacy", f"nothing in {settings.data}")
    shared = [path for path in (settings.data, *settings.data.rglob("*")) if _is_shared(path)]
    if not shared:
        return CheckResult("privacy", f"{settings.data} is its owner's alone")
    issue = IntegrityIssue(
        f"others of this machine may read or write {len(shared)} files and folders "
        f"in {settings.data}",
        "take away their rights: chmod -R go= DIRECTORY",
        partial(_make_private, shared),
        # Where the folder itself is closed, nobody gets to what is in it.
        harmless=settings.data not in shared,
    )
    return CheckResult("privacy", str(settings.data), (issue,))


def _is_shared(path: Path) -> bool:
    """Return True if others than its owner may use a file; one that is gone by now is nobody's."""
    try:
        return not path.is_symlink() and bool(path.stat().st_mode & 0o077)
    except FileNotFoundError:
        return False


def _make_private(paths: Sequence[Path]) -> None:
    for path in paths:
        with suppress(FileNotFoundError):
            path.chmod(path.stat().st_mode & ~0o077)


def _state(settings: Settings) -> CheckResult:
    if not state.has_state(settings):
        return CheckResult("state", "no conversations yet")
    with closing(state.open_state(settings)) as opened:
        [(count,)] = opened.query("SELECT count(*) FROM conversations")
        return CheckResult(
            "state",
            f"{count} conversations in {opened.place}",
            tuple(opened.integrity_issues(_RESTORE)),
        )


_CHECKS: dict[str, Callable[[Settings], CheckResult]] = {
    "models": _models,
    "index": _index,
    "state": _state,
    "privacy": _privacy,
}
