"""A server of PostgreSQL in a temporary folder, reached by a socket there and by nothing else."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("initdb", "postgres")
_DEBIAN = Path("/usr/lib/postgresql")
"""Folder of a folder for each version, none of which is on the path."""
USER = "quoted"
_INITDB = ("-U", USER, "-E", "UTF8", "--no-sync", "--auth=trust", "--locale=C")
_POSTGRES = ("-h", "", "-c", "fsync=off", "-c", "max_connections=60")
_NOBODY = "nobody"
_WAIT_SECONDS = 60.0


class PostgresServer:
    """Server with the database `postgres`, to which everybody on this machine may connect."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._account: dict[str, object] = {}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            import pwd  # only where there are users

            account = pwd.getpwnam(_NOBODY)
            os.chown(folder, account.pw_uid, account.pw_gid)
            self._account = {
                "user": account.pw_uid,
                "group": account.pw_gid,
                "extra_groups": [],
            }
        self._process: subprocess.Popen[bytes] | None = None
        subprocess.run(
            [_program("initdb"), *_INITDB, "-D", folder / "data"],
            check=True,
            capture_output=True,
            cwd=folder,
            **self._account,  # type: ignore[call-overload]
        )

    @property
    def location(self) -> str:
        """Address of the database; its password is asked for by nobody."""
        return f"postgresql://{USER}:hidden@/postgres?host={self.folder}"

    def start(self) -> None:
        """Start the server, and return when it takes connections."""
        self._process = subprocess.Popen(
            [_program("postgres"), *_POSTGRES, "-k", self.folder, "-D", self.folder / "data"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            **self._account,  # type: ignore[call-overload]
        )
        until = time.monotonic() + _WAIT_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                raise TimeoutError("PostgreSQL does not start")
            time.sleep(0.05)

    def stop(self) -> None:
        """End the server with all connections."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(_WAIT_SECONDS)
            self._process = None

    def clear(self) -> None:
        """Delete all tables."""
        self.run("DROP SCHEMA IF EXISTS quoted CASCADE")

    def run(self, statement: str) -> list[tuple[object, ...]]:
        """Run a statement; return its rows, none if it has none."""
        import psycopg

        with psycopg.connect(self.location, autocommit=True) as db:
            rows = db.execute(statement.encode())
            return rows.fetchall() if rows.description else []

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self.location).close()
        except psycopg.OperationalError:
            return False
        return True


def missing() -> str:
    """Return why there can be no server here, "" if there can be one."""
    try:
        import psycopg  # noqa: F401
    except ImportError:
        return "psycopg is not installed"
    absent = [each for each in PROGRAMS if not _program(each)]
    return f"PostgreSQL is not installed: no {', '.join(absent)}" if absent else ""


def _program(name: str) -> str:
    """Return the path of a program of PostgreSQL, "" if it is not installed."""
    installed = sorted(_DEBIAN.glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]))
    return shutil.which(name) or (str(installed[-1]) if installed else "")


@contextmanager
def running_server() -> Iterator[PostgresServer]:
    """Run a server for as long as the context is open."""
    # Not in pytest's folder: that is closed to the user whom the server runs as, and the path of a
    # socket must be short.
    with tempfile.TemporaryDirectory(prefix="quoted-pg-") as name:
        server = PostgresServer(Path(name))
        server.start()
        try:
            yield server
        finally:
            server.stop()
