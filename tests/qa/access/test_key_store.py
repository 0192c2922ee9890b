"""Tests of keys and sessions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from index.errors import InvalidTag
from qa.access.audit_log import entries, log_command
from qa.access.key_store import DATABASE, SESSION_HOURS, KeyStore, open_key_store
from qa.errors import AccessError
from qa.state.connections import open_database
from tests.support.clock import Clock
from tests.support.serving import settings_in


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 11, 28, 12, tzinfo=UTC))


@pytest.fixture
def keys(data: Path, location: str, clock: Clock) -> Iterator[KeyStore]:
    data.mkdir()
    opened = KeyStore(data, location, clock=clock)
    yield opened
    opened.close()


def test_a_key_is_found_by_its_text_and_stored_nowhere(keys: KeyStore, data: Path) -> None:
    assert not keys.has_keys()
    key, text = keys.create("anna", "reader", ["Sea", "harbour"])

    assert keys.key_of(text) == key
    assert (key.tags, key.principal.owner) == (("harbour", "sea"), f"key:{key.id}")
    assert keys.has_keys()
    secret = text.split("_", 2)[2].encode()
    assert all(secret not in path.read_bytes() for path in data.iterdir())
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in data.iterdir())


@pytest.mark.parametrize("change", [lambda t: t[:-1], lambda t: t + "x", lambda _: "", str.upper])
def test_another_text_is_no_key(keys: KeyStore, change: object) -> None:
    _, text = keys.create("anna", "reader")

    assert callable(change)
    assert keys.key_of(change(text)) is None
    assert keys.key_of(f"qk_{'0' * 8}_{text.rsplit('_', 1)[1]}") is None


def test_a_key_expires_and_its_sessions_with_it(keys: KeyStore, clock: Clock) -> None:
    key, text = keys.create("anna", "reader", expires_at=clock.now + timedelta(hours=1))
    token = keys.begin_session(key)
    assert keys.key_of_session(token) == key

    clock.now += timedelta(hours=1)

    assert keys.key_of(text) is None
    assert keys.key_of_session(token) is None


def test_a_session_ends_by_itself_and_when_signed_out(keys: KeyStore, clock: Clock) -> None:
    key, _ = keys.create("anna", "reader")
    first, second = keys.begin_session(key), keys.begin_session(key)
    keys.end_session(first)
    assert keys.key_of_session(first) is None
    assert keys.key_of_session(second) == key

    clock.now += timedelta(hours=SESSION_HOURS)

    assert keys.key_of_session(second) is None


def test_revoking_ends_a_key_at_once_and_frees_its_name(keys: KeyStore) -> None:
    key, text = keys.create("anna", "writer")
    token = keys.begin_session(key)
    assert keys.revoke("anna").id == key.id

    assert keys.key_of(text) is None
    assert keys.key_of_session(token) is None
    assert keys.has_keys()
    with pytest.raises(AccessError, match="no key 'anna' to revoke"):
        keys.revoke("anna")
    again, _ = keys.create("anna", "reader")
    assert keys.revoke(again.id).name == "anna"


def test_a_person_is_found_by_name_and_has_no_key(keys: KeyStore) -> None:
    key, text = keys.create("anna@example.org", "reader", is_person=True)
    keys.create("program", "admin")

    assert text == ""
    assert keys.key_of_person("anna@example.org") == key
    # The name of a key is not that of somebody whom a proxy has signed in.
    assert keys.key_of_person("program") is None
    assert keys.key_of_person("\ud800") is None


def test_what_cannot_be_created_says_why(keys: KeyStore, clock: Clock) -> None:
    keys.create("anna", "reader")

    with pytest.raises(AccessError, match="already"):
        keys.create("anna", "reader")
    with pytest.raises(AccessError, match="a name"):
        keys.create("two\nlines", "reader")
    with pytest.raises(AccessError, match="time to come"):
        keys.create("ben", "reader", expires_at=clock.now)
    with pytest.raises(AccessError, match="leave out the tags"):
        keys.create("ben", "admin", ["harbour"])
    with pytest.raises(InvalidTag):
        keys.create("ben", "reader", [" "])
    assert [key.name for key in keys.listed()] == ["anna"]


def test_commands_are_logged_once_there_is_a_key(tmp_path: Path, location: str) -> None:
    settings = replace(settings_in(tmp_path), state=location)
    log_command(settings, "remove", "a")
    assert entries(settings, 10) == []
    settings.data.mkdir(exist_ok=True)
    with closing(open_key_store(settings)) as store:
        store.create("anna", "reader")
    log_command(settings, "remove", "b\ud800")
    log_command(settings, "forget --all")

    assert [(each.action, each.target) for each in entries(settings, 10)] == [
        ("remove", "b?"),
        ("forget --all", ""),
    ]
    assert len(entries(settings, 1)) == 1


def test_a_key_is_stored_as_a_hash(keys: KeyStore, data: Path, location: str) -> None:
    keys.create("anna", "reader")

    with closing(open_database(data, location, DATABASE)) as db:
        [(digest,)] = db.query("SELECT digest FROM keys")
    assert len(digest) == 64
