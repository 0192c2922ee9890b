"""Commands of the program as processes of their own, and their memory."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from qa.errors import QAError

START_SECONDS = 300.0
"""Longest time until a server is ready: it may convert its models first."""
_COMMAND = [sys.executable, "-c", "from qa.interfaces.cli import main; main()"]


class ServerFailed(QAError):
    """A server that is measured did not start."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of a process in bytes: its own, and what it maps from files (proc(5))."""

    anonymous: int
    mapped: int

    @classmethod
    def of(cls, process: int | str = "self") -> Memory:
        """Return the memory of a process now; nothing where the system does not tell."""
        try:
            lines = Path(f"/proc/{process}/status").read_text("utf-8").splitlines()
        except OSError:
            return cls(0, 0)
        values = dict(line.split(":", 1) for line in lines if ":" in line)
        return cls(*(1024 * int(values[name].split()[0]) for name in ("RssAnon", "RssFile")))


@dataclass(frozen=True, slots=True)
class Server:
    """Running `qa serve`: its port on loopback and its process."""

    port: int
    process: int


def run(data: Path, *arguments: str) -> float:
    """Run a command over a data directory; return its wall seconds."""
    began = time.perf_counter()
    subprocess.run(  # noqa: S603 - our own program
        [*_COMMAND, *arguments], env=_environment(data), stdout=subprocess.DEVNULL, check=False
    )
    return time.perf_counter() - began


@contextmanager
def serving(data: Path) -> Iterator[Server]:
    """Serve a data directory on loopback. Raises ServerFailed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (data / "serve.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [*_COMMAND, "serve", "--port", str(port)],
            env=_environment(data),
            stdout=log,
            stderr=log,
        )
    try:
        _wait_until_ready(port, process)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait()


def _environment(data: Path) -> dict[str, str]:
    return os.environ | {"QUOTED_DATA": str(data)}


def _wait_until_ready(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz"):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise ServerFailed("the server that is measured did not start: see serve.log in its folder")
