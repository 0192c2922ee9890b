"""The store that the settings name; all of `qa` opens it here."""

from __future__ import annotations

from index.backend import Backend, backend_at
from qa.errors import NotOfSharedStore
from qa.settings import Settings


def backend_of(settings: Settings) -> Backend:
    """Return the store of the settings, not yet opened.

    Raises StoreError if the extra of the shared store is not installed.
    """
    return backend_at(settings.store, settings.data)


def refuse_shared(settings: Settings, what: str, instead: str) -> None:
    """Raise NotOfSharedStore if the store is shared, for what works on the embedded one alone."""
    if settings.store:
        raise NotOfSharedStore(f"{what} is not made for a shared store (QUOTED_STORE): {instead}")
