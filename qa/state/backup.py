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
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any

from index.filesystem.checksums import sha256_of
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
"""Folders of files that exist nowhere else."""
_PACKED_PREFIX = ".quoted-backup-"
"""Start of the names of the folders in which a backup is made."""
UNPACKED_PREFIX = ".restore-"
"""Start of the names of the folders in which a backup is unpacked."""
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

    It does if the index has not changed since, or if none of its files was replaced meanwhile.
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
    for name, entry in files.items():
        if sha256_of(folder / name) != entry["sha256"]:
            raise BackupError(
                f"{source} is damaged: {name} has another checksum; "
                "take another backup. Nothing was changed"
            )
        if name in _DATABASES:
            _check_database(source, folder, name)
    return sorted(files, key=lambda name: (name in _FILES, name))


def _check_database(source: Path, folder: Path, name: str) -> None:
    """Migrate an unpacked database. Raises BackupError if it is damaged."""
    with closing(connect(folder, _DATABASES[name])) as database:
        issues = database_issues(database, "")
    if issues:
        raise BackupError(
            f"{source}: {name}: {issues[0].problem}; take another backup. Nothing was changed"
        )


def _manifest(archive: zipfile.ZipFile) -> dict[str, dict[str, Any]]:
    """Return the manifest's files: name -> sha256 and size.

    Raises BackupError for an unknown format, ValueError for an unexpected name.
    """
    manifest = json.loads(archive.read(MANIFEST))
    if manifest["format"] != FORMAT:
        raise BackupError(
            f"the backup has format {manifest['format']}, this program knows {FORMAT}: "
            "install a later quoted-qa"
        )
    files: dict[str, dict[str, Any]] = manifest["files"]
    unknown = sorted(name for name in files if name not in _FILES and not _is_kept(name))
    if unknown:
        raise ValueError(f"unexpected {unknown[0]!r}")
    return files


def _is_kept(name: str) -> bool:
    """Return True if a name is that of a file in one of our folders, and leads nowhere else."""
    parts = PurePosixPath(name).parts
    return (
        len(parts) > 1
        and parts[0] in _FOLDERS
        and not {"..", "/"} & set(parts)
        and PurePosixPath(name).as_posix() == name
    )


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
            restored.execute(
                "UPDATE meta SET value = ? WHERE key = 'generation'", (str(max(generations) + 1),)
            )
        restored.backup(live)
