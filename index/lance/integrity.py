"""Checks of a shared store that nobody has to stop for."""

from __future__ import annotations

from collections.abc import Iterator

from index.lance.rows import digest_of
from index.lance.snapshot import LanceSnapshot
from index.lance.tables import CHUNKS, COMMITTED, DOCUMENTS
from index.store.document_row import PARSED_COLUMNS
from index.store.integrity import IntegrityIssue

AT_ONCE = 200
"""Documents that are read at once with their texts."""


def store_issues(snapshot: LanceSnapshot) -> Iterator[IntegrityIssue]:
    """Yield what is wrong with a generation of a shared store. Raises StoreError."""
    manifest = snapshot.manifest
    lengths = snapshot.select(CHUNKS, ["length", "document_id"])
    documents = [row["id"] for row in snapshot.select(DOCUMENTS, ["id"])]
    counted = (len(documents), len(lengths), sum(row["length"] for row in lengths))
    expected = (manifest.documents, manifest.chunks, manifest.terms)
    if counted != expected:
        yield IntegrityIssue(
            f"the tables hold {counted} documents, passages and words, not {expected}",
            "`qa forget --all` and index again",
        )
    if {row["document_id"] for row in lengths} - set(documents) or len(documents) != len(
        set(documents)
    ):
        yield IntegrityIssue(
            "passages without a document, or a document twice", "`qa forget --all` and index again"
        )
    for name in COMMITTED:
        snapshot.table(name)
    for start in range(0, len(documents), AT_ONCE):
        yield from _damaged(snapshot, documents[start : start + AT_ONCE])


def _damaged(snapshot: LanceSnapshot, document_ids: list[str]) -> Iterator[IntegrityIssue]:
    """Yield the documents whose rows differ from what was written."""
    for row in snapshot.rows_of_documents(document_ids, ["uri", "digest", *PARSED_COLUMNS]):
        if digest_of(row) != row["digest"]:
            yield IntegrityIssue(
                f"{row['uri']} is stored with other words than were read from its file",
                f"`qa remove {row['uri']}` and index it again",
            )
