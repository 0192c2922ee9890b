"""Audit log: who changed what.

Changes are logged once there are keys; before, one person has this machine for themselves.
"""

from __future__ import annotations

import getpass
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from qa.access.key_store import FILE_NAME, Entry, KeyStore


def log_command(data: Path, action: str, target: str = "") -> None:
    """Log a change that a command has made, by the name of the system's user."""
    if (data / FILE_NAME).is_file():
        with closing(KeyStore(data)) as store:
            store.add_entry(f"command:{_user()}", action, target, "done")


def entries(data: Path, last: int) -> list[Entry]:
    """Return the last entries, the oldest first; none where there are no keys."""
    if not (data / FILE_NAME).is_file():
        return []
    with closing(KeyStore(data)) as store:
        return store.entries(last)


def _user(name: Callable[[], str] = getpass.getuser) -> str:
    try:
        return name()
    except (OSError, KeyError):  # an account without a name, as in a container
        return "?"
