"""The derived files of a store, brought in step with it by the process that has changed it."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import closing, suppress
from pathlib import Path

from index.errors import StoreError
from index.store.schema import FILE_NAME, connect, forget_removals, translate_sqlite_errors
from index.store.snapshot import SqliteSnapshot
from index.store.sqlite import transaction


def derive(folder: Path, gone: Collection[str] | None = None, *, at_once: bool = False) -> bool:
    """Write the derived files of the store in `folder` anew, if enough has changed since.

    What has changed less is added by every reader for itself, which takes milliseconds. `gone`
    holds the words of documents that have just been removed; `at_once` does not put off their
    erasure, which a removal may have left for later. Returns False if it is necessary and cannot be
    done, on a full disk for example. Raises StoreError.
    """
    with closing(SqliteSnapshot(folder)) as snapshot:
        done = snapshot.derive(gone, at_once=at_once)
        base = snapshot.base_generation
    # Kept up to now for those who used an older base.
    with suppress(StoreError):  # a busy or a full disk: the next time
        _forget_removals(folder, base)
    return done


def _forget_removals(folder: Path, base: int) -> None:
    """Forget the removals that a base knows of already."""
    with (
        translate_sqlite_errors(folder / FILE_NAME),
        closing(connect(folder)) as db,
    ):
        [known] = db.execute(
            "SELECT coalesce((SELECT CAST(value AS INTEGER) FROM meta"
            " WHERE key = 'removals_since'), 0)"
        ).fetchone()
        if known < base:
            with transaction(db):
                forget_removals(db, base)
