"""Backup of a data directory to one file, and its restore, while other processes read and write.

A backup holds the index, the state, the calibration, and the files that were uploaded or fetched,
each with its checksum. SQLite's online backup copies each database as it was at one moment. Derived
files are left out: they are built again.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from index.errors import SchemaTooNew, StoreError
from index.filesystem.checksums import sha256_of
from index.filesystem.portable_path import PAGES, RESTORING, UPLOADS, Paths, is_stored_path
from index.store import schema
from index.store.foreign_database import copy_rows
from index.store.integrity import database_issues
from index.store.sqlite import Schema, connect, translate_sqlite_errors
from index.store.store import Store
from qa.answering.calibration import load_calibration
from qa.errors import BackupError, CalibrationError
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
"""Folders of files that exist nowhere else."""
_PACKED_PREFIX = ".quoted-backup-"
"""Start of the names of the folders in which a backup is made."""
UNPACKED_PREFIX = ".restore-"
"""Start of the names of the folders in which a backup is unpacked."""
MAX_MANIFEST_BYTES = 64 * 1024 * 1024
"""Largest manifest of a backup to restore: some 400,000 files."""
MAX_FILES = 400_000
MAX_BYTES = 2**40
"""Largest file in a backup to restore."""
_MAX_GENERATION = 2**53
LEFTOVER_SECONDS = 24 * 3600.0
"""Age after which such a folder belongs to a process that was killed."""


def back_up(data: Path, target: Path) -> list[str]:
    """Write a backup to a new file and return the names of the files in it.

    Raises BackupError, StoreError or OSError.
    """
    if target.exists():
        raise BackupError(f"{target} exists already: name a new file")
    if not any((data / name).is_file() for name in _FILES):
        raise BackupError(f"there is nothing to back up in {data}: index something first")
    # Beside the target, so that the last step is an atomic rename.
    _drop_leftovers(target.absolute().parent, _PACKED_PREFIX)
    with tempfile.TemporaryDirectory(dir=target.absolute().parent, prefix=_PACKED_PREFIX) as name:
        folder = Path(name)
        _copy_all(data, folder)
        # Without the writer's lock first, because an indexing run may hold it for long.
        if not _is_consistent(data, folder):
            with Store(data) as store, store.writing():
                _copy_all(data, folder)
        packed, names = _pack(folder)
        packed.replace(target)
    return names


def _pack(folder: Path) -> tuple[Path, list[str]]:
    """Pack the copied files with a manifest; return the archive and the names of the files."""
    names = [name for name in (*_FILES, *_kept_files(folder)) if (folder / name).is_file()]
    manifest = {
        "format": FORMAT,
        "version": version("quoted-qa"),
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "files": {
            name: {"sha256": sha256_of(folder / name), "size": (folder / name).stat().st_size}
            for name in names
        },
    }
    packed = folder / "backup.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, json.dumps(manifest, indent=1))
        for name in names:
            archive.write(folder / name, name)
    return packed, names


def _copy_all(data: Path, folder: Path) -> None:
    """Copy the databases and files of a data directory, replacing an earlier copy."""
    for name in _FOLDERS:
        shutil.rmtree(folder / name, ignore_errors=True)
    # The index first: the copy refers to no file that comes later.
    for name in (*_FILES, *_kept_files(data)):
        _copy(data, folder, name)


def _is_consistent(data: Path, folder: Path) -> bool:
    """Return True if the copied index fits the files that were copied after it.

    It does if the index has not changed since and no file is being replaced, or if all of its files
    have the bytes that it was made of.
    """
    if not (folder / schema.FILE_NAME).is_file():
        return True
    with closing(sqlite3.connect(folder / schema.FILE_NAME)) as copy:
        [(generation,)] = copy.execute("SELECT value FROM meta WHERE key = 'generation'").fetchall()
        files = [
            (Paths(folder).path(path), sha256)
            for path, sha256 in copy.execute("SELECT path, sha256 FROM documents")
        ]
    # In this order: bytes are replaced before the generation changes, and what holds the old ones
    # is deleted after it.
    is_replacing = any((data / UPLOADS).glob("*/.*"))
    if not is_replacing and int(generation) == schema.current_generation(data):
        return True
    kept = [(path, sha256) for path, sha256 in files if path.is_relative_to(folder.resolve())]
    return all(path.is_file() and sha256_of(path) == sha256 for path, sha256 in kept)


def _kept_files(data: Path) -> list[str]:
    """Return the names of the uploaded and fetched files, sorted.

    A folder that is deleted meanwhile has none.
    """
    names = []
    for top in _FOLDERS:
        for folder, _, file_names in os.walk(data / top):
            paths = [Path(folder, name) for name in file_names]
            names += [path.relative_to(data).as_posix() for path in paths if path.is_file()]
    return sorted(names)


def _copy(data: Path, folder: Path, name: str) -> None:
    """Copy one file that exists, a database by SQLite's online backup."""
    source, target = data / name, folder / name
    if not source.is_file():
        return
    if name not in _DATABASES:
        target.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # it was deleted just now
            shutil.copyfile(source, target)
        return
    known = _DATABASES[name]
    with (
        translate_sqlite_errors(source, known.remedy),
        closing(connect(source.parent, known)) as live,
        closing(sqlite3.connect(target)) as copy,
    ):
        live.backup(copy)
        # So that the copy is one file, without a log beside it.
        copy.execute("PRAGMA journal_mode=DELETE")


