"""Connection to a Ray cluster that others run.

Nothing is reported to Ray's makers, and none of its dashboards is started. Ray is imported with the
first connection.
"""

from __future__ import annotations

import logging
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from index.errors import ClusterError

EXTRA = "a Ray cluster (--ray) needs `pip install 'quoted-qa[ray]'`"
NEAREST = "auto"
"""Address of the cluster that this machine is a node of."""
REACH_SECONDS = 5.0
"""Longest wait for the cluster's machine to answer; Ray itself would try for a minute."""
NAMESPACE = "quoted"
_ADDRESS = re.compile(r"(?:ray://)?(?P<host>\[[0-9a-fA-F:]+\]|[^\s:/\[\]]+):(?P<port>\d{1,5})")


@contextmanager
def connected(address: str) -> Iterator[None]:
    """Be connected to the cluster at an address within the block. Raises ClusterError.

    That is `auto`, HOST:PORT of the head node for a machine of the cluster, or ray://HOST:PORT of
    its client server for any other.
    """
    _require_address(address)
    # Set before the import, which reads it; Ray would report what is used to its makers.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
    except ImportError as error:
        raise ClusterError(EXTRA) from error
    _require_answer(address)
    try:
        ray.init(
            address=address, namespace=NAMESPACE, log_to_driver=False, logging_level=logging.ERROR
        )
    # Ray has no common class of what can be wrong with an address or a version.
    except (ConnectionError, OSError, RuntimeError, ValueError, AssertionError) as error:
        raise unusable(address, error) from error
    try:
        yield
    finally:
        ray.shutdown()


def unusable(address: str, error: Exception) -> ClusterError:
    """Return the error about a cluster, with the first line of what Ray says."""
    [first, *_] = str(error).strip().splitlines() or [type(error).__name__]
    return ClusterError(f"the Ray cluster at {address} cannot be used: {first[:300]}")


def _require_address(address: str) -> None:
    if address != NEAREST and not _ADDRESS.fullmatch(address):
        expected = "HOST:PORT of its head node, ray://HOST:PORT of its client server, or auto"
        raise ClusterError(f"expected the address of a Ray cluster ({expected}), got {address!r}")


def _require_answer(address: str) -> None:
    """Raise ClusterError if nobody listens at an address."""
    found = _ADDRESS.fullmatch(address)
    if found is None:
        return
    host, port = found["host"].strip("[]"), int(found["port"])
    try:
        socket.create_connection((host, port), timeout=REACH_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(
            f"no Ray cluster answers at {address} ({error}): start one with `ray start --head`, "
            "or check the address"
        ) from error
