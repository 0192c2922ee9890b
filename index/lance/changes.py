"""Changes of a shared store's tables, each made within one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from index.document import Document
from index.lance.location import connect, sql_in
from index.lance.manifest import Manifest
from index.lance.rows import chunk_rows, document_row
from index.lance.tables import (
    CHUNKS,
    COMMITTED,
    DOCUMENTS,
    SECTIONS,
    STAMPS,
    TAGS,
    VECTORS,
    VERSIONS,
    schema_of,
)
from index.lance.transaction import Transaction
from index.store.contract import IndexedChunk
from index.text.versions import Versions, find_versions, traits_from_json

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Put:
    """Document to be stored, with its chunks and where it was before.

    `part_of` is the id of the document whose file it is a part of.
    """

    document: Document
    path: str
    chunks: Sequence[IndexedChunk]
    vectors: Mapping[bytes, NDArray[np.float32]]
    recipe: int
    moved_from: str | None
    part_of: str | None = None


@dataclass
class Waiting:
    """Changes that the next transaction makes.

    `vanished` are parts that the files of its documents do not have any more.
    """

    puts: list[Put] = field(default_factory=list)
    vanished: list[str] = field(default_factory=list)
    stamps: dict[str, str] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    roots: dict[str, list[str]] = field(default_factory=dict)

    def is_empty(self) -> bool:
        """Return True if there is nothing to do."""
        return not (self.puts or self.stamps or self.states or self.roots)


def raise_generation(transaction: Transaction) -> None:
    """Count a change of documents."""
    transaction.change(generation=transaction.manifest.generation + 1)


def forget_tables(transaction: Transaction) -> None:
    """Begin anew without tables; the next model may have vectors of another dimension."""
    before = transaction.manifest
    transaction.manifest = Manifest(
        before.store,
        revision=before.revision,
        generation=before.generation + 1,
        tagged=before.tagged,
        next_chunk=before.next_chunk,
    )


def drop_tables(transaction: Transaction) -> None:
    """Delete the files of all tables, unless another writer has begun to fill them again."""
    if transaction.manifest.tables:
        return
    database = connect(transaction.location)
    for name in {*COMMITTED, VECTORS} & set(database.list_tables().tables):
        database.drop_table(name)


def apply(transaction: Transaction, waiting: Waiting) -> None:
    """Make the changes that wait."""
    if waiting.puts:
        # Of one document that was put twice, the later one counts.
        puts = list({put.document.id: put for put in waiting.puts}.values())
        _put_documents(transaction, puts, waiting.vanished)
    for state in sorted(set(waiting.states.values())):
        ids = [each for each, new in waiting.states.items() if new == state]
        transaction.update(DOCUMENTS, sql_in("id", ids), {"state": state})
    if waiting.puts or waiting.states:
        raise_generation(transaction)
    _write_stamps(transaction, waiting.stamps)
    if waiting.roots:
        transaction.change(roots={**transaction.manifest.roots, **waiting.roots})


def _put_documents(transaction: Transaction, puts: Sequence[Put], vanished: Sequence[str]) -> None:
    moved = {put.moved_from: put.document.id for put in puts if put.moved_from}
    ids = sorted({put.document.id for put in puts} | moved.keys() | {*vanished})
    # A path belongs to one document, whoever has indexed it.
    paths = sql_in("path", [put.path for put in puts])
    delete_documents(transaction, f"{sql_in('id', ids)} OR {paths}")
    _write_chunks(transaction, puts)
    generation = transaction.manifest.generation + 1
    rows = [
        document_row(
            put.document,
            path=put.path,
            chunks=len(put.chunks),
            recipe=put.recipe,
            generation=generation,
            part_of=put.part_of,
        )
        for put in puts
    ]
    transaction.add(DOCUMENTS, rows)
    _write_own_tags(transaction, puts, moved)
    _write_tags_of_parts(transaction, puts, vanished)
    transaction.delete(STAMPS, sql_in("document_id", sorted({*moved, *vanished})))
    transaction.change(documents=transaction.manifest.documents + len(rows), related=False)


def _write_chunks(transaction: Transaction, puts: Sequence[Put]) -> None:
    rows: list[dict[str, Any]] = []
    for put in puts:
        first = transaction.manifest.next_chunk + len(rows)
        rows += chunk_rows(put.chunks, put.vectors, first)
    if not rows:
        return
    transaction.add(CHUNKS, _chunk_table(rows))
    manifest = transaction.manifest
    transaction.change(
        next_chunk=manifest.next_chunk + len(rows),
        chunks=manifest.chunks + len(rows),
        terms=manifest.terms + sum(row["length"] for row in rows),
    )


def _chunk_table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Return chunks as a table, whose vectors are copied as one array."""
    import pyarrow as pa

    vectors = np.stack([row["vector"] for row in rows])
    schema = schema_of(CHUNKS, vectors.shape[1])
    flat = pa.array(vectors.reshape(-1), type=pa.float16())
    columns = {
        name: pa.array([row[name] for row in rows], type=schema.field(name).type)
        for name in schema.names
        if name != "vector"
    }
    columns["vector"] = pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
    return pa.table(columns, schema=schema)


