"""Connection to the place of a shared store: a folder or a prefix in an object store.

LanceDB is imported with the first connection. It reads the keys of an object store from the
variables of that store's own tools (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL and so on).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.errors import StoreError

if TYPE_CHECKING:
    from lancedb import DBConnection

EXTRA = "a shared store (QUOTED_STORE) needs `pip install 'quoted-qa[lance]'`"
_CONFLICTS = ("conflict", "concurrent", "already exists", "preempted")
"""Words of LanceDB's errors about another writer who was first."""


class WriteConflict(Exception):
    """Another writer was first: the change has to be made again on what is there now."""


@cache
def connect(location: str) -> DBConnection:
    """Connect to a folder, which is created, or to a prefix of an object store.

    Raises StoreError.
    """
    # Else its engine reports on standard error what it will do otherwise one day.
    os.environ.setdefault("LANCEDB_LOG", "error")
    try:
        import lancedb
    except ImportError as error:
        raise StoreError(EXTRA) from error
    with translate_lance_errors(location):
        if "://" not in location:
            Path(location).mkdir(mode=0o700, parents=True, exist_ok=True)
        return lancedb.connect(location)


@contextmanager
def translate_lance_errors(location: str) -> Iterator[None]:
    """Translate errors of LanceDB into WriteConflict or StoreError."""
    try:
        yield
    # LanceDB has no errors of its own: its engine raises these three.
    except (RuntimeError, OSError, ValueError) as error:
        message = str(error)
        if any(word in message.lower() for word in _CONFLICTS):
            raise WriteConflict(message) from error
        [first, *_] = message.splitlines() or [type(error).__name__]
        raise StoreError(f"the shared store {location} cannot be used: {first[:300]}") from error


def sql_text(value: str) -> str:
    """Return a text as a literal of SQL."""
    return "'" + value.replace("'", "''") + "'"


def sql_in(column: str, values: Any) -> str:  # noqa: ANN401 - texts or numbers
    """Return the condition that a column has one of some values; none of no values has it."""
    literals = [sql_text(each) if isinstance(each, str) else str(int(each)) for each in values]
    return f"{column} IN ({', '.join(literals)})" if literals else "FALSE"
