"""Uploaded files beside the tables of a shared store, for all machines that use it.

Each is an object of its own below `uploads/`, with the place and the name that it has in a data
directory. It can be looked at, and is gone at once when it is deleted.
"""

from __future__ import annotations

import os
import shutil
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from index.filesystem.disk_errors import replacing
from index.filesystem.portable_path import UPLOADS
from index.lance.location import translate_lance_errors
from index.store.contract import UploadedObject

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
"""Variables in which LanceDB finds the address of an object store that is not Amazon's."""


class UploadObjects:
    """Uploaded files of a shared store, named by their paths in the data directory here."""

    def __init__(self, location: str, folder: Path) -> None:
        """Take the place of the store, and the data directory of this machine."""
        self._location = location
        self._folder = folder.resolve() / UPLOADS
        _, place = _file_system(location)
        self._place = f"{place.rstrip('/')}/{UPLOADS}"

    def put(self, path: Path, source: Path | None = None) -> None:
        """Store the file of a path, in the place of an earlier one. Raises StoreError.

        Its bytes are there, or at `source`.
        """
        with translate_lance_errors(self._location), (source or path).open("rb") as file:
            key = self._key(path)
            if self._is_folder:
                Path(key).parent.mkdir(parents=True, exist_ok=True)
                with replacing(Path(key)) as part, part.open("wb") as target:
                    shutil.copyfileobj(file, target)
                return
            with self._files.open_output_stream(key) as target:
                shutil.copyfileobj(file, target)

    def get(self, path: Path, target: Path) -> bool:
        """Write the bytes of the file of a path to a target; False if there is no such file.

        Raises StoreError.
        """
        from pyarrow.fs import FileType

        with translate_lance_errors(self._location):
            key = self._key(path)
            if self._files.get_file_info(key).type != FileType.File:
                return False
            target.parent.mkdir(parents=True, exist_ok=True)
            with (
                self._files.open_input_stream(key) as source,
                replacing(target) as part,
                part.open("wb") as file,
            ):
                shutil.copyfileobj(source, file)
            return True

    def delete_file(self, path: Path) -> None:
        """Delete the file of a path, if there is one. Raises StoreError."""
        self._delete(self._key(path))

    def delete_folder(self, folder: Path) -> None:
        """Delete all files in a folder of the uploads, if there are any. Raises StoreError."""
        self._delete(self._key(folder))

    def delete_all(self) -> None:
        """Delete all uploaded files. Raises StoreError."""
        self._delete(self._place)

    def objects(self) -> list[UploadedObject]:
        """Return all uploaded files. Raises StoreError."""
        from pyarrow.fs import FileSelector, FileType

        with translate_lance_errors(self._location):
            selector = FileSelector(self._place, allow_not_found=True, recursive=True)
            return [
                UploadedObject(self._path(info.path), info.size, info.mtime.timestamp())
                for info in self._files.get_file_info(selector)
                if info.type == FileType.File
            ]

    @property
    def _files(self) -> FileSystem:
        files, _ = _file_system(self._location)
        return files

    @property
    def _is_folder(self) -> bool:
        return "://" not in self._location

    def _key(self, path: Path) -> str:
        return f"{self._place}/{path.relative_to(self._folder).as_posix()}"

    def _path(self, key: str) -> Path:
        return self._folder / key.removeprefix(f"{self._place}/")

    def _delete(self, key: str) -> None:
        """Delete a file, or all files below a folder."""
        from pyarrow.fs import FileSelector, FileType

        with translate_lance_errors(self._location):
            if self._is_folder and Path(key).is_dir():
                shutil.rmtree(key, ignore_errors=True)
                return
            # By its files: an object store has no folders.
            found = [self._files.get_file_info(key)]
            if found[0].type != FileType.File:
                selector = FileSelector(key, allow_not_found=True, recursive=True)
                found = self._files.get_file_info(selector)
            for info in found:
                if info.type == FileType.File:
                    self._files.delete_file(info.path)


def upload_objects(location: str, folder: Path) -> UploadObjects | None:
    """Return the uploaded files of a store; None where no client for its place is at hand."""
    is_reachable = "://" not in location or location.startswith(("s3://", "gs://"))
    return UploadObjects(location, folder) if is_reachable else None


@cache
def _file_system(location: str) -> tuple[FileSystem, str]:
    """Return the client of a location's place, and the path in it."""
    from pyarrow import fs

    scheme, separator, place = location.partition("://")
    if not separator:
        return fs.LocalFileSystem(), location
    if scheme == "gs":
        return fs.GcsFileSystem(), place
    # The keys come from the variables of AWS, as for the tables.
    endpoint = next((os.environ[name] for name in _ENDPOINTS if os.environ.get(name)), "")
    parts = urlsplit(endpoint)
    override = {"endpoint_override": parts.netloc, "scheme": parts.scheme} if endpoint else {}
    return fs.S3FileSystem(**override), place