def delete_documents(transaction: Transaction, condition: str) -> None:
    """Delete the documents that meet a condition, with their chunks."""
    gone = [row["id"] for row in transaction.read(DOCUMENTS, ["id"], condition)]
    if not gone:
        return
    of_documents = sql_in("document_id", gone)
    lengths = [row["length"] for row in transaction.read(CHUNKS, ["length"], of_documents)]
    transaction.delete(CHUNKS, of_documents)
    transaction.delete(DOCUMENTS, sql_in("id", gone))
    manifest = transaction.manifest
    transaction.change(
        documents=manifest.documents - len(gone),
        chunks=manifest.chunks - len(lengths),
        terms=manifest.terms - sum(lengths),
        related=False,
    )


def _write_own_tags(
    transaction: Transaction, puts: Sequence[Put], moved: Mapping[str, str]
) -> None:
    """Write the tags that documents name, and move the given ones with their documents."""
    given = transaction.read(
        TAGS, ["document_id", "tag"], f"given AND {sql_in('document_id', sorted(moved))}"
    )
    ids = sql_in("document_id", [put.document.id for put in puts])
    has_old = transaction.read(TAGS, ["tag"], f"NOT given AND {ids}")
    if moved:
        transaction.delete(TAGS, sql_in("document_id", sorted(moved)))
    if has_old:
        transaction.delete(TAGS, f"NOT given AND {ids}")
    own = {(put.document.id, tag) for put in puts for tag in put.document.tags}
    transaction.add(
        TAGS,
        [{"document_id": each, "tag": tag, "given": False} for each, tag in sorted(own)],
    )
    give(transaction, {(moved[row["document_id"]], row["tag"]) for row in given}, counts=False)


def _write_tags_of_parts(
    transaction: Transaction, puts: Sequence[Put], vanished: Sequence[str]
) -> None:
    """Give parts the tags of their files, in place of those that they had."""
    parts: dict[str, list[str]] = {}
    for put in puts:
        if put.part_of:
            parts.setdefault(put.part_of, []).append(put.document.id)
    changed = sorted({*vanished, *(each for ids in parts.values() for each in ids)})
    if not changed:
        return
    rows = transaction.read(
        TAGS, ["document_id", "tag", "given"], sql_in("document_id", sorted(parts))
    )
    transaction.delete(TAGS, sql_in("document_id", changed))
    transaction.add(
        TAGS, [{**row, "document_id": each} for row in rows for each in parts[row["document_id"]]]
    )


def give(
    transaction: Transaction,
    pairs: set[tuple[str, str]],
    *,
    is_change: bool = False,
    counts: bool = True,
) -> None:
    """Add (document id, tag) pairs that people give, of documents that exist.

    With `counts` it is a change of tags if any is new, and in any case with `is_change`.
    """
    of_documents = sorted({document_id for document_id, _ in pairs})
    known = transaction.read(
        TAGS, ["document_id", "tag"], f"given AND {sql_in('document_id', of_documents)}"
    )
    has = {(row["document_id"], row["tag"]) for row in known}
    rows = transaction.read(DOCUMENTS, ["id"], sql_in("id", of_documents))
    exists = {row["id"] for row in rows}
    new = sorted(pair for pair in pairs - has if pair[0] in exists)
    transaction.add(TAGS, [{"document_id": each, "tag": tag, "given": True} for each, tag in new])
    if counts and (new or is_change):
        transaction.change(tagged=transaction.manifest.tagged + 1)


def _write_stamps(transaction: Transaction, stamps: Mapping[str, str]) -> None:
    """Write the stamps that differ from those that are stored."""
    of_documents = sql_in("document_id", sorted(stamps))
    rows = transaction.read(STAMPS, ["document_id", "stamp"], of_documents)
    known = {row["document_id"]: row["stamp"] for row in rows}
    changed = {each: stamp for each, stamp in stamps.items() if known.get(each, "") != stamp}
    if known.keys() & changed.keys():
        transaction.delete(STAMPS, sql_in("document_id", sorted(known.keys() & changed.keys())))
    transaction.add(
        STAMPS,
        [{"document_id": each, "stamp": stamp} for each, stamp in changed.items() if stamp],
    )


def relate(transaction: Transaction) -> None:
    """Find the versions among all documents anew, and store them if they have changed."""
    rows = transaction.read(DOCUMENTS, ["id", "traits"])
    traits = {row["id"]: traits_from_json(row["traits"]) for row in sorted(rows, key=_id_of)}
    found = find_versions(traits)
    transaction.change(related=True)
    if _is_stored(transaction, found):
        return
    transaction.delete(VERSIONS, "TRUE")
    transaction.delete(SECTIONS, "TRUE")
    transaction.add(VERSIONS, [_plain(each) for each in found.documents])
    transaction.add(SECTIONS, [_plain(each) for each in found.sections])
    raise_generation(transaction)


def _is_stored(transaction: Transaction, found: Versions) -> bool:
    """Return True if the stored versions are those found."""
    for name, wanted in ((VERSIONS, found.documents), (SECTIONS, found.sections)):
        stored = transaction.read(name, schema_of(name).names)
        if {tuple(row.values()) for row in stored} != {
            tuple(_plain(each)[column] for column in schema_of(name).names) for each in wanted
        }:
            return False
    return True


def _plain(record: Any) -> dict[str, Any]:  # noqa: ANN401 - DocumentVersion or SupersededSection
    return {name: getattr(record, name) for name in record.__slots__}


def _id_of(row: Mapping[str, Any]) -> str:
    return str(row["id"])
