"""Upkeep of a shared store: indexes of its tables, fewer files, no versions of long ago.

Whatever is missing costs time, never an answer: what no index covers yet is searched without one.
Versions of tables are deleted an hour after they were replaced. LanceDB writes a file without its
deleted rows only once they are a tenth of it, so the text of a removed document may stay in the
store's files for longer, though no generation shows it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from index.lance.changes import raise_generation
from index.lance.tables import CHUNKS, DOCUMENTS, STAMPS, TAGS
from index.lance.transaction import Transaction, Transactions

if TYPE_CHECKING:
    from lancedb.table import Table

FRAGMENTS = 8
"""Files of a table from which they are joined."""
UNINDEXED = 2000
"""Rows outside of an index up to which it is left as it is: looking through them takes 10 ms."""
INDEXED_FROM = 50_000
"""Chunks from which vectors have an approximate index; up to there all are compared."""
ROWS_OF_PARTITION = 1000
"""Vectors in a partition of their index, about."""
MARGIN = timedelta(seconds=10)
"""Age that a version may seem to have gained until LanceDB looks at it."""
SCALARS = {
    CHUNKS: {
        "id": "BTREE",
        "document_id": "BTREE",
        "vector_key": "BTREE",
        "term_set": "LABEL_LIST",
    },
    DOCUMENTS: {"id": "BTREE", "path": "BTREE", "uri": "BTREE", "sha256": "BTREE"},
    TAGS: {"document_id": "BTREE", "tag": "BTREE"},
    STAMPS: {"document_id": "BTREE"},
}
"""Indexes of columns."""


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Limits from which upkeep is due."""

    fragments: int = FRAGMENTS
    unindexed: int = UNINDEXED
    indexed_from: int = INDEXED_FROM


def maintain(transactions: Transactions, limits: Upkeep = Upkeep()) -> bool:
    """Do what is due, one process at a time; return True if anything was. Raises StoreError."""
    manifest = transactions.ledger.read()
    due = [name for name in SCALARS if name in manifest.tables]
    done: list[str] = []

    def work(transaction: Transaction) -> None:
        done.clear()
        for name in due:
            table = transaction.table(name)
            if table is not None and _is_due(name, table, limits):
                oldest = transaction.manifest.oldest_version(name)
                transaction.maintain(name, _worker(name, limits, oldest))
                done.append(name)
        if done:
            # Readers follow, so that what they have open now can be deleted one day.
            raise_generation(transaction)

    transactions.run(work)
    if done:
        transactions.ledger.tidy()
    return bool(done)


def _is_due(name: str, table: Table, limits: Upkeep) -> bool:
    indexes = {index.name: index for index in table.list_indices()}
    if table.count_rows() and not indexes:
        return True
    fragments = table.stats()["fragment_stats"]["num_fragments"]
    unindexed = [index.num_unindexed_rows or 0 for index in indexes.values()]
    if fragments > limits.fragments or max(unindexed, default=0) > limits.unindexed:
        return True
    return _lacks_vectors(name, table, limits)


def _lacks_vectors(name: str, table: Table, limits: Upkeep) -> bool:
    """Return True for chunks so many that their vectors should have an index, and have none."""
    has = any(index.columns == ["vector"] for index in table.list_indices())
    return name == CHUNKS and not has and table.count_rows() >= limits.indexed_from


def _worker(name: str, limits: Upkeep, oldest: int) -> Callable[[Table], None]:
    """Return the function that works on a table; versions before the `oldest` may go."""

    def work(table: Table) -> None:
        from lancedb.index import FTS, BTree, IvfSq, LabelList

        kinds = {"BTREE": BTree, "LABEL_LIST": LabelList}
        has = {column for index in table.list_indices() for column in index.columns}
        for column, kind in SCALARS[name].items():
            if column not in has:
                table.create_index(column, config=kinds[kind]())
        if name == CHUNKS and "terms" not in has:
            # The terms are ours: they are neither stemmed nor folded again.
            words = FTS(
                base_tokenizer="whitespace",
                lower_case=False,
                stem=False,
                remove_stop_words=False,
                ascii_folding=False,
                max_token_length=None,
            )
            table.create_index("terms", config=words)
        if _lacks_vectors(name, table, limits):
            partitions = max(1, table.count_rows() // ROWS_OF_PARTITION)
            vectors = IvfSq(distance_type="dot", num_partitions=partitions)
            table.create_index("vector", config=vectors)
        table.optimize(cleanup_older_than=_age_of(table, oldest))

    return work


def _age_of(table: Table, oldest: int) -> timedelta:
    """Return the age beyond which no version from the `oldest` on is.

    The times of versions are those of the clocks of several machines.
    """
    times = [each["timestamp"] for each in table.list_versions() if each["version"] >= oldest]
    ages = [datetime.now(each.tzinfo) - each for each in times]
    return max(ages, default=timedelta(days=1)) + MARGIN
