"""The one check behind every door: of credentials, roles and rates."""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from qa.access.key_store import FILE_NAME, KeyStore
from qa.access.principal import LOCAL, Permission, Principal, local_owner
from qa.errors import NotAllowed, NotSignedIn, TooManyQuestions

MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Credentials:
    """Proofs of identity that came with a request: a key, a session of the page, a person's name.

    `person` comes from a trusted proxy that has signed the person in.
    """

    key: str | None = None
    session: str | None = None
    person: str | None = None


class Gatekeeper:
    """Check of credentials, roles and rates for one data directory.

    Keys are needed when there has ever been one, or if they are `required`, as beyond loopback.
    """

    def __init__(
        self,
        data: Path,
        location: str = "",
        *,
        required: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Check with the keys in a data directory, or in the database at a location."""
        self._data, self._location = data, location
        self._is_keyed = required
        self._opening = threading.Lock()
        self._opened: KeyStore | None = None
        self._rates = RateLimiter(clock)

    @property
    def needs_keys(self) -> bool:
        """True if nobody may pass without a key; once true, it stays so. Raises StoreError."""
        if not self._is_keyed and self._has_store:
            self._is_keyed = self.store.has_keys()
        return self._is_keyed

    @property
    def store(self) -> KeyStore:
        """The key store, opened when it is first needed. Raises StoreError."""
        with self._opening:
            if self._opened is None:
                self._opened = KeyStore(self._data, self._location)
            return self._opened

    @property
    def is_shared(self) -> bool:
        """True if the keys are in a database that may be on another machine."""
        return bool(self._location)

    @property
    def _has_store(self) -> bool:
        return bool(self._location) or (self._data / FILE_NAME).is_file()

    def has_valid_keys(self) -> bool:
        """Return True if somebody can pass. Raises StoreError."""
        if not self._has_store:
            return False
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return any(key.is_valid(now) for key in self.store.listed())

    def close(self) -> None:
        """Close the key store."""
        if self._opened is not None:
            self._opened.close()

    def principal(self, credentials: Credentials) -> Principal | None:
        """Return who somebody is, None if they have not shown it.

        Where no keys are needed it is the local person, with conversations of their own for each
        text that they send as a key. Raises NotSignedIn for a key or a person that is not valid.
        """
        if not self.needs_keys:
            key = credentials.key
            return local_owner(f"key:{_hashed(key)}") if key else LOCAL
        if credentials.person:
            found = self.store.key_of_person(credentials.person)
            if found is None:
                raise NotAllowed(
                    "nobody has given you access: ask for `qa keys create NAME --person`, "
                    "with the name that your sign-in gives you"
                )
            return found.principal
        if credentials.key:
            found = self.store.key_of(credentials.key)
            if found is None:
                raise NotSignedIn("the key is unknown, expired or revoked: ask for another one")
            return found.principal
        found = self.store.key_of_session(credentials.session) if credentials.session else None
        return found.principal if found else None

    def owners_within(self, principal: Principal) -> frozenset[str] | None:
        """Return the owners who may read no more than a principal does, None for all owners.

        What they ask may tell of what they read. Raises StoreError.
        """
        if not principal.tags:
            return None
        own = set(principal.tags)
        keys = self.store.listed() if self.needs_keys else []
        within = [key.principal for key in keys if key.tags and own.issuperset(key.tags)]
        return frozenset({principal.owner, *(each.owner for each in within)})

    def check(
        self, principal: Principal | None, permission: Permission, *, is_question: bool = False
    ) -> None:
        """Raise NotSignedIn, NotAllowed or TooManyQuestions unless somebody may pass now.

        Questions cost computing time and are counted.
        """
        if permission == "open":
            return
        if principal is None:
            raise NotSignedIn("expected a key: Authorization: Bearer KEY, or sign in at /login")
        if not principal.may(permission):
            raise NotAllowed(f"your key is that of a {principal.role}, which may not do this")
        if is_question and principal.rate:
            seconds = self._rates.wait(principal.owner, principal.rate)
            if seconds:
                raise TooManyQuestions(principal.rate, seconds)


class RateLimiter:
    """Token buckets: each holds a minute's worth of questions and fills evenly."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, owner: str, rate: int) -> int:
        """Count a question and return 0, or return the whole seconds until one may be asked."""
        now = self._clock()
        with self._lock:
            left, counted_at = self._buckets.get(owner, (float(rate), now))
            left = min(float(rate), left + (now - counted_at) * rate / MINUTE)
            if left < 1:
                return math.ceil((1 - left) * MINUTE / rate)
            self._buckets[owner] = (left - 1, now)
            return 0


def _hashed(key: str) -> str:
    # The text may be a secret and is not stored.
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
