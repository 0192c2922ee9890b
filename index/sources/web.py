"""Fetching of web pages: from public addresses only, bounded in size and time.

A name may resolve to an address of this machine or network, at once or only the second time it is
resolved (DNS rebinding), and a page may redirect there. So every address of a name is checked, the
connection goes to one of the checked addresses, and every redirect is checked again. Proxies of the
environment are not used: they would resolve the name again.
"""

from __future__ import annotations

import codecs
import hashlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import SplitResult, urljoin, urlsplit

from index.errors import FileTooLarge, PageNotFetched
from index.filesystem.disk_errors import replacing
from index.parsing.loader import is_supported

SECONDS = 30.0
"""Time limit of one page with its redirects."""
REDIRECTS = 5
"""Largest number of redirects; the Fetch standard allows 20, pages need one or two."""
AGENT = "quoted-qa"
_SHORTEST = 0.001
"""Shortest timeout in seconds: 0 would make a socket non-blocking."""

_SUFFIXES = {
    "text/html": ".html", "application/xhtml+xml": ".html", "text/plain": ".txt",
    "text/markdown": ".md", "text/csv": ".csv", "application/pdf": ".pdf",
    "application/epub+zip": ".epub", "application/rtf": ".rtf", "message/rfc822": ".eml",
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
}  # fmt: skip
_REDIRECT_STATUSES = {301, 302, 303, 307, 308}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""IPv6 addresses that embed an IPv4 address in their last 32 bits (RFC 6052)."""

_NOT_PUBLIC = (
    ipaddress.ip_network("fec0::/10"),  # site-local (RFC 3879)
    ipaddress.ip_network("3fff::/20"),  # documentation (RFC 9637)
    ipaddress.ip_network("192.0.0.0/24"),  # protocol assignments (RFC 6890)
)
"""Networks that `ipaddress` takes for public, in some versions of Python."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_public(address: Address) -> bool:
    """Return True if an address is on the public internet.

    An IPv6 address that holds an IPv4 address is public if that one is; tunnels (6to4, Teredo) are
    never public.
    """
    if isinstance(address, ipaddress.IPv6Address):
        embeds_ipv4 = address.ipv4_mapped is not None or address in _NAT64
        if embeds_ipv4:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        is_tunnel = address.sixtofour is not None or address.teredo is not None
        if is_tunnel:
            return False
    if any(address in network for network in _NOT_PUBLIC):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def resolve(host: str, port: int) -> list[Address]:
    """Return all addresses of a host; raises OSError."""
    results = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    # An IPv6 address may be followed by "%" and its zone.
    return [ipaddress.ip_address(str(address[0]).partition("%")[0]) for *_, address in results]


