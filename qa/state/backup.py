"""The data directory as one file and back, while others read and write: index, state, calibration,
and the files that were uploaded or fetched, each with its checksum.

The databases are copied by SQLite's online backup, so each is as it was at one moment. What is
derived is left out: it is made anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any

from index.filesystem.portable_path import PAGES, RESTORING, UPLOADS, Paths
from index.store import schema
from index.store.integrity import database_issues
from index.store.sqlite import Schema, connect, translate_sqlite_errors
from index.store.store import Store
from qa.errors import BackupError
from qa.settings import CALIBRATION
from qa.state.database import SCHEMA as STATE_SCHEMA

FORMAT = 1
MANIFEST = "manifest.json"
_DATABASES: dict[str, Schema] = {
    schema.FILE_NAME: schema.SCHEMA,
    STATE_SCHEMA.file_name: STATE_SCHEMA,
}
_FILES = (*_DATABASES, CALIBRATION)
_FOLDERS = (UPLOADS, PAGES)
"""Of files that are nowhere else."""
_PACKED, UNPACKED_PREFIX = ".quoted-backup-", ".restore-"
"""How the names of folders begin in which a backup is made and unpacked."""
LEFTOVER_SECONDS = 24 * 3600.0
"""After so long such a folder is nobody's any more."""


def back_up(data: Path, target: Path) -> list[str]:
    """Write a new file that `restore` understands; returns the names of what is in it. Raises
    BackupError, StoreError or OSError.
    """
    if target.exists():
        raise BackupError(f"{target} exists already: name a new file")
    if not any((data / name).is_file() for name in _FILES):
        raise BackupError(f"there is nothing to back up in {data}: index something first")
    _drop_leftovers(target.absolute().parent, _PACKED)
    with tempfile.TemporaryDirectory(dir=target.absolute().parent, prefix=_PACKED) as name:
        folder = Path(name)
        _copy_all(data, folder)
        if not _agrees(data, folder):
            with Store(data) as store, store.writing():
                _copy_all(data, folder)
        names = [each for each in (*_FILES, *_kept_files(folder)) if (folder / each).is_file()]
        manifest = {
            "format": FORMAT,
            "version": version("quoted-qa"),
            "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "files": {
                each: {"sha256": _sha256(folder / each), "size": (folder / each).stat().st_size}
                for each in names
            },
        }
        packed = folder / "backup.zip"
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(MANIFEST, json.dumps(manifest, indent=1))
            for each in names:
                archive.write(folder / each, each)
        packed.replace(target)
    return names


def _copy_all(data: Path, folder: Path) -> None:
    for name in _FOLDERS:
        shutil.rmtree(folder / name, ignore_errors=True)
    for each in (*_FILES, *_kept_files(data)):  # the index first: it names no file that comes later
        _copy(data, folder, each)


def _agrees(data: Path, folder: Path) -> bool:
    """Whether what was copied of the index still is the index, or else fits the files that were
    copied after it: none was replaced meanwhile.
    """
    if not (folder / schema.FILE_NAME).is_file():
        return True
    with closing(sqlite3.connect(folder / schema.FILE_NAME)) as copy:
        [(generation,)] = copy.execute("SELECT value FROM meta WHERE key = 'generation'").fetchall()
        files = [
            (Paths(folder).path(path), sha256)
            for path, sha256 in copy.execute("SELECT path, sha256 FROM documents")
        ]
    if int(generation) == schema.current_generation(data):
        return True
    kept = [(path, sha256) for path, sha256 in files if path.is_relative_to(folder.resolve())]
    return all(path.is_file() and _sha256(path) == sha256 for path, sha256 in kept)


def _kept_files(data: Path) -> list[str]:
    """The names of what was uploaded or fetched, in alphabetical order; a folder that is deleted
    meanwhile has none.
    """
    walks = (each for name in _FOLDERS for each in os.walk(data / name))
    paths = (Path(folder, name) for folder, _, names in walks for name in names)
    return sorted(path.relative_to(data).as_posix() for path in paths if path.is_file())


def _copy(data: Path, folder: Path, name: str) -> None:
    source, target = data / name, folder / name
    if not source.is_file():
        return
    if name not in _DATABASES:
        target.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # deleted just now
            shutil.copyfile(source, target)
        return
    known = _DATABASES[name]
    with (
        translate_sqlite_errors(source, known.remedy),
        closing(connect(source.parent, known)) as live,
        closing(sqlite3.connect(target)) as copy,
    ):
        live.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")


