"""multipart/form-data to files on the disk while it comes (RFC 7578); nothing of it is held in
memory, and nothing is left of one that fails.
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
from qa.library.upload_folder import UploadFolder, decoded_name, recognised, safe_name
from qa.state.upload_jobs import UploadedFile

MAX_FILES = 100
"""Files in one request; a folder of more is sent in several."""
MAX_FIELD = 4 * MAX_TAG
"""Bytes of a field that is no file: the longest tag in UTF-8."""
_INCOMING = ".incoming"


@dataclass
class PartialFile:
    """A file that is coming."""

    name: str
    folder: Path
    size: int = 0
    problem: QAError | None = None
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)

    @property
    def path(self) -> Path:
        """Where its bytes are until it is complete."""
        return self.folder / _INCOMING


@dataclass(frozen=True, slots=True)
class UploadForm:
    """The files of a form, in order, and its tags."""

    files: Sequence[UploadedFile]
    tags: tuple[str, ...]


class Form:
    """One form: the parser's callbacks, with a file or a field that is open between them."""

    def __init__(
        self, uploads: UploadFolder, boundary: bytes, max_bytes: int, max_files: int = MAX_FILES
    ) -> None:
        self._uploads, self._max_bytes, self._max_files = uploads, max_bytes, max_files
        self.files: list[PartialFile] = []
        self._fields: list[bytearray] = []
        self._header, self._value, self._disposition = bytearray(), bytearray(), ""
        self._sink: BinaryIO | bytearray | None = None
        self._complete = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_part,
                "on_part_data": self._on_data,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
        )

    def write(self, chunk: bytes) -> None:
        """The next bytes of the form; raises QAError."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise InvalidUpload(
                f"expected multipart/form-data (RFC 7578), got something else: {error}"
            ) from error

    def finished(self) -> UploadForm:
        """The complete form; raises QAError, where nothing of it can be taken that of the first
        file.
        """
        if not self._complete or not self.files:
            raise InvalidUpload(
                "expected a form with at least one file, got "
                + ("none" if self._complete else "a part of one")
            )
        tags = tags_of(bytes(each).decode("utf-8", "replace") for each in self._fields)
        arrived = [self._arrived(each) for each in self.files]
        first = self.files[0]
        if first.problem and all(each.problem for each in self.files):
            raise type(first.problem)(f"{first.name}: {first.problem}")
        return UploadForm(arrived, tags)

    def discard(self) -> None:
        """Leave nothing of it."""
        self._close()
        for each in self.files:
            self._uploads.discard(each.path)

    def _arrived(self, file: PartialFile) -> UploadedFile:
        name, path = file.name, file.path
        if not file.problem:
            try:
                name = recognised(file.name, file.path, self._max_bytes)
                path = file.path.rename(file.folder / name)
            except UnsupportedUpload as error:
                file.problem = error
        if file.problem:
            self._uploads.discard(file.path)
        return UploadedFile(name, path, file.digest.hexdigest(), problem=str(file.problem or ""))

    def _on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value.decode("latin-1")
        self._header, self._value = bytearray(), bytearray()

    def _on_part(self) -> None:
        options = parse_options_header(self._disposition)[1]
        self._disposition = ""
        if options.get(b"filename"):
            self._begin(safe_name(decoded_name(options[b"filename"])))
        elif b"filename" not in options and options.get(b"name") != b"tag":
            raise InvalidUpload(
                f"expected files, and fields with the name tag, got a field {options.get(b'name', b'')!r}"
            )
        elif b"filename" not in options:
            self._sink = bytearray()
            self._fields.append(self._sink)
            if len(self._fields) > MAX_TAGS:
                raise UploadTooLarge(f"expected at most {MAX_TAGS} tags, got more")

    def _begin(self, name: str) -> None:
        if len(self.files) == self._max_files:
            raise UploadTooLarge(
                f"expected at most {self._max_files} files in one request, got more: send them in several"
            )
        self.files.append(PartialFile(name, self._uploads.new()))
        self._sink = self.files[-1].path.open("wb")

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        part = data[start:end]
        if isinstance(self._sink, bytearray):
            self._sink.extend(part)
            if len(self._sink) > MAX_FIELD:
                raise UploadTooLarge(f"expected fields of at most {MAX_FIELD} bytes, got more")
        elif self._sink is not None:
            self._add(self.files[-1], self._sink, part)

    def _add(self, file: PartialFile, sink: BinaryIO, part: bytes) -> None:
        file.size += len(part)
        if file.size > self._max_bytes:
            file.problem = UploadTooLarge(
                f"has more than {self._max_bytes:,} bytes: split it, or raise QUOTED_MAX_FILE_BYTES"
            )
            sink.truncate(0)
        else:
            file.digest.update(part)
            sink.write(part)

    def _on_part_end(self) -> None:
        if self._sink is not None and not isinstance(self._sink, bytearray):
            self._sink.flush()
            os.fsync(self._sink.fileno())
        self._close()

    def _close(self) -> None:
        sink, self._sink = self._sink, None
        if sink is not None and not isinstance(sink, bytearray):
            with suppress(OSError):  # a full disk was said where it was written to
                sink.close()

    def _on_end(self) -> None:
        self._complete = True


async def received(
    request: Request, uploads: UploadFolder, max_bytes: int, max_files: int = MAX_FILES
) -> UploadForm:
    """The files of a request; raises QAError or InvalidTag."""
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise UnsupportedUpload(
            f"expected multipart/form-data with a boundary, got {kind.decode('latin-1') or 'no type'}"
        )
    form = Form(uploads, options[b"boundary"], max_bytes, max_files)
    try:
        async for chunk in request.stream():
            await run_in_threadpool(form.write, chunk)
        return await run_in_threadpool(form.finished)
    except BaseException as error:
        await run_in_threadpool(form.discard)
        if isinstance(error, ClientDisconnect):
            raise InvalidUpload("the upload broke off") from error
        if isinstance(error, OSError):
            full = StorageFull("the disk has no room for these files: make room, or send fewer")
            raise (full if error.errno in FULL else write_error(uploads.folder, error)) from error
        raise
