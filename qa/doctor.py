"""Does everything work that answers depend on: environment, models, index, state; one check after
another, each with what it found.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial

import numpy as np

from index.errors import IndexingError
from index.models.conversion import damaged_graphs
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
from index.store.snapshot import Snapshot
from index.store.store import Store
from qa.bootstrap import calibration_of, load_encoder, load_reader
from qa.errors import QAError
from qa.library.documents import has_index
from qa.settings import Settings
from qa.state import database as state
from qa.state.backup import UNPACKED_PREFIX

FREE_BYTES = 200_000_000
"""Less than this free is said: the converted models take as much, and a change of the index as much
as its document at most.
"""
_RESTORE = "restore a backup with `qa restore FILE`, or move the file away and index again"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check and what is wrong, if anything; `detail` says what was looked at."""

    name: str
    detail: str
    findings: tuple[IntegrityIssue, ...] = ()

    @property
    def passed(self) -> bool:
        """Nothing was found that does harm."""
        return all(finding.harmless for finding in self.findings)


def examine(settings: Settings) -> Iterator[CheckResult]:
    """All checks in order."""
    yield _environment(settings)
    for name, check in _CHECKS.items():
        try:
            yield check(settings)
        except (IndexingError, QAError, OSError) as error:
            yield CheckResult(name, "failed", (IntegrityIssue(str(error), "see the message"),))


def repair(settings: Settings, checks: Sequence[CheckResult]) -> None:
    """Mend what can be mended, while nobody else writes to the index."""
    mends = [found.repair for each in checks for found in each.findings if found.repair]
    if mends:
        with ExitStack() as alone:
            if (settings.data / schema.FILE_NAME).is_file():
                alone.enter_context(alone.enter_context(Store(settings.data)).writing())
            for mend in mends:
                mend()


def _environment(settings: Settings) -> CheckResult:
    findings = []
    for folder in (settings.data, settings.cache):
        existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        if not os.access(existing, os.W_OK):
            what = f"{folder} may only be read: what is there can be asked, nothing can be indexed or kept"
            findings.append(
                IntegrityIssue(
                    what,
                    "give this user the right to write, or set QUOTED_DATA or QUOTED_CACHE",
                    harmless=folder.exists(),
                )
            )
        free = shutil.disk_usage(existing).free
        if free < FREE_BYTES:
            findings.append(
                IntegrityIssue(
                    f"{free // 1_000_000} MB are free at {folder}",
                    "make room: a full disk stops indexing, it damages nothing",
                )
            )
    return CheckResult(
        "environment",
        f"Python {sys.version.split()[0]}, data in {settings.data}, models in {settings.cache}",
        tuple(findings),
    )


def _models(settings: Settings) -> CheckResult:
    damaged = tuple(
        IntegrityIssue(
            f"{folder.relative_to(settings.cache)}: {', '.join(names)} {'is' if len(names) == 1 else 'are'} damaged",
            "delete it: it is made anew",
            partial(shutil.rmtree, folder),
        )
        for folder, names in damaged_graphs(settings.cache).items()
    )
    if damaged:
        return CheckResult("models", f"converted models in {settings.cache}", damaged)
    encoder, reader = load_encoder(settings), load_reader(settings)
    norm = float(np.linalg.norm(encoder.encode_queries(["Does it work?"])[0]))
    findings = (
        []
        if abs(norm - 1) <= TOLERANCE
        else [
            IntegrityIssue(f"an embedding has length {norm:.3f}, not 1", f"delete {settings.cache}")
        ]
    )
    if has_index(settings):
        with closing(Snapshot(settings.data, save_derived=False)) as snapshot:
            check_model(snapshot.model, settings.model, encoder.card.fingerprint)
    fitted = (
        "calibrated"
        if calibration_of(settings, encoder, reader)
        else "not calibrated: `qa calibrate FILE`"
    )
    return CheckResult(
        "models", f"{settings.model} and {settings.reader}, {fitted}", tuple(findings)
    )


def _index(settings: Settings) -> CheckResult:
    if not (settings.data / schema.FILE_NAME).is_file():
        return CheckResult("index", "nothing is indexed yet")
    db = schema.connect(settings.data)
    findings = database_issues(db, _RESTORE)
    if findings:
        return CheckResult("index", schema.FILE_NAME, tuple(findings))
    meta = dict(db.execute("SELECT key, value FROM meta"))
    [documents] = db.execute("SELECT count(*) FROM documents").fetchone()
    texts = document_issues(settings.data, db, settings.max_file_bytes)
    found = [
        *row_issues(db),
        *texts,
        *derived_issues(settings.data, meta["store"]),
        *_leftovers(settings),
    ]
    return CheckResult(
        "index", f"{documents} documents, generation {meta['generation']}", tuple(found)
    )


def _leftovers(settings: Settings) -> list[IntegrityIssue]:
    """Folders of restores that were cut off before anything was changed."""
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


def _state(settings: Settings) -> CheckResult:
    if not (settings.data / state.FILE_NAME).is_file():
        return CheckResult("state", "no conversations yet")
    with closing(state.State(settings.data)) as opened:
        [(count,)] = opened.query("SELECT count(*) FROM conversations")
        return CheckResult(
            "state", f"{count} conversations", tuple(opened.integrity_issues(_RESTORE))
        )


_CHECKS: dict[str, Callable[[Settings], CheckResult]] = {
    "models": _models,
    "index": _index,
    "state": _state,
}
