"""Index, list, remove and forget the documents of a data directory."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path

from index.document import split_uri
from index.errors import StoreError
from index.filesystem.portable_path import PAGES
from index.ingestion.ingest import Distribute, ingest
from index.ingestion.report import Reporter, Summary
from index.models.encoder import Encoder
from index.parsing.loader import shown
from index.sources.discovery import canonical_root
from index.sources.ignore_rules import checked_patterns
from index.store.contract import DocumentStore
from index.store.file_records import FileRecord, IndexedFile
from index.store.snapshot import DocumentInfo, Snapshot
from index.tags import tags_of
from qa.answering.pipeline import with_tags
from qa.errors import NoIndex, PartOfFile, UnknownDocumentId
from qa.library.stores import backend_of
from qa.library.upload_folder import open_upload_folder
from qa.settings import Settings
from qa.state.database import has_state, open_state
from qa.state.quote_erasure import redact_documents
from qa.state.upload_jobs import UploadJobs


def has_index(settings: Settings) -> bool:
    """Return True if at least one run of `qa index` has filled the data directory."""
    return bool(backend_of(settings).count_of())


def open_store(settings: Settings) -> DocumentStore:
    """Open the store of the settings, and create it if there is none.

    Before the store deletes a document, the quotes of it in conversations are deleted. Raises
    StoreError.
    """

    def erase(documents: Sequence[str]) -> None:
        if has_state(settings):
            with closing(open_state(settings)) as state:
                recorded = set(documents) & state.document_ids()
                for staged in state.erase(recorded, redact_documents):
                    open_upload_folder(settings).discard(staged)

    def rename(old: str, new: str) -> None:
        if has_state(settings):
            with closing(open_state(settings)) as state:
                state.rename(old, new)

    return backend_of(settings).open_writer(erase, rename)


def index_paths(  # noqa: PLR0913 - as `ingest`
    settings: Settings,
    encoder: Encoder,
    paths: Sequence[Path | str],
    reporter: Reporter,
    *,
    prune: bool = False,
    yes: bool = False,
    exclude: Sequence[str] = (),
    tags: Sequence[str] = (),
    follow_links: bool = False,
    distribute: Distribute | None = None,
    on_wait: Callable[[], None] = lambda: None,
) -> Summary:
    """Bring the index up to date with files, folders and web pages; see `ingest`.

    A Path is a file or folder, a str the address of a page. All documents below the paths get the
    tags. The derived files are written at the end. Raises InvalidTag or InvalidPattern.
    """
    checked_patterns(exclude)
    new_tags = tags_of(tags)
    with open_store(settings) as store, store.writing(on_wait):
        store.claim_model(settings.model, encoder.card.fingerprint)
        summary = ingest(
            paths,
            store,
            encoder,
            reporter,
            prune=prune,
            yes=yes,
            max_bytes=settings.max_file_bytes,
            exclude=exclude,
            follow_links=follow_links,
            distribute=distribute,
        )
        if new_tags:
            store.tags.add(_document_ids_of(settings, store, paths), new_tags)
        backend_of(settings).derive()
        with suppress(StoreError):  # no room for it, or others at work: after the next run
            store.give_back_space()
    return summary


def _document_ids_of(
    settings: Settings, store: DocumentStore, paths: Sequence[Path | str]
) -> list[str]:
    """Return the ids of the documents at addresses (str) and below files or folders (Path)."""
    pages = {file.uri: file for file in store.files_under(settings.data.resolve() / PAGES)}
    files: list[FileRecord] = []
    for path in paths:
        if isinstance(path, Path):
            files += store.files_under(canonical_root(path))
        elif path in pages:  # A page that could not be fetched has no document.
            files.append(pages[path])
    return [file.document_id for file in files]


def remove_document(
    settings: Settings,
    name: str,
    on_wait: Callable[[], None] = lambda: None,
    seconds: float | None = None,
) -> FileRecord:
    """Delete a document, named by its id, uri or path, and all that was made from it.

    Its file is deleted too if it was uploaded or is the copy of a web page. Raises UnknownDocument,
    PartOfFile, or StoreBusy when others are at work for `seconds`.
    """
    with open_store(settings) as store, store.writing(on_wait, seconds):
        file = store.find(name)
        require_file(file)
        try:
            store.remove([file.document_id])
        finally:
            # An error may come after the commit, while the text is overwritten on the disk.
            if store.file(file.document_id) is None:
                _delete_own_file(settings, file.path)
        return file


def require_file(file: FileRecord | IndexedFile) -> None:
    """Raise PartOfFile for a document inside a file: it stays, goes and is tagged with the file."""
    if file.part:
        whole, _ = split_uri(file.uri)
        raise PartOfFile(
            f"{shown(file.uri)} is a part of {shown(whole)} and goes with it: "
            f"name {shown(whole)} instead"
        )


def _delete_own_file(settings: Settings, path: Path) -> None:
    """Delete an uploaded file or the copy of a web page; leave a user's file alone."""
    was_uploaded = open_upload_folder(settings).discard(path)
    if not was_uploaded and path.parent == settings.data.resolve() / PAGES:
        path.unlink(missing_ok=True)


def forget_all(settings: Settings, on_wait: Callable[[], None] = lambda: None) -> int:
    """Delete all documents, all that was made from them, all uploaded files and all questions.

    Returns the number of deleted documents.
    """
    with open_store(settings) as store, store.writing(on_wait):
        shutil.rmtree(settings.data / PAGES, ignore_errors=True)
        open_upload_folder(settings).discard_all()
        if has_state(settings):
            with closing(open_state(settings)) as state:
                UploadJobs(state).delete_all()
        count = store.delete_all()
        # Last: before, the deleted documents are taken out of answers one by one.
        if has_state(settings):
            with closing(open_state(settings)) as state:
                state.delete_all()
        return count


def open_snapshot(settings: Settings) -> Snapshot:
    """Open the store's current generation, without any model.

    Raises NoIndex or StoreError.
    """
    if not has_index(settings):
        raise NoIndex
    return backend_of(settings).open_snapshot(save_derived=False)


def list_documents(settings: Settings, tags: Sequence[str] = ()) -> list[DocumentInfo]:
    """Return the documents by uri; if tags are given, those with any of them.

    Raises StoreError, InvalidTag or UnknownTag.
    """
    if not has_index(settings):
        return []
    with closing(backend_of(settings).open_snapshot()) as snapshot:
        return documents_in(snapshot, tags)


def documents_in(snapshot: Snapshot, tags: Sequence[str] = ()) -> list[DocumentInfo]:
    """Return the documents of a snapshot by uri; if tags are given, those with any of them.

    Raises InvalidTag or UnknownTag.
    """
    documents = snapshot.documents()
    if not tags:
        return documents
    tagged = set(with_tags(snapshot, tags))
    return [document for document in documents if document.id in tagged]


def document_text(snapshot: Snapshot, document_id: str) -> str:
    """Return the text that the citations of a document count in. Raises UnknownDocumentId."""
    if not snapshot.has_document(document_id):
        raise UnknownDocumentId(f"no document has the id {document_id!r}: list the documents")
    return snapshot.document(document_id).text
