"""Both stores keep the parts of a file with it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from index.backend import Backend, limited_to
from index.ingestion.ingest import ingest
from index.store.contract import DocumentInfo, DocumentStore
from tests.index.ingestion.test_parts import write_mail
from tests.support.fakes import FakeEncoder, RecordingReporter
from tests.support.stores import STORES

pytest.importorskip("lancedb")


@pytest.fixture(params=STORES)
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    return STORES[request.param](tmp_path)


def index(store: DocumentStore, corpus: Path) -> None:
    with store.writing():
        ingest([corpus], store, FakeEncoder(), RecordingReporter(), prune=True, yes=True)


def listed(backend: Backend) -> list[DocumentInfo]:
    with closing(backend.open_snapshot()) as snapshot:
        return snapshot.documents()


def test_parts_come_change_move_and_go_with_their_file(backend: Backend, tmp_path: Path) -> None:
    corpus = tmp_path / "mails"
    corpus.mkdir()
    erased: list[str] = []
    moves: list[tuple[str, str]] = []
    with closing(
        backend.open_writer(erased.extend, lambda old, new: moves.append((old, new)))
    ) as store:
        write_mail(corpus / "a.eml")
        index(store, corpus)
        outer, inner, inmost = listed(backend)
        assert [each.uri for each in (outer, inner, inmost)] == ["a.eml", "a.eml#1", "a.eml#1.1"]
        assert [each.part_of for each in (outer, inner, inmost)] == [None, outer.id, outer.id]
        assert [file.document_id for file in store.files_under(corpus)] == [outer.id]
        found = store.file(inner.id)
        assert found is not None
        assert (found.path, found.part) == (corpus / "a.eml", "1")

        with store.writing():
            store.tags.add([outer.id], ["boats"])
        write_mail(corpus / "a.eml", ("New text.", "New text inside."))
        index(store, corpus)
        assert erased == [inmost.id]
        assert [(each.uri, each.tags) for each in listed(backend)] == [
            ("a.eml", ("boats",)), ("a.eml#1", ("boats",)),
        ]  # fmt: skip

        before = listed(backend)
        (corpus / "a.eml").rename(corpus / "b.eml")
        index(store, corpus)
        after = listed(backend)
        assert [each.uri for each in after] == ["b.eml", "b.eml#1"]
        assert moves == [(old.id, new.id) for old, new in zip(before, after, strict=True)]
        with closing(backend.open_snapshot()) as snapshot:
            view = limited_to(snapshot, ["boats"])
            assert view.document_count == 2
            assert view.file(after[1].id).stamp == view.file(after[0].id).stamp

        with store.writing():
            store.tags.replace(after[0].id, ["sea"])
            store.set_state(after[0].id, "changed")
        assert [(each.tags, each.state) for each in listed(backend)] == [(("sea",), "changed")] * 2

        with store.writing():
            store.remove([after[0].id])
        assert listed(backend) == []
        assert erased == [inmost.id, *(each.id for each in after)]
