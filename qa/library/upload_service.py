"""Upload, replace, tag and delete documents on request of a client."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property

from index.errors import StoreBusy, StoreError, UnknownDocument
from index.store.file_records import IndexedFile
from index.store.schema import FILE_NAME, translate_sqlite_errors
from index.store.sqlite import close_on_error
from qa.access.principal import LOCAL, Principal
from qa.errors import InvalidUpload, NotUploaded, QAError, UnknownDocumentId, UnsupportedUpload
from qa.library.documents import open_store, remove_document, require_file
from qa.library.upload_folder import open_upload_folder
from qa.library.upload_quota import UploadQuota
from qa.settings import Settings
from qa.state.database import open_state
from qa.state.upload_jobs import Job, UploadedFile, UploadJobs, Usage

DELETE_SECONDS = 5.0
"""Seconds for which a request to delete waits while others are indexing."""


class UploadService:
    """Uploads and jobs of a data directory.

    The event `waiting` is set whenever there is work for `qa.library.upload_worker`.
    """

    def __init__(self, settings: Settings) -> None:
        self.uploads = open_upload_folder(settings)
        self.waiting = threading.Event()
        self.max_file_bytes = settings.max_file_bytes
        self.quota = UploadQuota(settings)
        self._settings = settings

    @cached_property
    def jobs(self) -> UploadJobs:
        """Upload jobs, opened when they are first needed.

        So the documents can also be listed where nothing may be written. Raises StoreError.
        """
        with close_on_error(open_state(self._settings)) as state:
            jobs = UploadJobs(state)
            # Fails on a file that can only be read, as one opened on a full disk: nothing is cached
            # then, and the next access opens the file again.
            jobs.expire()
        return jobs

    def take(
        self, files: Sequence[UploadedFile], tags: Sequence[str], asker: Principal = LOCAL
    ) -> Job:
        """Start a job that makes documents of uploaded files.

        Raises StoreError, NotAllowed for tags of others, QuotaReached or TooManyUploads; the files
        are then deleted.
        """
        taken = [file for file in files if not file.problem]
        size = sum(file.size for file in taken)

        def check(usage: Usage) -> None:
            self.quota.check(asker.owner, usage, size, len(taken))

        try:
            tags = asker.upload_tags(tags)
            # Before the job, which any server may begin at once.
            for file in taken:
                self.uploads.publish(file.staged or file.path)
            job = self.jobs.add(files, tags, asker.owner, asker.tags, check)
        except BaseException:  # Whatever happened, no job will ever delete these files.
            self._discard(files)
            raise
        for file in taken:
            self.uploads.release(file.staged or file.path)
        self.waiting.set()
        return job

    def _discard(self, files: Sequence[UploadedFile]) -> None:
        for file in files:
            with suppress(StoreError):  # the sweep deletes what the store does not let go now
                self.uploads.discard(file.staged or file.path)

    def check_uploaded(self, known: IndexedFile) -> None:
        """Raise NotUploaded if a document was not uploaded but indexed from elsewhere.

        Raises PartOfFile for a document inside an uploaded file.
        """
        if not self.uploads.holds(known.path):
            raise NotUploaded(
                f"{known.uri} was indexed from elsewhere: change the file itself, and `qa index` it"
            )
        require_file(known)

    def replace(
        self,
        known: IndexedFile,
        files: Sequence[UploadedFile],
        tags: Sequence[str],
        asker: Principal = LOCAL,
    ) -> Job:
        """Start a job that replaces the bytes of an uploaded document, which keeps its name.

        It keeps its tags, too, and gets those of the form. Raises InvalidUpload, UnsupportedUpload,
        NotAllowed or StoreError; the files are then deleted.
        """
        refusal = _refusal(known, files)
        if refusal:
            self._discard(files)
            raise refusal
        [file] = files
        # The new bytes wait where they are until the worker moves them to the document's file.
        replacement = replace(file, path=known.path, staged=file.path, replaces=known.document_id)
        return self.take([replacement], tags, asker)

    def tag(
        self, document_id: str, tags: Sequence[str], asker: Principal = LOCAL
    ) -> tuple[str, ...]:
        """Replace the tags that users have given to a document; return those that are shown.

        Tags outside of an asker's limits stay as they are. Raises InvalidTag, NotAllowed,
        PartOfFile or StoreError.
        """
        new_tags = asker.upload_tags(tags)
        with (
            open_store(self._settings) as store,
            translate_sqlite_errors(self._settings.data / FILE_NAME),
        ):
            file = store.file(document_id)
            if file is not None:
                require_file(file)
            store.tags.replace(document_id, new_tags, within=asker.tags)
        return new_tags

    def delete(self, known: IndexedFile) -> bool:
        """Delete a document; return True if its file was uploaded and is deleted too.

        Raises StoreBusy while others are indexing, UnknownDocumentId if someone else has just
        deleted the document, or PartOfFile.
        """
        try:
            remove_document(self._settings, known.document_id, seconds=DELETE_SECONDS)
        except UnknownDocument as error:
            raise UnknownDocumentId(
                f"no document has the id {known.document_id!r} any more: see GET /documents"
            ) from error
        except StoreBusy:
            # Another reader can keep the text from being overwritten after the deletion itself.
            with open_store(self._settings) as store:
                if store.file(known.document_id) is not None:
                    raise
        return self.uploads.holds(known.path)


def _refusal(known: IndexedFile, files: Sequence[UploadedFile]) -> QAError | None:
    """Return the error of a replacement that is not one file of the same format, else None."""
    if len(files) != 1:
        return InvalidUpload(f"expected one file to replace {known.uri}, got {len(files)}")
    if files[0].path.suffix.lower() != known.path.suffix.lower():
        return UnsupportedUpload(
            f"expected a {known.path.suffix} file to replace {known.uri}, "
            f"got {files[0].name}: upload it anew"
        )
    return None
