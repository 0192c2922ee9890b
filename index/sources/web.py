"""Web pages by their address: public addresses only, each checked and then connected to itself,
bounded in size and time.

A name may resolve to an address of this machine or network, now or only the second time it is asked
(DNS rebinding), and a page may redirect there. So every address that a name has is checked, the
connection goes to one that was checked, and every redirect begins anew. Proxies of the environment
are not used: they would resolve the name again.
"""

from __future__ import annotations

import hashlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import SplitResult, urljoin, urlsplit

from index.errors import FileTooLarge, PageNotFetched
from index.filesystem.disk_errors import replacing
from index.parsing.loader import SUPPORTED

SECONDS = 30.0
"""For one page with its redirects."""
REDIRECTS = 5
"""The Fetch standard allows 20, and a page that is meant to be read needs one or two."""
AGENT = "quoted-qa"
_SHORTEST = 0.001
"""Seconds: 0 would mean not to wait at all."""

_SUFFIXES = {
    "text/html": ".html", "application/xhtml+xml": ".html", "text/plain": ".txt", "text/markdown": ".md", "text/csv": ".csv",
    "application/pdf": ".pdf", "application/epub+zip": ".epub", "application/rtf": ".rtf", "message/rfc822": ".eml",
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
}  # fmt: skip
_MOVED = {301, 302, 303, 307, 308}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_public(address: Address) -> bool:
    """Whether an address belongs to the internet at large; one with an IPv4 address inside it if
    that does, and no tunnel does.
    """
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped or address in _NAT64:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if address.sixtofour or address.teredo:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def resolve(host: str, port: int) -> list[Address]:
    """All addresses of a host; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ipaddress.ip_address(str(address[0]).partition("%")[0]) for *_, address in found]


@dataclass(frozen=True)
class Fetcher:
    """Fetches pages of at most so many bytes; `resolve` and `allowed` are what decides where it
    connects to.
    """

    max_bytes: int
    seconds: float = SECONDS
    resolve: Callable[[str, int], list[Address]] = resolve
    allowed: Callable[[Address], bool] = is_public

    def save(self, url: str, folder: Path) -> Path:
        """Fetch a page into a file of `folder` that is named after the address. Raises
        PageNotFetched or FileTooLarge.
        """
        data, suffix = self.fetch(url)
        path = folder / f"{hashlib.sha256(url.encode()).hexdigest()[:16]}{suffix}"
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part:
            part.write_bytes(data)
        return path

    def fetch(self, url: str) -> tuple[bytes, str]:
        """The bytes of a page, and the suffix of its format. Raises PageNotFetched or FileTooLarge."""
        current, until = url, time.monotonic() + self.seconds
        for _ in range(REDIRECTS + 1):
            parts = _checked(current)
            connection, timer = self._connected(parts, until)
            try:
                target = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
                connection.request(
                    "GET", target, headers={"User-Agent": AGENT, "Accept-Encoding": "identity"}
                )
                response = connection.getresponse()
                location = response.headers.get("Location")
                if response.status not in _MOVED or not location:
                    found = self._body(response, parts)
                    if time.monotonic() < until:
                        return found
                    raise TimeoutError
                current = urljoin(current, location)
            except (OSError, http.client.HTTPException, ValueError, PageNotFetched) as error:
                if time.monotonic() >= until:
                    raise PageNotFetched(f"takes more than {self.seconds:.0f} seconds") from error
                if isinstance(error, PageNotFetched):
                    raise
                raise PageNotFetched(
                    f"cannot be fetched ({str(error) or type(error).__name__})"
                ) from error
            finally:
                timer.cancel()
                connection.close()
        raise PageNotFetched(
            f"redirects more than {REDIRECTS} times: give the address that it ends at"
        )

    def _connected(
        self, parts: SplitResult, until: float
    ) -> tuple[http.client.HTTPConnection, threading.Timer]:
        host, secure = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        seconds = max(until - time.monotonic(), _SHORTEST)
        connection = http.client.HTTPConnection(host, port)
        timer = threading.Timer(seconds, _cut_off, [connection])
        try:
            stream = connection.sock = socket.create_connection(
                (str(self._address(host, port)), port), timeout=seconds
            )
            if secure:
                stream = ssl.create_default_context().wrap_socket(
                    stream, server_hostname=host, do_handshake_on_connect=False
                )
                connection.sock = stream
            timer.start()
            if isinstance(stream, ssl.SSLSocket):
                stream.do_handshake()
        except BaseException as error:
            timer.cancel()
            connection.close()
            if not isinstance(error, OSError | ValueError):
                raise
            late = (
                f"takes more than {self.seconds:.0f} seconds"
                if time.monotonic() >= until
                else error
            )
            raise PageNotFetched(f"{host} cannot be reached: {late}") from error
        return connection, timer

    def _address(self, host: str, port: int) -> Address:
        addresses = self.resolve(host, port)
        refused = [address for address in addresses if not self.allowed(address)]
        if refused or not addresses:
            raise PageNotFetched(
                f"{host} is {refused[0] if refused else 'nowhere'}: only public addresses are fetched from"
            )
        return addresses[0]

    def _body(self, response: http.client.HTTPResponse, parts: SplitResult) -> tuple[bytes, str]:
        if response.status != http.client.OK:
            raise PageNotFetched(f"the server answers {response.status} {response.reason}")
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise PageNotFetched(
                "the server sends it compressed although asked not to: save it and index the file"
            )
        data = response.read(self.max_bytes + 1)
        if len(data) > self.max_bytes:
            raise FileTooLarge(
                f"has more than {self.max_bytes:,} bytes, the limit: raise QUOTED_MAX_FILE_BYTES"
            )
        if response.length:
            raise PageNotFetched(f"was cut off, {response.length:,} bytes are missing: try again")
        kind = response.headers.get_content_type()
        named = PurePosixPath(parts.path).suffix.lower()
        suffix = _SUFFIXES.get(kind, named if named in SUPPORTED else "")
        if not suffix:
            raise PageNotFetched(f"is {kind}: expected a page or a document of a known format")
        return _in_utf8(data, response.headers.get_content_charset(), kind), suffix


def _cut_off(connection: http.client.HTTPConnection) -> None:
    """End whatever is waited for, from another thread. `SSLSocket.shutdown` would also take what it
    decrypts with from under the one that reads.
    """
    with suppress(OSError, TypeError):  # it has just ended by itself, or been closed
        socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)


def _checked(url: str) -> SplitResult:
    """The parts of an address that may be fetched."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise PageNotFetched(f"is no address: {error}") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise PageNotFetched(f"leads to {url!r}: expected an http or https address")
    if parts.username is not None or parts.password is not None:
        raise PageNotFetched(
            "has a name or a password in its address, which would be kept: take it out"
        )
    if any(ord(character) <= ord(" ") for character in url):
        raise PageNotFetched("has white space in its address: write it as %20")
    return parts


def _in_utf8(data: bytes, charset: str | None, kind: str) -> bytes:
    """Text whose charset only the server names, with a byte order mark instead: it outweighs what a
    page says of itself.
    """
    if charset is None or not kind.startswith("text/"):
        return data
    try:
        return data if charset == "utf-8" else b"\xef\xbb\xbf" + data.decode(charset).encode()
    except (LookupError, UnicodeError):
        return data
