"""Tests of the check behind every door."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.access.gatekeeper import Credentials, Gatekeeper, RateLimiter
from qa.access.key_store import FILE_NAME, KeyStore
from qa.access.principal import LOCAL, Principal
from qa.errors import NotAllowed, NotSignedIn, TooManyQuestions

NOBODY = Credentials()


def test_without_keys_everybody_is_the_local_person(data: Path) -> None:
    gatekeeper = Gatekeeper(data)

    assert gatekeeper.principal(NOBODY) == LOCAL
    # As before there were keys, a text that is sent as one keeps conversations apart.
    apart = gatekeeper.principal(Credentials(key="anything"))
    assert apart is not None
    assert (apart.role, apart.owner[:4]) == ("admin", "key:")
    assert not (data / FILE_NAME).exists()


def test_the_first_key_closes_the_door_of_a_running_server_for_good(data: Path) -> None:
    data.mkdir()
    gatekeeper = Gatekeeper(data)
    assert gatekeeper.principal(NOBODY) == LOCAL
    with closing(KeyStore(data)) as store:
        _, text = store.create("anna", "reader")

        assert gatekeeper.principal(NOBODY) is None
        found = gatekeeper.principal(Credentials(key=text))
        assert found is not None
        assert found.name == "anna"
        store.revoke("anna")
    with pytest.raises(NotSignedIn):
        gatekeeper.principal(Credentials(key=text))
    assert gatekeeper.principal(NOBODY) is None
    assert gatekeeper.needs_keys
    assert not gatekeeper.has_valid_keys()
    gatekeeper.close()
    assert Gatekeeper(data).needs_keys


def test_a_door_that_must_be_closed_stays_so_without_a_file(data: Path) -> None:
    data.mkdir()

    assert Gatekeeper(data, required=True).principal(NOBODY) is None


def test_somebody_whom_nobody_has_created_gets_in_nowhere(data: Path) -> None:
    data.mkdir()
    gatekeeper = Gatekeeper(data, required=True)
    _, key = gatekeeper.store.create("program", "admin")
    gatekeeper.store.create("anna", "reader", is_person=True)

    known = gatekeeper.principal(Credentials(person="anna"))
    assert known is not None
    assert known.role == "reader"
    # The person counts, not a key that is sent along.
    with pytest.raises(NotAllowed):
        gatekeeper.principal(Credentials(person="mallory", key=key))
    gatekeeper.close()


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (None, {"open"}),
        ("reader", {"open", "read"}),
        ("writer", {"open", "read", "write"}),
        ("admin", {"open", "read", "write", "admin"}),
    ],
)
def test_roles_may_what_their_names_say(data: Path, role: object, allowed: set[str]) -> None:
    principal = Principal("x", "key:x", role) if role else None  # type: ignore[arg-type]
    passed = set()
    for permission in ("open", "read", "write", "admin"):
        try:
            Gatekeeper(data).check(principal, permission)  # type: ignore[arg-type]
            passed.add(permission)
        except (NotSignedIn, NotAllowed):
            pass

    assert passed == allowed


def test_questions_are_counted_for_each_key(data: Path) -> None:
    gatekeeper = Gatekeeper(data, clock=lambda: 0.0)
    anna, ben = (Principal(name, f"key:{name}", "reader", rate=2) for name in ("anna", "ben"))
    for _ in range(2):
        gatekeeper.check(anna, "read", is_question=True)

    with pytest.raises(TooManyQuestions, match="try again in 30 s"):
        gatekeeper.check(anna, "read", is_question=True)
    gatekeeper.check(anna, "read")
    gatekeeper.check(ben, "read", is_question=True)


@given(st.lists(st.floats(0, 30), min_size=1, max_size=60), st.integers(1, 10))
def test_no_more_than_a_rate_and_what_filled_up_is_let_through(
    pauses: list[float], rate: int
) -> None:
    clock = [0.0]
    limiter = RateLimiter(lambda: clock[0])
    passed = 0
    for pause in pauses:
        clock[0] += pause
        wait = limiter.wait("anna", rate)
        assert 0 <= wait <= 60 // rate + 1
        passed += wait == 0

    assert passed <= rate + clock[0] * rate / 60 + 1e-6


def test_upload_tags_are_those_of_the_key() -> None:
    writer = Principal("ben", "key:ben", "writer", ("harbour", "sea"))

    assert writer.upload_tags(["Sea"]) == ("sea",)
    with pytest.raises(NotAllowed, match="'board'"):
        writer.upload_tags(["sea", "board"])
    with pytest.raises(NotAllowed, match="at least one"):
        writer.upload_tags([])
    assert Principal("ben", "key:ben", "writer", ("sea",)).upload_tags([]) == ("sea",)
    assert LOCAL.upload_tags(["any"]) == ("any",)
