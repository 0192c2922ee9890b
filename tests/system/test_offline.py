"""Tests that nothing leaves the machine.

Every connection that `qa` makes is traced, in all its processes and threads.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import regex

from tests.support.serving import PATIENCE, SEEDS, Command, Server

pytestmark = pytest.mark.slow

CALLS = "connect,sendto,sendmsg,sendmmsg"
"""System calls that can name an address elsewhere."""
LOCAL = regex.compile(
    r'AF_UNIX|AF_NETLINK|AF_INET, .*inet_addr\("127\.'
    r'|AF_INET6, .*inet_pton\(AF_INET6, "(::1|::ffff:127\.[\d.]+)"'
)
_ADDRESS = regex.compile(r"(?<!inet_pton\()(AF_\w+)[^}]*")


def foreign(trace: str) -> list[str]:
    """Return the lines of an strace log that name an address outside this machine."""
    return [
        line
        for line in trace.splitlines()
        if any(not LOCAL.match(found[0]) for found in _ADDRESS.finditer(line.partition("(")[2]))
        and "sa_family=" in line
    ]


def tracer(log: Path) -> list[str]:
    """Return the arguments that trace a command.

    Without strace the test is skipped, or fails if QUOTED_REQUIRE_STRACE is set.
    """
    if shutil.which("strace") is None:
        if os.environ.get("QUOTED_REQUIRE_STRACE"):
            pytest.fail("strace is required here and not installed")
        pytest.skip("strace is not installed: apt-get install strace")
    return ["strace", "-f", "--seccomp-bpf", "-s", "200", "-e", f"trace={CALLS}", "-o", str(log)]


@pytest.mark.parametrize(
    "line",
    [
        (
            '7 connect(3, {sa_family=AF_UNIX, sun_path="/var/run/nscd/socket"}, 110)'
            " = -1 ENOENT (No such file or directory)"
        ),
        "7 connect(3, {sa_family=AF_NETLINK, nl_pid=0, nl_groups=00000000}, 12) = 0",
        (
            "7 connect(3, {sa_family=AF_INET, sin_port=htons(9), "
            'sin_addr=inet_addr("127.0.0.53")}, 16) = 0'
        ),
        (
            "7 connect(4, {sa_family=AF_INET6, sin6_port=htons(9), sin6_flowinfo=htonl(0), "
            'inet_pton(AF_INET6, "::1", &sin6_addr), x=0}, 28) = 0'
        ),
        '7 sendto(4, "AF_INET, 192.0.2.1", 3, 0, NULL, 0) = 3',
        "7 +++ exited with 0 +++",
    ],
)
def test_what_stays_here_is_no_connection(line: str) -> None:
    assert foreign(line) == []


@pytest.mark.parametrize(
    "line",
    [
        (
            "7 connect(3, {sa_family=AF_INET, sin_port=htons(443), "
            'sin_addr=inet_addr("192.0.2.1")}, 16) = -1 ENETUNREACH (No route)'
        ),
        (
            "7 connect(3, {sa_family=AF_INET, sin_port=htons(53), "
            'sin_addr=inet_addr("10.0.0.1")}, 16 <unfinished ...>'
        ),
        (
            "7 connect(4, {sa_family=AF_INET6, sin6_port=htons(9), "
            'inet_pton(AF_INET6, "2001:db8::1", &sin6_addr), x=0}, 28) = 0'
        ),
        (
            '7 sendto(4, "x", 1, 0, {sa_family=AF_INET, sin_port=htons(9), '
            'sin_addr=inet_addr("192.0.2.1")}, 16) = 1'
        ),
        (
            '7 sendmmsg(4, [{x={sa_family=AF_INET, sin_addr=inet_addr("127.0.0.53")}}, '
            '{x={sa_family=AF_INET, sin_addr=inet_addr("1.2.3.4")}}'
        ),
        '7 connect(3, {sa_family=AF_BLUETOOTH, sa_data="x"}, 16) = 0',
    ],
)
def test_what_goes_elsewhere_is_a_connection(line: str) -> None:
    assert foreign(line) == [line]


def test_the_tracer_sees_a_connection_of_a_child_process(tmp_path: Path) -> None:
    """Connecting a datagram socket sends nothing; 192.0.2.1 is nobody's address (RFC 5737)."""
    child = (
        "import socket\n"
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect_ex(('192.0.2.1', 9))"
    )
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    log = tmp_path / "trace"

    subprocess.run([*tracer(log), sys.executable, "-c", parent], check=True)

    [line] = foreign(log.read_text())
    assert "192.0.2.1" in line


def test_indexing_asking_and_serving_connect_to_nothing_outside(tmp_path: Path) -> None:
    """Start with an empty home and an empty model cache: both conversions are traced, too.

    CI is unset, because it turns telemetry off.
    """
    home = tmp_path / "home"
    home.mkdir()
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    environment |= {
        "QUOTED_DATA": str(tmp_path / "data"),
        "QUOTED_CACHE": str(tmp_path / "cache"),
        "QUOTED_MIN_CONFIDENCE": "0",
    }
    command = _Bare(tmp_path / "data", tmp_path / "cache", environment)
    question = "How much will Amazon invest in Anthropic?"

    for name, arguments in {"index": ["index", str(SEEDS)], "ask": ["ask", question]}.items():
        done = subprocess.run(
            [*tracer(tmp_path / name), *command.line(*arguments)],
            env=environment,
            capture_output=True,
            check=False,
            timeout=5 * PATIENCE,
        )
        assert done.returncode == 0, done.stderr.decode()
    assert len(list((tmp_path / "cache" / "graphs").glob("*/model.xml"))) == 2
    with Server(command, *tracer(tmp_path / "serve")) as server:
        assert server.ready().client.post("/ask", json={"question": question}).json()["answer"]

    traces = {name: (tmp_path / name).read_text() for name in ("index", "ask", "serve")}
    assert {name: foreign(trace) for name, trace in traces.items()} == {
        "index": [],
        "ask": [],
        "serve": [],
    }
    assert all("exited with 0" in trace for trace in traces.values())


class _Bare(Command):
    """Command that inherits no environment variable."""

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the command was made with."""
        return dict(self.extra)
