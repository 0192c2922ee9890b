"""Manifest of a shared store: one row that names the version of every table.

It is the generation: a reader opens exactly these versions. A writer changes the tables first and
the manifest last. What a writer who was cut off has left in a table is a later version than the
manifest names; no reader sees it, and the next writer takes it back.

The row carries a lease, too. It keeps writers from doing work in vain, and no more: the manifest
changes only for the one who holds the lease at that moment, and only from the revision that he
read, so that a writer who was asleep for longer than his lease commits nothing.
"""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from index.errors import SchemaTooNew, StoreError
from index.lance.location import WriteConflict, connect, sql_text, translate_lance_errors

if TYPE_CHECKING:
    from lancedb.table import Table

TABLE = "manifest"
GRACE_MINUTES = 60
"""Minutes for which versions of tables are kept after they were replaced, for their readers."""
FORMAT = 1
"""Version of the tables, raised with them."""
_NOT_FOUND = "was not found"
"""Words of LanceDB's ValueError about a table that has no version yet."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """State of a shared store.

    `revision` counts all changes, `generation` those of documents, `tagged` those of tags. `tables`
    maps the names of tables to their versions. `next_chunk` is the id of the next new chunk;
    `documents`, `chunks` and `terms` are totals, of the terms in all chunks. `model` and
    `model_sha256` name the embedding model, empty before the first run. `related` is False while
    documents have changed since their versions were found. `roots` maps paths that were given to
    be indexed, in their stored form, to their exclude patterns. `superseded` holds the versions of
    the tables that were replaced lately, by the minute in which they were, the oldest first: there
    may be readers of them.
    """

    store: str
    revision: int = 0
    generation: int = 0
    tagged: int = 0
    format: int = FORMAT
    tables: dict[str, int] = field(default_factory=dict)
    next_chunk: int = 1
    documents: int = 0
    chunks: int = 0
    terms: int = 0
    model: str = ""
    model_sha256: str = ""
    related: bool = True
    roots: dict[str, list[str]] = field(default_factory=dict)
    superseded: list[tuple[int, dict[str, int]]] = field(default_factory=list)

    def following(self, changed: Manifest, now: float) -> Manifest:
        """Return what a change has made of this one, as the next revision at a time in seconds."""
        minute = int(now) // 60
        kept = [each for each in self.superseded if each[0] >= minute - GRACE_MINUTES]
        # The first of a minute has the lowest versions.
        if not kept or kept[-1][0] != minute:
            kept.append((minute, self.tables))
        return replace(changed, revision=self.revision + 1, superseded=kept)

    def oldest_version(self, table: str) -> int:
        """Return the oldest version of a table that a reader may have open."""
        versions = [tables.get(table) for _, tables in self.superseded]
        return min([self.tables[table], *(each for each in versions if each is not None)])


class Ledger:
    """Table with the manifest of the store at a location."""

    def __init__(self, location: str) -> None:
        self.location = location
        self._table: Table | None = None

    def exists(self) -> bool:
        """Return True if there is a store."""
        if self._table is None:
            self._table = self._table_if_created()
        return self._table is not None

    def _table_if_created(self) -> Table | None:
        """Return the table; None if there is none, or only the beginning of one.

        A listing names a table as soon as its first file is there: another process may still be
        creating it, or may have been cut off at that.
        """
        database = connect(self.location)
        with translate_lance_errors(self.location):
            if TABLE not in database.list_tables().tables:
                return None
            try:
                return database.open_table(TABLE)
            except ValueError as error:
                if _NOT_FOUND in str(error):
                    return None
                raise

    def create(self) -> None:
        """Create the manifest of an empty store, unless there is one."""
        if self.exists():
            return
        manifest = Manifest(uuid.uuid4().hex)
        row = {"revision": 0, "state": _packed(manifest), "owner": "", "until": 0.0}
        try:
            with translate_lance_errors(self.location):
                self._table = connect(self.location).create_table(TABLE, [row])
        except WriteConflict:  # another process has just done it
            self._table = self._table_if_created()

    def read(self) -> Manifest:
        """Return the manifest as it is now. Raises StoreError or SchemaTooNew."""
        return self._read()[0]

    def acquire(self, owner: str, seconds: float) -> Manifest | None:
        """Take the lease for some seconds; None if another one has it."""
        manifest, row = self._read()
        now = time.time()
        if row["owner"] not in {"", owner} and row["until"] > now:
            return None
        condition = (
            f"revision = {manifest.revision} AND owner = {sql_text(row['owner'])}"
            f" AND until = {row['until']!r}"
        )
        # Whole microseconds: the number is compared as it is written.
        until = round(now + seconds, 6)
        return manifest if self._update(condition, {"owner": owner, "until": until}) else None

    def commit(self, owner: str, manifest: Manifest) -> bool:
        """Store the manifest that follows the one of the lease, and end the lease.

        False if the lease has been lost meanwhile: then nothing has changed.
        """
        condition = f"revision = {manifest.revision - 1} AND owner = {sql_text(owner)}"
        values = {"revision": manifest.revision, "state": _packed(manifest)}
        return self._update(condition, {**values, "owner": "", "until": 0.0})

    def prolong(self, owner: str, seconds: float) -> None:
        """Let the lease of the one who has it end some seconds from now."""
        self._update(f"owner = {sql_text(owner)}", {"until": round(time.time() + seconds, 6)})

    def release(self, owner: str) -> None:
        """End the lease without a change."""
        self._update(f"owner = {sql_text(owner)}", {"owner": "", "until": 0.0})

    def tidy(self) -> None:
        """Delete the versions of the manifest that nobody can be reading any more."""
        from datetime import timedelta

        with translate_lance_errors(self.location):
            self._opened().optimize(cleanup_older_than=timedelta(minutes=GRACE_MINUTES))

    def _read(self) -> tuple[Manifest, dict[str, Any]]:
        try:
            row = self._row()
        except StoreError:  # it may just have been replaced and tidied up
            row = self._row()
        plain = json.loads(row["state"])
        plain["superseded"] = [(minute, tables) for minute, tables in plain["superseded"]]
        if plain["format"] > FORMAT:
            raise SchemaTooNew(
                f"{self.location} has format {plain['format']}, this program knows {FORMAT}:"
                " install a later quoted-qa"
            )
        return Manifest(**plain), row

    def _row(self) -> dict[str, Any]:
        with translate_lance_errors(self.location):
            table = self._opened()
            table.checkout_latest()
            [row] = table.search().to_arrow().to_pylist()
            return dict(row)

    def _update(self, condition: str, values: dict[str, Any]) -> bool:
        try:
            with translate_lance_errors(self.location):
                table = self._opened()
                table.checkout_latest()
                return bool(table.update(where=condition, values=values).rows_updated == 1)
        except WriteConflict:
            return False

    def _opened(self) -> Table:
        if self._table is None and not self.exists():
            raise ValueError("there is no store")
        assert self._table is not None  # noqa: S101 - `exists` has opened it
        return self._table


def _packed(manifest: Manifest) -> str:
    return json.dumps(asdict(manifest), sort_keys=True)
