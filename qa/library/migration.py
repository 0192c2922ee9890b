"""Copy of all documents, with the files that were uploaded, to another store."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from index.ingestion.migration import Migrated, migrate
from index.models.encoder import Encoder
from index.models.encoder_conversion import check_model
from index.store.contract import Snapshot
from qa.errors import SameStore
from qa.library.documents import open_snapshot, open_store
from qa.library.stores import backend_of
from qa.library.upload_folder import UploadFolder
from qa.settings import Settings


def migrate_documents(
    settings: Settings,
    target: Settings,
    encoder: Encoder,
    on_document: Callable[[int, int], None] = lambda _done, _all: None,
) -> Migrated:
    """Copy all documents from the store of the settings to that of others.

    Raises NoIndex, ModelMismatch, SameStore or StoreError.
    """
    if settings.store == target.store:
        raise SameStore("the documents are in this store already: name another one")
    with (
        closing(open_snapshot(settings)) as source,
        open_store(settings) as records,
        open_store(target) as store,
        store.writing(),
    ):
        check_model(source.model, settings.model, encoder.card.fingerprint)
        store.claim_model(settings.model, encoder.card.fingerprint)
        # First, so that the documents refer to no file that comes later.
        _copy_uploads(source, settings, target)
        migrated = migrate(source, records, store, encoder, on_document)
    backend_of(target).derive()
    return migrated


def _copy_uploads(source: Snapshot, settings: Settings, target: Settings) -> None:
    """Copy the uploaded files of a snapshot to where another store keeps them."""
    uploads = UploadFolder(settings.data)
    kept_by_target = backend_of(target).uploads()
    kept_by_source = backend_of(settings).uploads()
    for file in source.files():
        if file.part or not uploads.holds(file.path):
            continue
        if kept_by_target is not None:
            with source.original(file) as path:
                if path.exists():  # else it was deleted by hand
                    kept_by_target.put(file.path, path)
        elif kept_by_source is not None and not file.path.exists():
            kept_by_source.get(file.path, file.path)
