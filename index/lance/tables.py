"""Tables of a shared store, and how they are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa
    from lancedb.table import Table

DOCUMENTS, CHUNKS, TAGS, STAMPS = "documents", "chunks", "tags", "stamps"
VERSIONS, SECTIONS, VECTORS = "document_versions", "superseded_sections", "unclaimed_vectors"
COMMITTED = (DOCUMENTS, CHUNKS, TAGS, STAMPS, VERSIONS, SECTIONS)
"""Tables whose versions a manifest names; `unclaimed_vectors` is a cache beside them."""
TEXT_COLUMNS = ("text", "places", "crlf", "blocks", "traits", "words")
"""Columns of documents that may be long: they are read where they are needed."""


def schema_of(name: str, dimension: int = 0) -> pa.Schema:
    """Return the columns of a table; `dimension` is that of the vectors."""
    import pyarrow as pa

    text, long_text, number, flag = pa.string(), pa.large_string(), pa.int64(), pa.bool_()
    blob, vector = pa.large_binary(), pa.list_(pa.float16(), dimension or 1)
    columns: dict[str, dict[str, pa.DataType]] = {
        DOCUMENTS: {
            "id": text,
            "path": text,
            "uri": text,
            "uri_key": text,
            "name_key": text,
            "title": text,
            "title_is_real": flag,
            "text": long_text,
            "sha256": text,
            "size": number,
            "encoding": text,
            "bom_size": number,
            "crlf": blob,
            "language": text,
            "state": text,
            "recipe": number,
            "indexed_at": text,
            "date": text,
            "extractor": text,
            "date_source": text,
            "places": long_text,
            "digest": text,
            "blocks": blob,
            "traits": long_text,
            "report": text,
            "characters": number,
            "chunks": number,
            "words": long_text,
            "generation": number,
            "part_of": text,
        },
        CHUNKS: {
            "id": number,
            "document_id": text,
            "start": number,
            "stop": number,
            "text": text,
            "headings": text,
            "columns": text,
            "sentences": pa.binary(),
            "terms": text,
            "term_set": pa.list_(text),
            "length": number,
            "vector_key": text,
            "vector": vector,
        },
        TAGS: {"document_id": text, "tag": text, "given": flag},
        STAMPS: {"document_id": text, "stamp": text},
        VERSIONS: {
            "document_id": text,
            "family": text,
            "position": number,
            "relation": text,
            "reason": text,
            "is_invalid": flag,
        },
        SECTIONS: {"document_id": text, "section": text, "newer_id": text, "reason": text},
        VECTORS: {"key": text, "vector": vector, "saved_at": pa.float64()},
    }
    return pa.schema(list(columns[name].items()))


def select(
    table: Table | None,
    columns: Sequence[str],
    where: str = "",
    *,
    order: Sequence[str] = (),
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """Return the rows of a table that meet a condition, by the `order` of some columns."""
    if table is None or where == "FALSE":
        return []
    query = table.search().select(list(columns)).limit(limit)
    if where:
        query = query.where(where)
    if order:
        from lancedb.query import ColumnOrdering

        query = query.order_by([ColumnOrdering(column_name=each) for each in order])
    rows: list[dict[str, Any]] = query.to_arrow().to_pylist()
    return rows


def count(table: Table | None, where: str) -> int:
    """Return the number of rows that meet a condition."""
    return 0 if table is None or where == "FALSE" else int(table.count_rows(where))
