"""What people ask to be done with documents through the server: take files, replace one, tag,
delete.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from index.errors import StoreBusy, UnknownDocument
from index.store.file_records import IndexedFile
from index.store.schema import FILE_NAME, translate_sqlite_errors
from index.store.sqlite import close_on_error
from index.tags import tags_of
from qa.errors import InvalidUpload, NotUploaded, QAError, UnknownDocumentId, UnsupportedUpload
from qa.library.documents import open_store, remove_document
from qa.library.upload_folder import UploadFolder
from qa.settings import Settings
from qa.state.database import State
from qa.state.upload_jobs import Job, UploadedFile, UploadJobs

DELETE_SECONDS = 5.0
"""How long a request to delete waits for those who are indexing."""


class UploadService:
    """The uploads and jobs of a data directory; `waiting` is set whenever there is something for
    the worker (`qa.library.upload_worker`).
    """

    def __init__(self, settings: Settings) -> None:
        self.uploads = UploadFolder(settings.data)
        self.waiting = threading.Event()
        self.max_file_bytes = settings.max_file_bytes
        self._settings = settings

    @cached_property
    def jobs(self) -> UploadJobs:
        """Opened when they are first needed: what lists documents may do so where nothing may be
        written. Raises StoreError.
        """
        with close_on_error(State(self._settings.data)) as state:
            jobs = UploadJobs(state)
            jobs.expire()  # fails where the file can only be read, on a full disk for example: so it is opened again the next time
        return jobs

    def take(self, files: Sequence[UploadedFile], tags: Sequence[str]) -> Job:
        """A job that makes documents of files; raises StoreError, with nothing left of the files."""
        try:
            job = self.jobs.add(files, tags)
        except BaseException:
            for each in files:
                self.uploads.discard(each.staged or each.path)
            raise
        self.waiting.set()
        return job

    def check_uploaded(self, known: IndexedFile) -> None:
        """Raises NotUploaded for a document that was indexed from elsewhere."""
        if not self.uploads.holds(known.path):
            raise NotUploaded(
                f"{known.uri} was indexed from elsewhere: change the file itself, and `qa index` it"
            )

    def replace(
        self, known: IndexedFile, files: Sequence[UploadedFile], tags: Sequence[str]
    ) -> Job:
        """A job that replaces the bytes of an uploaded document, which keeps its name. Raises
        QAError, with nothing left of the files.
        """
        refusal = _refusal(known, files)
        if refusal:
            for each in files:
                self.uploads.discard(each.path)
            raise refusal
        return self.take(
            [replace(files[0], path=known.path, staged=files[0].path, replaces=known.document_id)],
            tags,
        )

    def tag(self, document_id: str, tags: Sequence[str]) -> None:
        """A document has these tags instead of those that were given to it before; raises
        InvalidTag or StoreError.
        """
        chosen = tags_of(tags)
        with (
            open_store(self._settings) as store,
            translate_sqlite_errors(self._settings.data / FILE_NAME),
        ):
            store.tags.replace(document_id, chosen)

    def delete(self, known: IndexedFile) -> bool:
        """Delete a document, and its file if that was uploaded; says whether it was. Raises
        StoreBusy while others are indexing, or UnknownDocumentId if someone else has just deleted
        it.
        """
        try:
            remove_document(self._settings, known.document_id, seconds=DELETE_SECONDS)
        except UnknownDocument as error:
            raise UnknownDocumentId(
                f"no document has the id {known.document_id!r} any more: see GET /documents"
            ) from error
        except StoreBusy:
            with open_store(self._settings) as store:
                if store.file(known.document_id) is not None:
                    raise
        return self.uploads.holds(known.path)


def _refusal(known: IndexedFile, files: Sequence[UploadedFile]) -> QAError | None:
    if len(files) != 1:
        return InvalidUpload(f"expected one file to replace {known.uri}, got {len(files)}")
    if files[0].path.suffix.lower() != known.path.suffix.lower():
        return UnsupportedUpload(
            f"expected a {known.path.suffix} file to replace {known.uri}, got {files[0].name}: upload it anew"
        )
    return None
