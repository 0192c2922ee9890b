"""Mails (the standard library's email).

Sender, recipients, date and subject come first, then the text, then the attachments whose formats
are read.
"""

from __future__ import annotations

import email
import email.policy
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.message import EmailMessage, MIMEPart
from email.utils import parsedate_to_datetime

import regex

from index.errors import BinaryFile, DamagedFile, EmptyFile, ExtractionLimit, LoadingError
from index.formats.html import decode_page, parse_page
from index.formats.markup import MarkupWriter
from index.formats.plain_body import write_plain_text
from index.formats.text_builder import ExtractedText, TextBuilder, fold_to_line
from index.text.encoding import decode

ATTACHMENT_SECONDS = 60.0
"""Time after which no further attachment is begun.

Slow attachments must not cost the mail's own text.
"""

_SHOWN_HEADERS = ("From", "To", "Cc", "Date", "Subject")
_WITHOUT_TEXT = regex.compile(r"image/|audio/|video/|.*signature$")
"""Types of attachments without text, which no remark mentions."""
_BODY_TYPES = {"text/plain", "text/html", "text/calendar"}

ReadAttachment = Callable[[str, bytes], ExtractedText]
"""Reads a file by its name and bytes. Raises LoadingError."""


def extract(
    data: bytes, read: ReadAttachment, clock: Callable[[], float] = time.monotonic
) -> ExtractedText:
    """Return the text of a mail and of its attachments.

    `read` reads the attachments; the remark names those that it cannot read. Raises LoadingError.
    """
    deadline = clock() + ATTACHMENT_SECONDS

    def read_in_time(name: str, content: bytes) -> ExtractedText:
        if clock() > deadline:
            raise ExtractionLimit("is left out, as those before it took too long")
        return read(name, content)

    message = email.message_from_bytes(data, policy=email.policy.default)
    if not isinstance(message, EmailMessage) or not message.keys():
        raise DamagedFile("expected a mail, which begins with headers such as From: and Date:")
    builder = TextBuilder(_header(message, "Subject"))
    builder.pairs(_shown_headers(message))
    body = message.get_body(("plain", "html"))
    if body is not None:
        _write_body(body, builder)
    unread = []
    for part in _parts_after_body(message, body):
        problem = _write_part(part, builder, read_in_time)
        if problem:
            unread.append(f"{_file_name(part)} {problem}")
    remark = ""
    if unread:
        remark = f"has attachments that are not read, or not whole: {'; '.join(unread)}"
    return replace(builder.build(date=_day(message)), remark=remark)


def _shown_headers(message: EmailMessage) -> Iterator[tuple[str, str]]:
    for name in _SHOWN_HEADERS:
        value = _header(message, name)
        if value:
            yield name, value


def _parts_after_body(
    part: MIMEPart, body: MIMEPart | None, *, alternative: bool = False
) -> Iterator[MIMEPart]:
    """Yield the parts of a mail in order, except those that add no text to `body`.

    Left out are the body itself, parts without text, and other versions of the same text.
    `alternative`: `part` is inside a multipart/alternative.
    """
    if part.get_content_maintype() == "multipart":
        alternative = alternative or part.get_content_subtype() == "alternative"
        for inner in part.iter_parts():
            yield from _parts_after_body(inner, body, alternative=alternative)
        return
    is_other_version = alternative and _is_inline_text(part)
    if part is body or is_other_version or _WITHOUT_TEXT.match(part.get_content_type()):
        return
    yield part


def _is_inline_text(part: MIMEPart) -> bool:
    """Return True if a part is text of the mail itself.

    It may stand between two attachments, or be the footer of a mailing list.
    """
    if part.get_content_type() not in _BODY_TYPES:
        return False
    return not part.is_attachment() and not part.get_filename()


def _file_name(part: MIMEPart) -> str:
    return fold_to_line(part.get_filename() or "") or "without a name"


def _write_part(part: MIMEPart, builder: TextBuilder, read: ReadAttachment) -> str:
    """Write a part after the body, and return why it is not read, or what of it is not.

    Empty if all of it is read.
    """
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return "is a mail"
    try:
        if _is_inline_text(part):
            _write_body(part, builder)
            return ""
        attachment = read(_file_name(part), content)
        builder.embed(f"Attached: {_file_name(part)}", attachment)
    except LoadingError as error:
        return str(error)
    return attachment.remark


def _header(message: EmailMessage, name: str) -> str:
    try:
        return str(message.get(name, ""))
    except Exception:  # noqa: BLE001 - the parser of headers raises anything on hostile ones
        # The raw text serves as well; it is not parsed.
        for key, value in message.raw_items():
            if key.lower() == name.lower():
                return str(value)
        return ""


def _write_body(part: MIMEPart, builder: TextBuilder) -> None:
    content = part.get_payload(decode=True)
    raw = content if isinstance(content, bytes) else b""
    text = _decode_body(raw, part)
    if part.get_content_subtype() == "html" and text.strip():
        MarkupWriter(builder).write(parse_page(text))
        return
    write_plain_text(text, builder)


def _decode_body(raw: bytes, part: MIMEPart) -> str:
    """Return the text of a body, in its declared charset if that works, else as detected."""
    charset = part.get_content_charset()
    try:
        return raw.decode(charset or "utf-8").replace("\r\n", "\n")
    except (LookupError, UnicodeError):  # unknown, or not the one declared
        pass
    try:
        decoded = decode_page(raw) if part.get_content_subtype() == "html" else decode(raw)
    except BinaryFile as error:
        raise EmptyFile("holds no text that can be decoded") from error
    return decoded.text.replace("\r\n", "\n")


def _day(message: EmailMessage) -> str | None:
    """Return the day of the mail (YYYY-MM-DD), None if its date cannot be read."""
    try:
        return parsedate_to_datetime(_header(message, "Date")).date().isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
