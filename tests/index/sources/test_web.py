"""Tests of fetching: never from this machine or network, always bounded."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from index.errors import FileTooLarge, PageNotFetched
from index.sources.web import Address, Fetcher, is_public, resolve
from tests.support.serving import Command

PAGE = "<title>Tides</title><p>The harbour café opens at nine.</p>"
TRICKLE_SECONDS = 40.0
LOOPBACK = ipaddress.ip_address("127.0.0.1")


class _Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        port = self.headers["Host"].rpartition(":")[2]
        left = int(self.path.rpartition("/")[2]) if self.path.startswith("/moved/") else 0
        if self.path == "/slow":
            self._trickle()
        elif self.path.startswith("/late/"):
            time.sleep(0.2)
            self._send(302, {"Location": f"/late/{int(self.path.rpartition('/')[2]) - 1}"}, b"")
        elif left:
            self._send(302, {"Location": f"/moved/{left - 1}"}, b"")
        else:
            self._send(*self._answers(port).get(self.path, (404, {}, b"")))

    def _answers(self, port: str) -> dict[str, tuple[int, dict[str, str], bytes]]:
        return {
            "/page": (
                200,
                {"Content-Type": "text/html; charset=iso-8859-1"},
                PAGE.encode("latin-1"),
            ),
            "/moved/0": (302, {"Location": "/page"}, b""),
            "/inside": (302, {"Location": f"http://inside.test:{port}/page"}, b""),
            "/file": (302, {"Location": "file:///etc/hostname"}, b""),
            "/large": (200, {"Content-Type": "text/plain"}, b"x" * 5000),
            "/packed": (
                200,
                {"Content-Type": "text/html", "Content-Encoding": "gzip"},
                b"\x1f\x8b",
            ),
            "/program": (200, {"Content-Type": "application/x-dosexec"}, b"MZ"),
            "/cut": (200, {"Content-Type": "text/html", "Content-Length": "100"}, b"beginning"),
        }

    def _trickle(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for _ in range(90):
            time.sleep(TRICKLE_SECONDS / 90)
            self.wfile.write(b"X-Wait: 1\r\n")

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    server.handle_error = lambda *_: None  # type: ignore[method-assign] - a client that goes away is part of the test
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def _names(host: str, _: int) -> list[Address]:
    """Resolve every name to loopback, and one to a private address."""
    return [ipaddress.ip_address("10.0.0.1") if host == "inside.test" else LOOPBACK]


@pytest.fixture
def fetcher() -> Fetcher:
    """Return a fetcher that accepts loopback beside public addresses."""
    return Fetcher(
        2000, resolve=_names, allowed=lambda address: address == LOOPBACK or is_public(address)
    )


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - an address to refuse, bound to nothing
        "224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "240.0.0.1",
        "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:192.168.0.1",
        "64:ff9b::7f00:1", "2002:7f00:1::", "2002:c0a8:1::", "2001:db8::1",
    ],
)  # fmt: skip
def test_private_and_reserved_addresses_are_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "93.184.216.34",
        "8.8.8.8",
        "2606:2800:220:1:248:1893:25c8:1946",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
    ],
)
def test_public_addresses(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


def test_a_page_is_fetched_over_redirects_with_the_charset_of_the_server(
    fetcher: Fetcher, port: int, tmp_path: Path
) -> None:
    path = fetcher.save(f"http://site.test:{port}/moved/3", tmp_path / "pages")

    assert path.suffix == ".html"
    assert path.read_bytes().decode("utf-8-sig") == PAGE
    assert fetcher.save(f"http://site.test:{port}/moved/3", tmp_path / "pages") == path


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("/inside", "inside.test is 10.0.0.1: only public"),
        ("/file", "expected an http or https address"),
        ("/moved/9", "redirects more than 5 times"),
        ("/missing", "404"),
        ("/packed", "compressed"),
        ("/program", "known format"),
        ("/cut", "91 bytes are missing"),
    ],
)
def test_a_page_that_is_not_fetched_gives_the_reason(
    fetcher: Fetcher, port: int, target: str, message: str
) -> None:
    with pytest.raises(PageNotFetched, match=message):
        fetcher.fetch(f"http://site.test:{port}{target}")


def test_size_and_time_are_bounded(fetcher: Fetcher, port: int) -> None:
    with pytest.raises(FileTooLarge, match=r"2,000 bytes"):
        fetcher.fetch(f"http://site.test:{port}/large")
    with cut_off():
        impatient(0.3).fetch(f"http://site.test:{port}/slow")


@contextmanager
def cut_off() -> Iterator[None]:
    """Expect the block to fail at the time limit, long before the site has answered."""
    began = time.monotonic()
    with pytest.raises(PageNotFetched, match="takes more than"):
        yield
    assert time.monotonic() - began < TRICKLE_SECONDS / 2


def impatient(seconds: float) -> Fetcher:
    """Return a fetcher that accepts every address and has a short time limit."""
    return Fetcher(2000, seconds=seconds, resolve=_names, allowed=lambda _: True)


def test_the_time_limit_includes_redirects(port: int) -> None:
    with pytest.raises(PageNotFetched, match="takes more than"):
        impatient(0.5).fetch(f"http://site.test:{port}/late/4")


@pytest.fixture
def certified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """Return the TLS context of a server as site.test, whose certificate is trusted."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("site.test").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    return context


