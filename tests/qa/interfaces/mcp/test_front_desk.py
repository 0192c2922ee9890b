"""Tests of the desk that answers MCP's handshake from what the SDK said before."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from qa.interfaces.mcp.front_desk import FILE_NAME, Handshake, KeptReplies, first_line

OLD = {"jsonrpc": "2.0", "id": 7, "method": "initialize", "params": {"protocolVersion": "1"}}
NEW = {
    "jsonrpc": "2.0",
    "id": "a",
    "method": "server/discover",
    "params": {"_meta": {"io.modelcontextprotocol/protocolVersion": "2"}},
}


def test_handshakes_are_told_by_method_and_version() -> None:
    assert Handshake.of(json.dumps(OLD).encode()) == Handshake(7, "initialize 1")
    assert Handshake.of(json.dumps(NEW).encode()) == Handshake("a", "server/discover 2")


@pytest.mark.parametrize(
    "line",
    [b"", b"[]", b"7", b"{", b'{"method":"ping","id":1}', b'{"method":"initialize","id":1}']
    + [json.dumps(OLD | change).encode() for change in ({"id": None}, {"params": []})],
)
def test_anything_else_is_left_to_the_server(line: bytes) -> None:
    assert Handshake.of(line) is None


def test_replies_are_kept_for_one_version(tmp_path: Path) -> None:
    asked = Handshake(1, "initialize 1")
    replies = KeptReplies(tmp_path / "cache", "1.0")
    assert replies.of(asked) is None

    replies.keep(asked, {"serverInfo": {"name": "quoted"}})

    assert replies.of(Handshake(9, "initialize 1")) == {"serverInfo": {"name": "quoted"}}
    assert replies.of(Handshake(1, "initialize 2")) is None
    assert KeptReplies(tmp_path / "cache", "1.1").of(asked) is None


@pytest.mark.parametrize("content", [b"", b"[]", b'{"versions": "1.0"}', b"\xff"])
def test_a_damaged_file_is_none_and_is_written_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    replies, asked = KeptReplies(tmp_path, "1.0"), Handshake(1, "initialize 1")
    assert replies.of(asked) is None

    replies.keep(asked, {"a": 1})

    assert replies.of(asked) == {"a": 1}


def test_what_follows_the_first_line_is_left_in_the_pipe() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"one\ntwo\n")
    assert (first_line(reading), os.read(reading, 100)) == (b"one\n", b"two\n")
    os.close(writing)
    assert first_line(reading) == b""
    os.close(reading)
