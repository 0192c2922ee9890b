"""Tests that a failure to open leaves nothing open.

No descriptor and no lock may wait for the garbage collector.
"""

from __future__ import annotations

import gc
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from index.store.schema import FILE_NAME, current_generation
from index.store.snapshot import SqliteSnapshot
from qa.bootstrap import load_pipeline, open_conversations, open_message_queue
from qa.library.documents import open_store
from qa.library.upload_service import UploadService
from qa.settings import CALIBRATION, Settings
from qa.state.database import FILE_NAME as STATE
from qa.state.database import State
from tests.support.fakes import SharedWordsReader
from tests.support.serving import carded, indexed, settings_in

HELD = Path("/proc/self/fd")
pytestmark = pytest.mark.skipif(
    not HELD.is_dir(), reason="descriptors are counted where the system lists them"
)


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Return the settings of an index; the garbage collector is off meanwhile."""
    made = settings_in(tmp_path)
    indexed(made, carded(), tmp_path / "corpus", {"a.txt": "Marta tends the lighthouse."})
    State(made.data).close()
    gc.disable()
    yield made
    gc.enable()


def spoil(path: Path) -> None:
    """Overwrite a database with other bytes, and delete its log."""
    for log in path.parent.glob(f"{path.name}-*"):
        log.unlink()
    path.write_bytes(b"no database" * 1000)


def later(path: Path) -> None:
    """Give a database the schema version of a later program."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")


def uncalibrated(settings: Settings) -> None:
    """Damage the calibration."""
    (settings.data / CALIBRATION).write_text("no calibration")


def unlike(settings: Settings) -> None:
    """Damage the terms, and delete the index files that are built from them."""
    with closing(sqlite3.connect(settings.data / FILE_NAME)) as db, db:
        db.execute("UPDATE terms SET terms = x'ff'")
    shutil.rmtree(settings.data / "derived")


def loaded(settings: Settings) -> None:
    """Load the indexes of a snapshot."""
    with closing(SqliteSnapshot(settings.data)) as snapshot:
        snapshot.load()


def asked(settings: Settings) -> object:
    """Open a pipeline."""
    return load_pipeline(settings, carded(), SharedWordsReader(), save_derived=False)


@pytest.mark.parametrize(
    ("damage", "use"),
    [
        (uncalibrated, asked),
        (unlike, asked),
        (unlike, loaded),
        (lambda settings: later(settings.data / FILE_NAME), asked),
        (
            lambda settings: later(settings.data / FILE_NAME),
            lambda settings: current_generation(settings.data),
        ),
        (lambda settings: spoil(settings.data / FILE_NAME), open_store),
        (lambda settings: spoil(settings.data / STATE), open_conversations),
        (lambda settings: spoil(settings.data / STATE), open_message_queue),
        (
            lambda settings: spoil(settings.data / STATE),
            lambda settings: UploadService(settings).jobs,
        ),
        (
            lambda _: None,
            lambda settings: load_pipeline(settings, carded("another"), SharedWordsReader()),
        ),
    ],
)
def test_what_fails_to_open_is_closed(
    settings: Settings, damage: Callable[[Settings], None], use: Callable[[Settings], object]
) -> None:
    damage(settings)
    before = len(os.listdir(HELD))  # noqa: PTH208 - counted without holding one more open
    for _ in range(5):
        with pytest.raises(Exception, match=r"model|calibration|version|damaged|database"):
            use(settings)
    assert len(os.listdir(HELD)) == before  # noqa: PTH208
