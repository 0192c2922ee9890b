"""The two stores over the same files, and what a reader sees of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from index.backend import Backend, backend_at
from index.ingestion.ingest import ingest
from index.store.contract import DocumentInfo, Snapshot
from tests.support.fakes import FakeEncoder, RecordingReporter


def shared_store(folder: Path) -> Backend:
    """Return a shared store below a folder."""
    return backend_at(str(folder / "shared"), folder / "data")


def embedded_store(folder: Path) -> Backend:
    """Return an embedded store below a folder."""
    return backend_at("", folder / "data")


STORES = {"embedded": embedded_store, "shared": shared_store}


def index_folder(
    backend: Backend, folder: Path, tags: Mapping[str, Sequence[str]] | None = None
) -> RecordingReporter:
    """Bring a store up to date with a folder, and tag documents by their uri."""
    reporter = RecordingReporter()
    with backend.open_writer(lambda _: None, None) as store, store.writing():
        store.claim_model("fake", "fake")
        ingest([folder], store, FakeEncoder(), reporter, prune=True, yes=True)
        for uri, names in (tags or {}).items():
            store.tags.add([store.find(uri).document_id], names)
    return reporter


def facts_of(backend: Backend) -> dict[str, Any]:
    """Return what a reader sees of the newest generation, without times and generations."""
    with closing(backend.open_snapshot()) as snapshot:
        snapshot.load()
        return facts(snapshot)


def quoted_part(snapshot: Snapshot, info: DocumentInfo) -> tuple[object, ...]:
    """Return what a citation shows of a document's second half."""
    span = info.characters // 2, info.characters
    found = snapshot.excerpt(info.id, *span)
    return found.quote(span), found.byte_range(span), found.line_at(span[0])


def facts(snapshot: Snapshot) -> dict[str, Any]:
    """Return what a reader sees, without times."""
    infos = snapshot.documents()
    ids = [info.id for info in infos]
    return {
        "counts": (snapshot.document_count, snapshot.size, snapshot.count_documents()),
        "model": snapshot.model,
        "infos": [(i.id, i.uri, i.title, i.sha256, i.size, i.encoding, i.language) for i in infos],
        "details": [(i.state, i.characters, i.chunks, i.date, i.tags, i.caution) for i in infos],
        "reports": [info.extraction for info in infos],
        "texts": [(d.text, d.source, d.places) for d in map(snapshot.document, ids)],
        "quotable": [quoted_part(snapshot, info) for info in infos],
        "blocks": [snapshot.blocks(each) for each in ids],
        "chunks": [
            sorted((snapshot.chunk(row) for row in snapshot.rows_of([each])), key=lambda c: c.start)
            for each in ids
        ],
        "with_chunks": sorted(snapshot.document_ids),
        "files": [(f.document_id, f.path, f.sha256) for f in snapshot.files()],
        # Of a file that was read while it was young, the times are not kept.
        "stamps": [f.stamp and (f.stamp.size, f.stamp.inode) for f in snapshot.files()],
        "cautions": snapshot.cautions(),
        "roots": snapshot.roots(),
        "tags": (snapshot.tags(), snapshot.tags(given=True), snapshot.tag_names()),
        "given": snapshot.given_tags(ids),
        "versions": snapshot.families_of(ids),
        "sections": snapshot.superseded_sections(ids),
        "words": set(snapshot.vocabulary.words) if not snapshot.has_other_words else None,
    }
