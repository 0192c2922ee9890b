"""Audit log: who changed what.

Changes are logged once there are keys; before, one person has this machine for themselves.
"""

from __future__ import annotations

import getpass
from collections.abc import Callable
from contextlib import closing

from qa.access.key_store import Entry, has_key_store, open_key_store
from qa.settings import Settings


def log_command(settings: Settings, action: str, target: str = "") -> None:
    """Log a change that a command has made, by the name of the system's user."""
    if has_key_store(settings):
        with closing(open_key_store(settings)) as store:
            if store.has_keys():
                store.add_entry(f"command:{_user()}", action, target, "done")


def entries(settings: Settings, last: int) -> list[Entry]:
    """Return the last entries, the oldest first; none where there are no keys."""
    if not has_key_store(settings):
        return []
    with closing(open_key_store(settings)) as store:
        return store.entries(last)


def _user(name: Callable[[], str] = getpass.getuser) -> str:
    try:
        return name()
    except (OSError, KeyError):  # an account without a name, as in a container
        return "?"