@dataclass(frozen=True)
class Fetcher:
    """Client that fetches pages of at most `max_bytes` within `seconds`.

    It connects only to addresses that `resolve` returns and `allowed` accepts.
    """

    max_bytes: int
    seconds: float = SECONDS
    resolve: Callable[[str, int], list[Address]] = resolve
    allowed: Callable[[Address], bool] = is_public

    def save(self, url: str, folder: Path) -> Path:
        """Fetch a page into a file of `folder`, named after the hash of its address.

        Raises PageNotFetched, FileTooLarge, or OSError if the file cannot be written.
        """
        data, suffix = self.fetch(url)
        path = folder / f"{hashlib.sha256(url.encode()).hexdigest()[:16]}{suffix}"
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part:
            part.write_bytes(data)
        return path

    def fetch(self, url: str) -> tuple[bytes, str]:
        """Return the bytes of a page, and the file suffix of its format.

        Raises PageNotFetched or FileTooLarge.
        """
        current, deadline = url, time.monotonic() + self.seconds
        for _ in range(REDIRECTS + 1):
            parts = _parse_url(current)
            with self._connected(parts, deadline) as connection, self._explained_errors(deadline):
                response = _request(connection, parts)
                location = _redirect_location(response)
                if location is None:
                    page = self._read_page(response, parts)
                    if time.monotonic() >= deadline:
                        raise TimeoutError
                    return page
                current = urljoin(current, location)
        raise PageNotFetched(
            f"redirects more than {REDIRECTS} times: give the address that it ends at"
        )

    @contextmanager
    def _connected(
        self, parts: SplitResult, deadline: float
    ) -> Iterator[http.client.HTTPConnection]:
        """Yield a connection to a host, which is cut off at the deadline.

        Raises PageNotFetched if the host cannot be reached or must not be.
        """
        host, is_secure = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (443 if is_secure else 80)
        timeout = max(deadline - time.monotonic(), _SHORTEST)
        connection = http.client.HTTPConnection(host, port)
        # A socket's timeout restarts with every byte that comes; the timer ends the whole exchange.
        timer = threading.Timer(timeout, _cut_off, [connection])
        try:
            try:
                self._open_socket(connection, timer, timeout, is_secure=is_secure)
            except (OSError, ValueError) as error:
                is_late = time.monotonic() >= deadline
                reason = self._too_slow if is_late else error
                raise PageNotFetched(f"{host} cannot be reached: {reason}") from error
            yield connection
        finally:
            timer.cancel()
            connection.close()

    def _open_socket(
        self,
        connection: http.client.HTTPConnection,
        timer: threading.Timer,
        timeout: float,
        *,
        is_secure: bool,
    ) -> None:
        """Connect to a checked address and start the timer.

        The socket is opened here and not by http.client, which would resolve the name again.
        """
        host, port = connection.host, connection.port
        address = str(self._checked_address(host, port))
        stream = connection.sock = socket.create_connection((address, port), timeout=timeout)
        if is_secure:
            stream = ssl.create_default_context().wrap_socket(
                stream, server_hostname=host, do_handshake_on_connect=False
            )
            connection.sock = stream
        timer.start()  # before the handshake, which a silent server would never end
        if isinstance(stream, ssl.SSLSocket):
            stream.do_handshake()

    def _checked_address(self, host: str, port: int) -> Address:
        """Return an address of a host if all of its addresses are allowed.

        Raises PageNotFetched otherwise: one private address among public ones is enough to refuse
        the host.
        """
        addresses = self.resolve(host, port)
        if not addresses:
            raise PageNotFetched(f"{host} has no address: expected a public one")
        refused = [address for address in addresses if not self.allowed(address)]
        if refused:
            raise PageNotFetched(f"{host} is {refused[0]}: only public addresses are fetched from")
        return addresses[0]

    @contextmanager
    def _explained_errors(self, deadline: float) -> Iterator[None]:
        """Turn errors of the exchange with a server into PageNotFetched."""
        try:
            yield
        except (OSError, http.client.HTTPException, ValueError, PageNotFetched) as error:
            # The timer cuts the connection off, which looks like any other error of the network.
            if time.monotonic() >= deadline:
                raise PageNotFetched(self._too_slow) from error
            if isinstance(error, PageNotFetched):
                raise
            reason = str(error) or type(error).__name__
            raise PageNotFetched(f"cannot be fetched ({reason})") from error

    @property
    def _too_slow(self) -> str:
        return f"takes more than {self.seconds:.0f} seconds"

    def _read_page(
        self, response: http.client.HTTPResponse, parts: SplitResult
    ) -> tuple[bytes, str]:
        """Return the body of a response and the file suffix of its format."""
        if response.status != http.client.OK:
            raise PageNotFetched(f"the server answers {response.status} {response.reason}")
        data = self._read_body(response)
        content_type = response.headers.get_content_type()
        suffix = _suffix_of(content_type, parts.path)
        if not suffix:
            raise PageNotFetched(
                f"is {content_type}: expected a page or a document of a known format"
            )
        return _mark_charset(data, response.headers.get_content_charset(), content_type), suffix

    def _read_body(self, response: http.client.HTTPResponse) -> bytes:
        """Return the body, whole, uncompressed and within the limit of bytes."""
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise PageNotFetched(
                "the server sends it compressed although asked not to: save it and index the file"
            )
        data = response.read(self.max_bytes + 1)
        if len(data) > self.max_bytes:
            raise FileTooLarge(
                f"has more than {self.max_bytes:,} bytes, the limit: raise QUOTED_MAX_FILE_BYTES"
            )
        missing_bytes = response.length  # what is left of the announced Content-Length
        if missing_bytes:
            raise PageNotFetched(f"was cut off, {missing_bytes:,} bytes are missing: try again")
        return data


def _cut_off(connection: http.client.HTTPConnection) -> None:
    """Shut down the socket of a connection, which ends a blocked read.

    Called from another thread. `SSLSocket.shutdown` would also drop the TLS state that the reading
    thread is still using.
    """
    with suppress(OSError, TypeError):  # the connection has just ended or been closed
        socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)


def _parse_url(url: str) -> SplitResult:
    """Return the parts of an address; raises PageNotFetched unless it may be fetched."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise PageNotFetched(f"is no address: {error}") from error
    is_web_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and port != 0
    if not is_web_address:
        raise PageNotFetched(f"leads to {url!r}: expected an http or https address")
    if parts.username is not None or parts.password is not None:
        # The address becomes the name of the document and would be stored with its password.
        raise PageNotFetched(
            "has a name or a password in its address, which would be stored: remove it"
        )
    if any(ord(character) <= ord(" ") for character in url):
        raise PageNotFetched("has white space in its address: write it as %20")
    return parts


def _request(
    connection: http.client.HTTPConnection, parts: SplitResult
) -> http.client.HTTPResponse:
    target = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
    headers = {"User-Agent": AGENT, "Accept-Encoding": "identity"}
    connection.request("GET", target, headers=headers)
    return connection.getresponse()


def _redirect_location(response: http.client.HTTPResponse) -> str | None:
    """Return the address that a response redirects to, or None."""
    if response.status not in _REDIRECT_STATUSES:
        return None
    return response.headers.get("Location") or None


def _suffix_of(content_type: str, path: str) -> str:
    """Return the suffix of a content type, else the supported one of the path, or ""."""
    if content_type in _SUFFIXES:
        return _SUFFIXES[content_type]
    suffix = PurePosixPath(path).suffix.lower()
    return suffix if is_supported(PurePosixPath(path)) else ""


def _mark_charset(data: bytes, charset: str | None, content_type: str) -> bytes:
    """Return text of another charset as UTF-8 with a byte order mark.

    The server names the charset; the mark outweighs the one that a page declares itself. Other data
    is returned unchanged.
    """
    needs_no_mark = charset == "utf-8" or not content_type.startswith("text/")
    if charset is None or needs_no_mark:
        return data
    try:
        return codecs.BOM_UTF8 + data.decode(charset).encode()
    except (LookupError, UnicodeError):
        return data
