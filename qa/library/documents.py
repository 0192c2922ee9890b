"""What people do with the documents of a data directory: index, list, remove, forget."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from index.filesystem.portable_path import PAGES
from index.ingestion.ingest import ingest
from index.ingestion.report import Reporter, Summary
from index.models.encoder import Encoder
from index.sources.discovery import canonical_root
from index.sources.ignore_rules import checked_patterns
from index.store.file_records import FileRecord
from index.store.schema import current_generation
from index.store.snapshot import DocumentInfo, Snapshot
from index.store.store import Store
from index.tags import tags_of
from qa.answering.pipeline import with_tags
from qa.errors import NoIndex
from qa.library.upload_folder import UploadFolder
from qa.settings import Settings
from qa.state.database import FILE_NAME as STATE
from qa.state.database import State
from qa.state.quote_erasure import redact_documents
from qa.state.upload_jobs import UploadJobs


def has_index(settings: Settings) -> bool:
    """Whether the data directory holds a store with at least one run of `qa index` in it."""
    return bool(current_generation(settings.data))


def open_store(settings: Settings) -> Store:
    """The store of the data directory, created if there is none; raises StoreError. What
    conversations quote of a document goes before the document.
    """

    def erase(documents: Sequence[str]) -> None:
        if (settings.data / STATE).is_file():
            with closing(State(settings.data)) as state:
                for waiting in state.erase(set(documents) & state.document_ids(), redact_documents):
                    UploadFolder(settings.data).discard(waiting)

    def rename(old: str, new: str) -> None:
        if (settings.data / STATE).is_file():
            with closing(State(settings.data)) as state:
                state.rename(old, new)

    return Store(settings.data, erase, rename)


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
    on_wait: Callable[[], None] = lambda: None,
) -> Summary:
    """Bring the index up to date with files, folders and web pages (their addresses are str) and
    derive FAISS and BM25 from it; see `index.ingestion.ingest.ingest`. All documents below the
    paths get the tags; raises InvalidTag.
    """
    checked_patterns(exclude)
    given = tags_of(tags)
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
        )
        if given:
            pages = {file.uri: file for file in store.files_under(settings.data.resolve() / PAGES)}
            named = [pages[path] for path in paths if isinstance(path, str) and path in pages]
            below = [
                file
                for path in paths
                if isinstance(path, Path)
                for file in store.files_under(canonical_root(path))
            ]
            store.tags.add([file.document_id for file in (*named, *below)], given)
        Snapshot(settings.data).close()
    return summary


def remove_document(
    settings: Settings,
    name: str,
    on_wait: Callable[[], None] = lambda: None,
    seconds: float | None = None,
) -> FileRecord:
    """Delete a document, named by its id, uri or path, all that was made from it, and its file if
    that was uploaded or is the copy of a page.

    Raises UnknownDocument, or StoreBusy when others are at work for `seconds`.
    """
    with open_store(settings) as store, store.writing(on_wait, seconds):
        found = store.find(name)
        try:
            store.remove([found.document_id])
        finally:
            deleted = (
                store.file(found.document_id) is None
            )  # even if not overwritten on the disk yet
            if (
                deleted
                and not UploadFolder(settings.data).discard(found.path)
                and found.path.parent == settings.data.resolve() / PAGES
            ):
                found.path.unlink(missing_ok=True)
        return found


def forget_all(settings: Settings, on_wait: Callable[[], None] = lambda: None) -> int:
    """Delete every document and everything made from it, the files that were uploaded included;
    returns how many documents there were.
    """
    with open_store(settings) as store, store.writing(on_wait):
        shutil.rmtree(settings.data / PAGES, ignore_errors=True)
        UploadFolder(settings.data).discard_all()
        if (settings.data / STATE).is_file():
            with closing(State(settings.data)) as state:
                UploadJobs(state).delete_all()
        return store.delete_all()


def open_snapshot(settings: Settings) -> Snapshot:
    """The store's current generation, without any model; raises NoIndex or StoreError."""
    if not has_index(settings):
        raise NoIndex
    return Snapshot(settings.data, save_derived=False)


def list_documents(settings: Settings, tags: Sequence[str] = ()) -> list[DocumentInfo]:
    """The documents by uri, of those with any of the tags if there are any; raises StoreError,
    InvalidTag or UnknownTag.
    """
    if not has_index(settings):
        return []
    with closing(Snapshot(settings.data)) as snapshot:
        chosen = set(with_tags(snapshot, tags)) if tags else None
        return [each for each in snapshot.documents() if chosen is None or each.id in chosen]


def sample_documents() -> Path | None:
    """The `seeds/` folder of the checkout that this package runs from, or None when it was
    installed elsewhere.
    """
    checkout = Path(__file__).resolve().parents[2]
    seeds = checkout / "seeds"
    return seeds if seeds.is_dir() and (checkout / "pyproject.toml").is_file() else None