@pytest.fixture
def secure_port(certified: ssl.SSLContext) -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Site) as server:
        server.handle_error = lambda *_: None  # type: ignore[method-assign] - a client that goes away is part of the test
        server.socket = certified.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_secure_pages_are_fetched_and_bounded_in_time_as_well(
    secure_port: int, fetcher: Fetcher
) -> None:
    data, suffix = fetcher.fetch(f"https://site.test:{secure_port}/page")

    assert ("opens at nine" in data.decode("utf-8-sig"), suffix) == (True, ".html")
    with cut_off():
        impatient(1).fetch(f"https://site.test:{secure_port}/slow")


def test_the_time_limit_includes_the_handshake(
    certified: ssl.SSLContext,
) -> None:
    del certified
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(PageNotFetched, match="takes more than"),
    ):
        impatient(0.3).fetch(f"https://site.test:{silent.getsockname()[1]}/")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "0", "2130706433", "0x7f.1", "127.1"]
)
def test_this_machine_by_any_name_is_refused(host: str, port: int) -> None:
    with pytest.raises(PageNotFetched, match=r"only public|cannot be reached"):
        Fetcher(2000).fetch(f"http://{host}:{port}/page")


def test_one_private_address_among_public_ones_is_enough_to_refuse(port: int) -> None:
    both = Fetcher(2000, resolve=lambda *_: [ipaddress.ip_address("8.8.8.8"), LOOPBACK])

    with pytest.raises(PageNotFetched, match=r"127\.0\.0\.1"):
        both.fetch(f"http://site.test:{port}/page")


def test_the_connection_goes_to_the_checked_address(port: int) -> None:
    answers = iter([[LOOPBACK]])

    data, _ = Fetcher(2000, resolve=lambda *_: next(answers), allowed=lambda _: True).fetch(
        f"http://site.test:{port}/page"
    )

    assert data, "the name was resolved once"


@pytest.mark.parametrize(
    "url",
    [
        "http://user:secret@site.test/",
        "http://site.test:0/",
        "http://",
        "http://site.test/a b",
        "http://[x/",
    ],
)
def test_invalid_addresses_are_refused(fetcher: Fetcher, url: str) -> None:
    with pytest.raises(PageNotFetched):
        fetcher.fetch(url)


def test_names_are_resolved_to_all_their_addresses() -> None:
    assert LOOPBACK in resolve("localhost", 80)


@pytest.mark.slow
def test_the_command_fetches_only_with_the_option_and_never_from_this_machine(
    seeds_command: Command, tmp_path: Path, port: int
) -> None:
    command = seeds_command.on(tmp_path / "data")

    without_option = command("index", f"http://127.0.0.1:{port}/page")
    with_option = command("index", "--fetch", f"http://127.0.0.1:{port}/page")

    assert (without_option.returncode, "add --fetch" in without_option.stderr) == (2, True)
    assert (with_option.returncode, with_option.stdout) == (4, "Indexed: 1 skipped.\n")
    assert (
        f"skipped: http://127.0.0.1:{port}/page: 127.0.0.1 is 127.0.0.1: only public addresses"
        in with_option.stderr
    )
