"""Documents go from one store to the other and back, and stay what they were."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qa.errors import NoIndex, SameStore
from qa.library.documents import index_paths
from qa.library.migration import migrate_documents
from qa.library.stores import backend_of
from qa.settings import Settings
from tests.index.lance.test_contract import FILES, write
from tests.support.fakes import RecordingReporter
from tests.support.serving import carded, settings_in
from tests.support.stores import facts_of

pytest.importorskip("lancedb")


def facts(settings: Settings) -> dict[str, Any]:
    return {**facts_of(backend_of(settings)), "words": None}


def test_there_and_back_everything_is_the_same(tmp_path: Path) -> None:
    embedded = settings_in(tmp_path)
    shared = replace(embedded, store=str(tmp_path / "shared"))
    back = replace(embedded, data=tmp_path / "back")
    with pytest.raises(NoIndex):
        migrate_documents(embedded, shared, carded())
    corpus = write(tmp_path / "corpus", FILES)
    encoder = carded()
    index_paths(embedded, encoder, [corpus], RecordingReporter(), tags=["harbour"])
    embedded_texts = list(encoder.embedded)  # type: ignore[attr-defined]

    there = migrate_documents(embedded, shared, encoder)
    (corpus / "fees.md").unlink()  # no file is looked at
    backward = migrate_documents(shared, back, encoder)

    assert (there.copied, backward.copied) == (len(FILES), len(FILES))
    assert encoder.embedded == embedded_texts  # type: ignore[attr-defined]
    assert facts(shared) == facts(embedded) == facts(back)
    again = migrate_documents(embedded, shared, encoder)
    assert (again.copied, again.known) == (0, len(FILES))
    with pytest.raises(SameStore):
        migrate_documents(shared, shared, encoder)


def test_what_is_indexed_after_a_copy_is_unchanged(tmp_path: Path) -> None:
    embedded = settings_in(tmp_path)
    shared = replace(embedded, store=str(tmp_path / "shared"))
    corpus = write(tmp_path / "corpus", FILES)
    index_paths(embedded, carded(), [corpus], RecordingReporter())
    migrate_documents(embedded, shared, carded())
    summary = index_paths(shared, carded(), [corpus], RecordingReporter())

    assert {outcome.status for outcome in summary.outcomes} == {"unchanged"}
