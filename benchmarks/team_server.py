"""Server with keys over the sample document, for measurements from outside."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

QA = str(Path(sys.executable).with_name("qa"))
SEEDS = Path(__file__).resolve().parents[1] / "seeds"
START_SECONDS = 120.0


@dataclass(frozen=True)
class TeamServer:
    """Running server: its address, the id of its process, its log and a key of each role."""

    url: str
    process_id: int
    log: Path
    keys: Mapping[str, str]

    @property
    def resident_mb(self) -> float:
        """Resident memory of the process."""
        pages = int(Path(f"/proc/{self.process_id}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@contextmanager
def team_server(port: int) -> Iterator[TeamServer]:
    """Serve a new data directory with the sample document on loopback."""
    with tempfile.TemporaryDirectory(prefix="quoted-team-") as name:
        folder = Path(name)
        environment = os.environ | {"QUOTED_DATA": str(folder / "data")}
        _run("index", str(SEEDS), environment=environment)
        keys = {role: _key(role, environment) for role in ("reader", "writer", "admin")}
        log = folder / "serve.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [QA, "serve", "--port", str(port)], env=environment, stdout=file, stderr=file
            )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_ready(url, log)
            yield TeamServer(url, process.pid, log, keys)
        finally:
            process.terminate()
            process.wait()


def _key(role: str, environment: Mapping[str, str]) -> str:
    """Return a new key that may ask as much as it likes."""
    create = ("keys", "create", role, "--role", role, "--rate", "100000")
    return _run(*create, environment=environment).strip()


def _run(*arguments: str, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        [QA, *arguments], env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def _wait_until_ready(url: str, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{url}/readyz"):  # noqa: S310 - our own address
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    raise SystemExit(f"the server did not start:\n{log.read_text()}")
