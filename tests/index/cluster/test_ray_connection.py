"""Addresses of a cluster that cannot be used; none of these tests needs Ray to run."""

from __future__ import annotations

import socket
import sys

import pytest

from index.cluster.ray_connection import EXTRA, connected
from index.errors import ClusterError


@pytest.mark.parametrize("address", ["", "local", "host", "host:port", "http://host:1", "a b:1"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ClusterError, match="expected the address"), connected(address):
        pytest.fail("entered")


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ClusterError) as caught, connected("auto"):
        pytest.fail("entered")

    assert str(caught.value) == EXTRA


def test_an_address_at_which_nobody_listens_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", sys)  # is not used before somebody answers
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"

    with pytest.raises(ClusterError, match=f"no Ray cluster answers at {address}"):
        connected(address).__enter__()