def restore(
    source: Path, data: Path, *, yes: bool = False, on_wait: Callable[[], None] = lambda: None
) -> list[str]:
    """Put back what `back_up` wrote, over what is there if `yes` is said; a server that runs goes
    on with it.

    Everything is checked before anything is changed. Raises BackupError, StoreError or OSError.
    """
    present = [name for name in _DATABASES if (data / name).is_file()]
    if present and not yes:
        raise BackupError(
            f"{data} holds {' and '.join(present)}, which would be replaced: back them up, then repeat with --yes"
        )
    data.mkdir(parents=True, exist_ok=True)
    finish_restore(data, on_wait)
    _drop_leftovers(data, UNPACKED_PREFIX)
    with tempfile.TemporaryDirectory(dir=data, prefix=UNPACKED_PREFIX) as name:
        folder = Path(name) / "files"
        names = _unpacked(source, folder)
        with Store(data) as store, store.writing(on_wait):
            folder.rename(
                data / RESTORING
            )  # from here on it is done, by this process or by the next one
            _finish(data)
    return names


def finish_restore(data: Path, on_wait: Callable[[], None] = lambda: None) -> None:
    """Finish a restore that was cut off: what answers is the old data directory or the one of the
    backup, never half of either. Raises StoreError.
    """
    if (data / RESTORING).is_dir():
        with Store(data) as store, store.writing(on_wait):
            if (data / RESTORING).is_dir():
                _finish(data)


def _finish(data: Path) -> None:
    """Put back what is staged; each step may be done again."""
    staged = data / RESTORING
    for each in (
        *_kept_files(staged),
        *(name for name in _FILES if (staged / name).is_file()),
    ):  # the index names no file that comes later
        _put_back(staged, data, each)
    with tempfile.TemporaryDirectory(dir=data, prefix=UNPACKED_PREFIX) as name:
        staged.rename(Path(name) / "done")


def _drop_leftovers(folder: Path, prefix: str) -> None:
    """Delete what processes that were killed have left: they held its files no longer than that."""
    for path in folder.glob(f"{prefix}*"):
        if path.stat().st_mtime < time.time() - LEFTOVER_SECONDS:
            shutil.rmtree(path, ignore_errors=True)


def _unpacked(source: Path, folder: Path) -> list[str]:
    """The files of a backup in `folder`, with the right checksums, readable, and migrated."""
    try:
        with zipfile.ZipFile(source) as archive:
            files = _manifest(archive)
            for name in files:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                with archive.open(name) as packed, (folder / name).open("wb") as file:
                    _write(packed.read, file.write, files[name]["size"])
                    file.flush()
                    os.fsync(file.fileno())
    except (
        zipfile.BadZipFile,
        zlib.error,
        KeyError,
        TypeError,
        ValueError,
        EOFError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise BackupError(
            f"{source} is no backup of quoted, or is damaged ({error}): take another one"
        ) from error
    for name, about in files.items():
        if _sha256(folder / name) != about["sha256"]:
            raise BackupError(
                f"{source} is damaged: {name} has another checksum; take another backup. Nothing was changed"
            )
        if name in _DATABASES:
            with closing(connect(folder, _DATABASES[name])) as opened:
                wrong = database_issues(opened, "")
                if wrong:
                    raise BackupError(
                        f"{source}: {name}: {wrong[0].problem}; take another backup. Nothing was changed"
                    )
    return sorted(files, key=lambda name: (name in _FILES, name))


def _manifest(archive: zipfile.ZipFile) -> dict[str, dict[str, Any]]:
    manifest = json.loads(archive.read(MANIFEST))
    if manifest["format"] != FORMAT:
        raise BackupError(
            f"the backup has format {manifest['format']}, this program knows {FORMAT}: install a later quoted-qa"
        )
    files: dict[str, dict[str, Any]] = manifest["files"]
    unknown = sorted(name for name in files if name not in _FILES and not _is_kept(name))
    if unknown:
        raise ValueError(f"unexpected {unknown[0]!r}")
    return files


def _is_kept(name: str) -> bool:
    """Whether a name is one of a file in one of our folders, and leads nowhere else."""
    parts = PurePosixPath(name).parts
    return (
        len(parts) > 1
        and parts[0] in _FOLDERS
        and not {"..", "/"} & set(parts)
        and PurePosixPath(name).as_posix() == name
    )


def _write(read: Callable[[int], bytes], write: Callable[[bytes], object], size: int) -> None:
    """Copy in blocks, and no more than was said: a file that unpacks to more is not ours."""
    left = size
    while block := read(1 << 20):
        left -= len(block)
        if left < 0:
            raise ValueError("a file is larger than it says")
        write(block)


def _put_back(folder: Path, data: Path, name: str) -> None:
    """Replace one file; a database in one transaction, under a generation that no process has seen."""
    if name not in _DATABASES:
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).replace(data / name)
        return
    known = _DATABASES[name]
    with (
        translate_sqlite_errors(data / name, known.remedy),
        closing(connect(data, known)) as live,
        closing(connect(folder, known)) as kept,
    ):
        if name == schema.FILE_NAME:
            generations = [
                int(db.execute("SELECT value FROM meta WHERE key = 'generation'").fetchone()[0])
                for db in (live, kept)
            ]
            kept.execute(
                "UPDATE meta SET value = ? WHERE key = 'generation'", (str(max(generations) + 1),)
            )
        kept.backup(live)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