def restore(
    source: Path, data: Path, *, yes: bool = False, on_wait: Callable[[], None] = lambda: None
) -> list[str]:
    """Put back a backup and return the names of its files; a running server goes on with them.

    Existing databases are replaced with `yes` only. Everything is checked before anything is
    changed. `on_wait` is called once if another process is writing. Raises BackupError, StoreError
    or OSError.
    """
    present = [name for name in _DATABASES if (data / name).is_file()]
    if present and not yes:
        raise BackupError(
            f"{data} holds {' and '.join(present)}, which would be replaced: "
            "back them up, then repeat with --yes"
        )
    data.mkdir(parents=True, exist_ok=True)
    finish_restore(data, on_wait)
    _drop_leftovers(data, UNPACKED_PREFIX)
    with tempfile.TemporaryDirectory(dir=data, prefix=UNPACKED_PREFIX) as name:
        folder = Path(name) / "files"
        names = _unpack(source, folder)
        with Store(data) as store, store.writing(on_wait):
            # From here on the restore is finished, by this process or by the next one.
            folder.rename(data / RESTORING)
            _put_back_all(data)
    return names


def finish_restore(data: Path, on_wait: Callable[[], None] = lambda: None) -> None:
    """Finish a restore that was cut off, so that no data directory is half old and half restored.

    Raises StoreError.
    """
    if (data / RESTORING).is_dir():
        with Store(data) as store, store.writing(on_wait):
            # Asked again under the lock: another process may have finished it.
            if (data / RESTORING).is_dir():
                _put_back_all(data)


def _put_back_all(data: Path) -> None:
    """Put back the staged files; each step may be repeated after a crash."""
    staged = data / RESTORING
    databases = [name for name in _FILES if (staged / name).is_file()]
    # The files first: the index refers to no file that comes later.
    for name in (*_kept_files(staged), *databases):
        _put_back(staged, data, name)
    # Renamed before it is deleted: a half deleted folder would be put back again.
    with tempfile.TemporaryDirectory(dir=data, prefix=UNPACKED_PREFIX) as name:
        staged.rename(Path(name) / "done")


def _drop_leftovers(folder: Path, prefix: str) -> None:
    """Delete the temporary folders of killed processes: those older than `LEFTOVER_SECONDS`."""
    for path in folder.glob(f"{prefix}*"):
        if path.stat().st_mtime < time.time() - LEFTOVER_SECONDS:
            shutil.rmtree(path, ignore_errors=True)


