"""Streaming parser of uploads in multipart/form-data (RFC 7578).

Files are written to the disk as they arrive and are never held in memory. Nothing is left on the
disk of a form that fails.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from index.filesystem.disk_errors import FULL, write_error
from index.tags import MAX_TAG, MAX_TAGS, tags_of
from qa.errors import InvalidUpload, QAError, StorageFull, UnsupportedUpload, UploadTooLarge
from qa.library.upload_folder import UploadFolder, decoded_name, name_with_suffix, safe_name
from qa.library.upload_quota import OnBytes
from qa.state.upload_jobs import UploadedFile

MAX_FILES = 100
"""Largest number of files in one request; a larger folder is sent in several."""
MAX_FIELD = 4 * MAX_TAG
"""Largest number of bytes of a field other than a file: the longest tag in UTF-8."""
_INCOMING = ".incoming"


@dataclass
class PartialFile:
    """A file that is still arriving.

    `problem` is the reason why it cannot be taken, if there is one; the other files of the form
    can still be.
    """

    name: str
    folder: Path
    size: int = 0
    problem: QAError | None = None
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)

    @property
    def path(self) -> Path:
        """The place of its bytes until it is complete."""
        return self.folder / _INCOMING


@dataclass(frozen=True, slots=True)
class UploadForm:
    """The files of a form, in order, and its tags."""

    files: Sequence[UploadedFile]
    tags: tuple[str, ...]


class FormParser:
    """Parser of one form that writes its files into the upload folder.

    The form is a sequence of parts. Each part has headers, of which only Content-Disposition
    matters, and data, which goes to the open sink: a file, a field or, for an empty file input,
    nowhere.
    """

    def __init__(
        self,
        uploads: UploadFolder,
        boundary: bytes,
        max_bytes: int,
        max_files: int = MAX_FILES,
        on_bytes: OnBytes = lambda _: None,
    ) -> None:
        """Write into `uploads`; `on_bytes` gets the size of each piece that is written."""
        self._on_bytes = on_bytes
        self._uploads = uploads
        self._max_bytes = max_bytes
        self._max_files = max_files
        self.files: list[PartialFile] = []
        self._fields: list[bytearray] = []
        # A header may come in pieces, and so may its value.
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._disposition = ""
        self._sink: BinaryIO | bytearray | None = None
        self._is_complete = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_header_field": self._on_header_name,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_part_data,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
        )

    def write(self, chunk: bytes) -> None:
        """Parse the next bytes of the form.

        Raises InvalidUpload for a malformed form and UploadTooLarge for too many files or tags, or
        for a field that is too long.
        """
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise InvalidUpload(
                f"expected multipart/form-data (RFC 7578), got something else: {error}"
            ) from error

    def finish(self) -> UploadForm:
        """Return the complete form.

        A file that cannot be taken has its problem in the result. If that is true of all files,
        the problem of the first one is raised. Raises InvalidUpload for an incomplete form or one
        without files, and InvalidTag.
        """
        if not self._is_complete:
            raise InvalidUpload("expected a form with at least one file, got a part of one")
        if not self.files:
            raise InvalidUpload("expected a form with at least one file, got none")
        tags = tags_of(bytes(each).decode("utf-8", "replace") for each in self._fields)
        uploaded = [self._finish_file(each) for each in self.files]
        first = self.files[0]
        if first.problem and all(each.problem for each in self.files):
            raise type(first.problem)(f"{first.name}: {first.problem}")
        return UploadForm(uploaded, tags)

    def discard(self) -> None:
        """Delete everything that has been written."""
        self._close_sink()
        for each in self.files:
            self._uploads.discard(each.path)

    def _finish_file(self, file: PartialFile) -> UploadedFile:
        """Give a file its final name, or delete it if it cannot be taken."""
        name, path = file.name, file.path
        if not file.problem:
            try:
                name = name_with_suffix(file.name, file.path, self._max_bytes)
                path = file.path.rename(file.folder / name)
            except UnsupportedUpload as error:
                file.problem = error
        if file.problem:
            self._uploads.discard(file.path)
        digest, problem = file.digest.hexdigest(), str(file.problem or "")
        return UploadedFile(name, path, digest, problem=problem, size=file.size)

    def _on_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name.extend(data[start:end])

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value.extend(data[start:end])

    def _on_header_end(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            self._disposition = self._header_value.decode("latin-1")
        self._header_name, self._header_value = bytearray(), bytearray()

    def _on_headers_finished(self) -> None:
        """Open the sink of the part whose data comes next."""
        options = parse_options_header(self._disposition)[1]
        self._disposition = ""
        file_name = options.get(b"filename")
        if file_name is None:
            self._begin_field(options.get(b"name", b""))
        elif file_name:
            self._begin_file(safe_name(decoded_name(file_name)))
        # Else the name is empty: browsers send a file input without a file this way.

    def _begin_field(self, name: bytes) -> None:
        if name != b"tag":
            raise InvalidUpload(
                f"expected files, and fields with the name tag, got a field {name!r}"
            )
        self._sink = bytearray()
        self._fields.append(self._sink)
        if len(self._fields) > MAX_TAGS:
            raise UploadTooLarge(f"expected at most {MAX_TAGS} tags, got more")

    def _begin_file(self, name: str) -> None:
        if len(self.files) == self._max_files:
            raise UploadTooLarge(
                f"expected at most {self._max_files} files in one request, got more: "
                "send them in several"
            )
        # In a folder of its own, so that files of the same name do not overwrite each other.
        self.files.append(PartialFile(name, self._uploads.new()))
        self._sink = self.files[-1].path.open("wb")

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        chunk = data[start:end]
        if isinstance(self._sink, bytearray):
            self._sink.extend(chunk)
            if len(self._sink) > MAX_FIELD:
                raise UploadTooLarge(f"expected fields of at most {MAX_FIELD} bytes, got more")
        elif self._sink is not None:
            self._append(self.files[-1], self._sink, chunk)

    def _append(self, file: PartialFile, sink: BinaryIO, chunk: bytes) -> None:
        """Add a chunk to a file, or empty the file if it grows too large."""
        file.size += len(chunk)
        if file.size > self._max_bytes:
            file.problem = UploadTooLarge(
                f"has more than {self._max_bytes:,} bytes: split it, or raise QUOTED_MAX_FILE_BYTES"
            )
            sink.truncate(0)
        else:
            self._on_bytes(len(chunk))
            file.digest.update(chunk)
            sink.write(chunk)

    def _on_part_end(self) -> None:
        if self._sink is not None and not isinstance(self._sink, bytearray):
            # The response promises that the file is there, even after a loss of power.
            self._sink.flush()
            os.fsync(self._sink.fileno())
        self._close_sink()

    def _close_sink(self) -> None:
        sink, self._sink = self._sink, None
        if sink is not None and not isinstance(sink, bytearray):
            with suppress(OSError):  # writing has already reported a full disk
                sink.close()

    def _on_end(self) -> None:
        self._is_complete = True


async def receive_form(
    request: Request, uploads: UploadFolder, max_bytes: int, on_bytes: OnBytes
) -> UploadForm:
    """Receive the files and tags of a request; `on_bytes` gets the sizes of the files' pieces.

    If anything fails, nothing of the form is left on the disk. Raises QAError or InvalidTag.
    """
    try:
        form = FormParser(uploads, _boundary_of(request), max_bytes, on_bytes=on_bytes)
    except FormParserError as error:
        raise InvalidUpload(f"expected multipart/form-data (RFC 7578): {error}") from error
    try:
        async for chunk in request.stream():
            await run_in_threadpool(form.write, chunk)
        return await run_in_threadpool(form.finish)
    # BaseException: a cancelled request must not leave its files behind either.
    except BaseException as error:
        await run_in_threadpool(form.discard)
        if isinstance(error, ClientDisconnect):
            raise InvalidUpload("the upload broke off") from error
        if isinstance(error, OSError):
            raise _disk_error(uploads, error) from error
        raise


def _boundary_of(request: Request) -> bytes:
    """Return the boundary between the parts of a request's form.

    Raises UnsupportedUpload if the request has another content type.
    """
    content_type, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary")
    if content_type != b"multipart/form-data" or not boundary:
        raise UnsupportedUpload(
            "expected multipart/form-data with a boundary, "
            f"got {content_type.decode('latin-1') or 'no type'}"
        )
    return boundary


def _disk_error(uploads: UploadFolder, error: OSError) -> Exception:
    """Return the error to raise for an OSError while the files were written."""
    if error.errno in FULL:
        return StorageFull("the disk has no room for these files: make room, or send fewer")
    return write_error(uploads.folder, error)
