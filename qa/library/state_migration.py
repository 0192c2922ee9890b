"""Copy of what users made, from one machine to what several servers share, and back."""

from __future__ import annotations

from qa.access.key_store import DATABASE as KEYS
from qa.errors import SettingsError
from qa.settings import Settings
from qa.state.database import DATABASE as STATE
from qa.state.state_copy import copy_state

# Upload jobs are left out: their files are here alone until they are documents.
_STATE_TABLES = (
    "conversations",
    "turns",
    "quoted",
    "versions",
    "feedback",
    "watched",
    "watched_answers",
    "watched_quotes",
    "claims",
    "threads",
    "uploads",
    "refused",
)
_KEY_TABLES = ("keys", "sessions", "audit")


def migrate_state(settings: Settings, *, back: bool = False) -> dict[str, int]:
    """Copy conversations, feedback, keys and all else to the database of the settings, or `back`.

    Back is to the files of the data directory. Upload jobs stay behind. Returns the number of rows
    by table. Raises SettingsError without a database, or StoreError, also if there is something in
    the target already.
    """
    if not settings.state:
        raise SettingsError("there is no shared state to copy to or from: set QUOTED_STATE")
    # The keys first: without them a server would be open to everybody.
    keys = copy_state(settings.data, settings.state, KEYS, _KEY_TABLES, back=back)
    return keys | copy_state(settings.data, settings.state, STATE, _STATE_TABLES, back=back)
