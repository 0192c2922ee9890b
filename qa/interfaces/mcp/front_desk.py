"""Front desk of `qa mcp`: it answers the handshake while the SDK is still being imported.

Importing the official SDK takes two seconds, and an assistant shows nothing before the handshake.
So the SDK's own reply to it is kept in the cache and given again to the same question. The SDK
then gets the question, too; its reply is compared with the kept one and not sent a second time.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

FILE_NAME = "mcp-handshake.json"
_HANDSHAKES = {"initialize", "server/discover"}
"""Methods with which a client begins, by the age of its protocol."""
_PROTOCOL_VERSION = "io.modelcontextprotocol/protocolVersion"
_MOST_BYTES = 1_000_000
_END = b"\0\n"
"""Line behind the last one of the server; no message is like it."""


class KeptReplies:
    """Replies of one version of the server, by what was asked; a file that cannot be used is none.

    `versions` names everything that the replies depend on.
    """

    def __init__(self, folder: Path, versions: str) -> None:
        self._path = folder / FILE_NAME
        self._versions = versions

    def of(self, handshake: Handshake) -> Any:  # noqa: ANN401 - any JSON
        """Return the result that was kept for a handshake, None if there is none."""
        return self._read().get(handshake.asked)

    def keep(self, handshake: Handshake, result: object) -> None:
        """Keep a result, if it is new and can be written."""
        kept = self._read()
        if kept.get(handshake.asked) == result:
            return
        content = {"versions": self._versions, "replies": kept | {handshake.asked: result}}
        beside = self._path.with_name(f"{FILE_NAME}.{os.getpid()}")
        with suppress(OSError):  # a full or read-only disk: the next handshake takes longer
            self._path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_text(json.dumps(content), "utf-8")
            beside.replace(self._path)

    def _read(self) -> dict[str, Any]:
        try:
            content = json.loads(self._path.read_bytes())
            is_ours = content["versions"] == self._versions
            return dict(content["replies"]) if is_ours else {}
        except (OSError, ValueError, KeyError, TypeError):
            return {}


@dataclass(frozen=True, slots=True)
class Handshake:
    """Request by which a client begins: its id, and method and protocol version in `asked`."""

    id: int | str
    asked: str

    @classmethod
    def of(cls, line: bytes) -> Handshake | None:
        """Return the handshake in a line, None for anything else."""
        try:
            message = json.loads(line)
            method, params = message["method"], message.get("params") or {}
            version = params.get("protocolVersion") or params["_meta"][_PROTOCOL_VERSION]
            is_handshake = method in _HANDSHAKES and isinstance(message["id"], int | str)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        return cls(message["id"], f"{method} {version}") if is_handshake else None


def first_line(descriptor: int) -> bytes:
    """Return the first line that comes, read byte by byte: what follows is left to others."""
    line = bytearray()
    while not line.endswith(b"\n") and len(line) < _MOST_BYTES:
        byte = os.read(descriptor, 1)
        if not byte:
            break
        line += byte
    return bytes(line)


@contextmanager
def front_desk(replies: KeptReplies) -> Iterator[None]:
    """Answer the handshake if its reply is known, and stand before the server within the block.

    Standard input and output are then pipes to this desk, which passes everything on. Returns once
    the first line has come.
    """
    line = first_line(0)
    handshake = Handshake.of(line)
    kept = replies.of(handshake) if handshake else None
    if handshake and kept is not None:
        reply = {"jsonrpc": "2.0", "id": handshake.id, "result": kept}
        os.write(1, json.dumps(reply).encode() + b"\n")
    wire_in, wire_out = os.dup(0), os.dup(1)
    from_desk, to_server = os.pipe()
    from_server, to_desk = os.pipe()
    os.dup2(from_desk, 0)
    os.dup2(to_desk, 1)
    os.close(from_desk)
    inwards = threading.Thread(target=_pass_in, args=(line, wire_in, to_server), daemon=True)
    out = os.fdopen(from_server, "rb")
    sent = kept is not None
    outwards = threading.Thread(
        target=_pass_out, args=(out, wire_out, handshake, replies), kwargs={"sent": sent}
    )
    inwards.start()
    outwards.start()
    try:
        yield
    finally:
        os.dup2(wire_out, 1)
        # The SDK keeps a copy of its end open, so that the pipe has no end of its own.
        os.write(to_desk, _END)
        outwards.join()


def _pass_in(first: bytes, wire: int, server: int) -> None:
    """Pass the first line and what follows on to the server, until the client closes."""
    with suppress(OSError), os.fdopen(server, "wb", buffering=0) as out:
        out.write(first)
        while content := os.read(wire, 65_536):
            out.write(content)


def _pass_out(
    server: BinaryIO, wire: int, handshake: Handshake | None, replies: KeptReplies, *, sent: bool
) -> None:
    """Pass what the server writes on to the client, but for a reply that was already `sent`."""
    with server, suppress(OSError), os.fdopen(os.dup(wire), "wb", buffering=0) as out:
        for line in iter(server.readline, _END):
            result = _result_of(line, handshake) if handshake else None
            if handshake and result is not None:
                replies.keep(handshake, result)
                handshake = None
                if sent:
                    continue
            out.write(line)


def _result_of(line: bytes, handshake: Handshake) -> Any:  # noqa: ANN401 - any JSON
    """Return the result in a line that replies to a handshake, None in any other."""
    try:
        message = json.loads(line)
    except ValueError:
        return None
    return message.get("result") if message.get("id") == handshake.id else None
