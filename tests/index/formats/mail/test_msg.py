"""Messages of Outlook, as far as a message can be made without Outlook."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from index.errors import DamagedFile
from index.formats.detection import kind_of
from index.formats.mail import msg
from index.formats.mail.eml import extract_message
from index.formats.text_builder import ExtractedText


class _Properties:
    """Properties of a message or a recipient by their ids."""

    def __init__(self, values: dict[int, Any]) -> None:
        self._values = values

    def __getattr__(self, name: str) -> Any:  # str_prop_value and the like
        return self._values.get


def _message(**changes: Any) -> SimpleNamespace:
    """Return a message with the interface of python-oxmsg."""
    recipient = SimpleNamespace(
        name="Bob", email_address="bob@example.org", properties=_Properties({0x0C15: 2})
    )
    values = {
        "message_headers": {},
        "recipients": [recipient],
        "sender": '"Ann" <ann@example.org>',
        "sent_date": datetime(2026, 11, 20, 10, 44, tzinfo=UTC),
        "subject": "Offer",
        "body": "The pump costs €480.",
        "html_body": None,
        "attachments": [],
        "properties": _Properties({}),
    }
    return SimpleNamespace(**{**values, **changes})


def _attachment(name: str, data: bytes) -> SimpleNamespace:
    return SimpleNamespace(
        _storage=SimpleNamespace(storages=()),
        file_name=name,
        file_bytes=data,
        mime_type="text/plain",
        properties=_Properties({}),
    )


def _read(name: str, data: bytes) -> ExtractedText:
    return ExtractedText(f"{name}: {data.decode()}", ())


def test_head_body_and_attachments() -> None:
    message = _message(attachments=[_attachment("note.txt", b"Bring boots.")])

    extracted = extract_message(msg._mail(message, 0), _read)

    assert extracted.text == (
        "From: Ann <ann@example.org>\nCc: Bob <bob@example.org>\n"
        "Date: Fri, 20 Nov 2026 10:44:00 +0000\nSubject: Offer\n\nThe pump costs €480.\n\n"
        "Attached: note.txt\n\nnote.txt: Bring boots."
    )
    assert (extracted.title, extracted.date) == ("Offer", "2026-11-20")


def test_the_page_is_read_where_there_is_no_plain_text() -> None:
    message = _message(body=None, html_body="<p>The pump costs <b>480</b> euros.</p>")

    assert extract_message(msg._mail(message, 0), _read).text.endswith("costs 480 euros.")


def test_a_body_in_compressed_rich_text_is_read() -> None:
    from compressed_rtf import compress

    rich = compress(rb"{\rtf1 The pump costs 480 euros.}")
    message = _message(body=None, properties=_Properties({0x1009: rich}))

    assert "text.rtf: {\\rtf1 The pump" in extract_message(msg._mail(message, 0), _read).text


def test_a_damaged_message_is_an_error_in_words() -> None:
    with pytest.raises(DamagedFile, match="save it again from Outlook"):
        msg.parse_message(bytes.fromhex("d0cf11e0a1b11ae1") + struct.pack("<64I", *range(64)))


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("格式測試".encode("cp950"), "windows-950"),
        ("Maße für Übung und Größe".encode("cp1252"), "utf-8"),
        (b"Gr\xf6\xdfe", "windows-99999"),
    ],
)
def test_texts_are_read_in_their_real_code_page(text: bytes, page: str) -> None:
    stream = SimpleNamespace(bytes_=text)
    outer = SimpleNamespace(streams=(), storages=(SimpleNamespace(streams=(stream,), storages=()),))

    msg._decode_leniently(outer)  # type: ignore[arg-type]  # a storage of the library

    assert stream.bytes_.decode(page) in {"格式測試", "Maße für Übung und Größe", "Größe"}


def test_outlook_files_are_told_by_their_streams() -> None:
    data = bytes.fromhex("d0cf11e0a1b11ae1") + "__properties_version1.0".encode("utf-16-le")

    kind = kind_of(".bin", data)

    assert kind is not None
    assert kind.name == "msg"