def _unpack(source: Path, folder: Path) -> list[str]:
    """Unpack a backup into `folder`, check its files and migrate its databases.

    Returns the names of the files, the databases and the calibration last. Raises BackupError.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            files = _manifest(archive)
            _check_room(folder.parent, files)
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
        RecursionError,
        AttributeError,
    ) as error:
        raise BackupError(
            f"{source} is no backup of quoted, or is damaged ({error}): take another one"
        ) from error
    for name, entry in files.items():
        if sha256_of(folder / name) != entry["sha256"]:
            raise BackupError(
                f"{source} is damaged: {name} has another checksum; "
                "take another backup. Nothing was changed"
            )
    try:
        for name in files:
            if name in _DATABASES:
                _rewrite_database(folder, name)
        load_calibration(folder / CALIBRATION)
    except SchemaTooNew:
        raise
    except (StoreError, CalibrationError, sqlite3.Error, ValueError, OverflowError) as error:
        raise BackupError(
            f"{source} cannot be restored: {error}. Take another backup; nothing was changed"
        ) from error
    return sorted(files, key=lambda name: (name in _FILES, name))


def _rewrite_database(folder: Path, name: str) -> None:
    """Replace an unpacked database by one of our own with its rows, migrated and checked.

    Raises StoreError or ValueError if it holds anything that we would not have written.
    """
    with tempfile.TemporaryDirectory(dir=folder) as place:
        clean = Path(place)
        copy_rows(folder / name, clean, _DATABASES[name])
        with closing(connect(clean, _DATABASES[name])) as database:
            for issue in database_issues(database, ""):
                raise ValueError(f"{name}: {issue.problem}")
            _check_values(database, name)
            # So that it is one file.
            database.execute("PRAGMA journal_mode=DELETE")
        (clean / name).replace(folder / name)


def _check_values(database: sqlite3.Connection, name: str) -> None:
    """Raise ValueError for a value that would lead out of the data directory, or mislead a reader.

    Messages of a chat service that waited to be answered are not answered again.
    """
    if name == schema.FILE_NAME:
        [(generation,)] = database.execute("SELECT value FROM meta WHERE key = 'generation'")
        if not 0 <= int(generation) < _MAX_GENERATION:
            raise ValueError(f"{name}: expected a generation, got {generation[:40]!r}")
        paths = database.execute("SELECT path FROM documents")
    else:
        database.execute("UPDATE claims SET state = 'done' WHERE state != 'done'")
        sizes = "SELECT 1 FROM uploads WHERE typeof(size) != 'integer' OR size < 0"
        if database.execute(sizes).fetchone():
            raise ValueError(f"{name}: expected the sizes of uploads, got others")
        paths = database.execute(
            "SELECT path FROM job_files"
            " UNION ALL SELECT staged FROM job_files WHERE staged IS NOT NULL"
        )
    for (path,) in paths:
        if not is_stored_path(path):
            raise ValueError(f"{name}: the path {path!r} leads out of its folder")


def _manifest(archive: zipfile.ZipFile) -> dict[str, dict[str, Any]]:
    """Return the manifest's files: name -> sha256 and size.

    Raises BackupError for an unknown format, ValueError for an unexpected name.
    """
    if archive.getinfo(MANIFEST).file_size > MAX_MANIFEST_BYTES:
        raise ValueError(f"its manifest has more than {MAX_MANIFEST_BYTES:,} bytes")
    manifest = json.loads(archive.read(MANIFEST))
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise TypeError("its manifest is none")
    if manifest["format"] != FORMAT:
        raise BackupError(
            f"the backup has format {manifest['format']}, this program knows {FORMAT}: "
            "install a later quoted-qa"
        )
    files: dict[str, dict[str, Any]] = manifest["files"]
    unknown = sorted(name for name in files if name not in _FILES and not _is_kept(name))
    if unknown:
        raise ValueError(f"unexpected {unknown[0]!r}")
    _check_sizes(list(files.values()))
    return files


def _check_room(folder: Path, files: Mapping[str, dict[str, Any]]) -> None:
    """Raise BackupError if the disk has no room for the files of a manifest."""
    needed = sum(entry["size"] for entry in files.values())
    if needed > shutil.disk_usage(folder).free:
        raise BackupError(
            f"the backup unpacks to {needed:,} bytes, and the disk has no room for them: make room"
        )


def _check_sizes(entries: Sequence[dict[str, Any]]) -> None:
    """Raise ValueError unless a manifest's files are as many and as large as files can be."""
    if len(entries) > MAX_FILES:
        raise ValueError(f"it has more than {MAX_FILES:,} files")
    for entry in entries:
        size = entry["size"]
        if type(size) is not int or not 0 <= size <= MAX_BYTES:
            raise ValueError(f"expected the size of a file, got {size!r}")


def _is_kept(name: str) -> bool:
    """Return True if a name is that of a file in one of our folders, and leads nowhere else."""
    parts = name.split("/")
    if parts[0] not in _FOLDERS or not {"", ".", ".."}.isdisjoint(parts) or "\0" in name:
        return False
    return len(parts) == (3 if parts[0] == UPLOADS else 2)


def _write(read: Callable[[int], bytes], write: Callable[[bytes], object], size: int) -> None:
    """Copy in blocks. Raises ValueError if there is more than `size`, as in a zip bomb."""
    left = size
    while block := read(1 << 20):
        left -= len(block)
        if left < 0:
            raise ValueError("a file is larger than the manifest says")
        write(block)


def _put_back(folder: Path, data: Path, name: str) -> None:
    """Replace one file, a database in one transaction.

    The index gets a generation that no process has seen: else a running server would take it for
    the one that it has loaded.
    """
    if name not in _DATABASES:
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).replace(data / name)
        return
    known = _DATABASES[name]
    with (
        translate_sqlite_errors(data / name, known.remedy),
        closing(connect(data, known)) as live,
        closing(connect(folder, known)) as restored,
    ):
        if name == schema.FILE_NAME:
            generations = [
                int(db.execute("SELECT value FROM meta WHERE key = 'generation'").fetchone()[0])
                for db in (live, restored)
            ]
            newest = max(generations) + 1
            restored.execute("UPDATE meta SET value = ? WHERE key = 'generation'", (str(newest),))
            # What was derived from the index that is replaced must not be taken for its own.
            schema.forget_removals(restored, newest)
        restored.backup(live)
