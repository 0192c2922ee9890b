"""Changes of a shared store: tables first, the manifest last, all again if another was first."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from index.errors import StoreBusy, StoreError
from index.lance.location import WriteConflict, connect, translate_lance_errors
from index.lance.manifest import Ledger, Manifest
from index.lance.tables import schema_of, select

if TYPE_CHECKING:
    import pyarrow as pa
    from lancedb.table import Table

LEASE_SECONDS = 15.0
"""Seconds after which others need not wait any more for a process that was killed."""
HEARTBEAT_SECONDS = 4.0
"""Seconds between two prolongations of the lease by the one who is at work."""
WAIT_SECONDS = 120.0
"""Longest wait for other writers, each of whom takes a fraction of a second for a change."""
PAUSE_SECONDS = 0.03
"""Mean pause before the lease is asked for again."""


class Transaction:
    """Change of a store under way: each operation leads to the next version of a table."""

    def __init__(self, location: str, manifest: Manifest) -> None:
        self.location = location
        self.manifest = manifest
        self._tables: dict[str, Table] = {}

    def change(self, **values: Any) -> None:  # noqa: ANN401 - fields of Manifest
        """Replace fields of the manifest."""
        self.manifest = replace(self.manifest, **values)

    def read(self, name: str, columns: Sequence[str], where: str = "") -> list[dict[str, Any]]:
        """Return rows of a table, with what this transaction has changed so far."""
        return select(self.table(name), columns, where)

    def table(self, name: str) -> Table | None:
        """Return a table at its version; None if there is none yet.

        What another writer has left behind the version is taken back.
        """
        if name not in self.manifest.tables:
            return None
        if name not in self._tables:
            version = self.manifest.tables[name]
            table = connect(self.location).open_table(name)
            if table.version != version:
                table.checkout(version)
                table.restore()
                self._note(name, int(table.version))
            self._tables[name] = table
        return self._tables[name]

    def add(self, name: str, rows: Sequence[Mapping[str, Any]] | pa.Table) -> None:
        """Append rows to a table."""
        import pyarrow as pa

        if not len(rows):
            return
        table = self._created(name, rows)
        if not isinstance(rows, pa.Table):
            rows = pa.Table.from_pylist(list(rows), schema=schema_of(name))
        self._follow(name, table.add(rows).version)

    def delete(self, name: str, where: str) -> None:
        """Delete the rows that meet a condition."""
        table = self.table(name)
        if table is not None and where != "FALSE":
            self._follow(name, table.delete(where).version)

    def update(self, name: str, where: str, values: Mapping[str, Any]) -> None:
        """Set columns of the rows that meet a condition."""
        table = self.table(name)
        if table is not None and where != "FALSE":
            self._follow(name, table.update(where=where, values=dict(values)).version)

    def maintain(self, name: str, work: Callable[[Table], None]) -> None:
        """Change the files of a table, not its rows; nobody else must commit meanwhile."""
        table = self.table(name)
        if table is not None:
            work(table)
            table.checkout_latest()
            self._note(name, int(table.version))

    def _created(self, name: str, rows: Sequence[Mapping[str, Any]] | pa.Table) -> Table:
        """Return a table, which is created with the columns of its first rows."""
        import pyarrow as pa

        table = self.table(name)
        if table is None:
            schema = rows.schema if isinstance(rows, pa.Table) else schema_of(name)
            database = connect(self.location)
            # It is there already if the one who created it was cut off.
            table = database.create_table(name, schema=schema, mode="overwrite")
            self._tables[name] = table
            self._note(name, int(table.version))
        return table

    def _follow(self, name: str, version: int) -> None:
        """Note the version that an operation has led to; it must be the next one."""
        if version - self.manifest.tables[name] > 1:
            raise WriteConflict(f"another writer has changed {name}")
        self._note(name, version)

    def _note(self, name: str, version: int) -> None:
        self.change(tables={**self.manifest.tables, name: version})


class Transactions:
    """Changes of the store at a location, one after the other among all processes."""

    def __init__(self, location: str, *, heartbeat_seconds: float = HEARTBEAT_SECONDS) -> None:
        """Change the store at a location; the lease is prolonged every `heartbeat_seconds`."""
        self.location = location
        self.ledger = Ledger(location)
        self._heartbeat_seconds = heartbeat_seconds
        self._owner = uuid.uuid4().hex
        # The lease is the process's, not the thread's.
        self._lock = threading.Lock()

    def run(
        self,
        change: Callable[[Transaction], None],
        *,
        seconds: float = LEASE_SECONDS,
        on_wait: Callable[[], None] = lambda: None,
        patience: float = WAIT_SECONDS,
    ) -> Manifest:
        """Make a change, as often as another writer is first; return the manifest after it.

        `on_wait` is called once if another process is at work. Raises StoreBusy after `patience`
        seconds, or StoreError.
        """
        until = time.monotonic() + patience
        with self._lock:
            while True:
                begun = self._leased(seconds, on_wait, until)
                try:
                    with self._heartbeat(seconds):
                        done = self._attempt(begun, change)
                except WriteConflict:
                    done = None
                if done is not None:
                    return done
                _pause(until)

    def _attempt(self, begun: Manifest, change: Callable[[Transaction], None]) -> Manifest | None:
        """Make a change on what a manifest says; None if it could not be committed."""
        with self._released_on_error(), translate_lance_errors(self.location):
            transaction = Transaction(self.location, begun)
            change(transaction)
            after = transaction.manifest
            if after == begun:
                self.ledger.release(self._owner)
                return begun
            after = begun.following(after, time.time())
            return after if self.ledger.commit(self._owner, after) else None

    def _leased(self, seconds: float, on_wait: Callable[[], None], until: float) -> Manifest:
        """Wait for the lease, and return the manifest at its beginning."""
        is_first = True
        while (manifest := self.ledger.acquire(self._owner, seconds)) is None:
            if is_first:
                on_wait()
                is_first = False
            _pause(until)
        return manifest

    @contextmanager
    def _heartbeat(self, seconds: float) -> Iterator[None]:
        """Prolong the lease by some seconds at a time while the block runs."""
        is_over = threading.Event()

        def beat() -> None:
            ledger = Ledger(self.location)
            while not is_over.wait(self._heartbeat_seconds):
                with suppress(StoreError):  # without it, the change may have to be made again
                    ledger.prolong(self._owner, seconds)

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()

    @contextmanager
    def _released_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException:  # whatever stops it, the others need not wait for the lease to end
            self.ledger.release(self._owner)
            raise


def _pause(until: float) -> None:
    """Wait a moment. Raises StoreBusy once it is too late."""
    if time.monotonic() > until:
        raise StoreBusy("other processes keep writing to the shared store: try again later")
    time.sleep(random.uniform(0.5, 1.5) * PAUSE_SECONDS)
