"""Mails (the standard library's email): sender, recipients, date and subject, the text, then the
attachments of formats that are read.
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
from index.formats.markup import Walk
from index.formats.text_builder import ExtractedText, TextBuilder, folded
from index.text.blocks import plain_structure
from index.text.encoding import decode

_SHOWN = ("From", "To", "Cc", "Date", "Subject")


_NO_TEXT = regex.compile(r"image/|audio/|video/|.*signature$")
"""Types of attachments that hold no text, which nobody misses."""

ReadAttachment = Callable[[str, bytes], ExtractedText]
"""Reads a file by its name and bytes; raises LoadingError."""


ATTACHMENT_SECONDS = 60.0
"""No further attachment is begun after these, so that slow ones do not cost the mail's own text."""


def extract(
    data: bytes, read: ReadAttachment, clock: Callable[[], float] = time.monotonic
) -> ExtractedText:
    """One mail, whose attachments `read` reads; those that it cannot read are named. Raises
    LoadingError.
    """
    until = clock() + ATTACHMENT_SECONDS

    def read_in_time(name: str, content: bytes) -> ExtractedText:
        if clock() > until:
            raise ExtractionLimit("is left out, as those before it took too long")
        return read(name, content)

    message = email.message_from_bytes(data, policy=email.policy.default)
    if not isinstance(message, EmailMessage) or not message.keys():
        raise DamagedFile("expected a mail, which begins with headers such as From: and Date:")
    writer = TextBuilder(_header(message, "Subject"))
    writer.lines(f"{name}: {value}" for name in _SHOWN if (value := _header(message, name)))
    body = message.get_body(("plain", "html"))
    if body is not None:
        _body(body, writer)
    unread = [
        f"{_name(part)} {problem}"
        for part in _others(message, body)
        if (problem := _written(part, writer, read_in_time))
    ]
    remark = (
        f"has attachments that are not read, or not whole: {'; '.join(unread)}" if unread else ""
    )
    return replace(writer.finished(date=_day(message)), remark=remark)


def _others(
    part: MIMEPart, body: MIMEPart | None, *, alternative: bool = False
) -> Iterator[MIMEPart]:
    """The parts of a mail in order without the `body`, without what holds no text, and without
    other versions of the same text.
    """
    if part.get_content_maintype() == "multipart":
        alternative = alternative or part.get_content_subtype() == "alternative"
        for each in part.iter_parts():
            yield from _others(each, body, alternative=alternative)
    elif (
        part is not body
        and not _NO_TEXT.match(part.get_content_type())
        and not (alternative and _is_inline(part))
    ):
        yield part


def _is_inline(part: MIMEPart) -> bool:
    """Whether a part is text of the mail itself: between two attachments, or the footer of a
    mailing list.
    """
    return part.get_content_type() in {"text/plain", "text/html", "text/calendar"} and not (
        part.is_attachment() or part.get_filename()
    )


def _name(part: MIMEPart) -> str:
    return " ".join(folded(part.get_filename() or "").split()) or "without a name"


def _written(part: MIMEPart, writer: TextBuilder, read: ReadAttachment) -> str:
    """Write a part behind the body; what is not read of it, and why."""
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return "is a mail"
    try:
        if _is_inline(part):
            _body(part, writer)
            return ""
        found = read(_name(part), content)
        writer.enclosed(f"Attached: {_name(part)}", found)
    except LoadingError as error:
        return str(error)
    return found.remark


def _header(message: EmailMessage, name: str) -> str:
    try:
        return str(message.get(name, ""))
    except Exception:  # noqa: BLE001 - the parser of headers raises anything on hostile ones; the raw text is as good
        return next(
            (str(value) for key, value in message.raw_items() if key.lower() == name.lower()), ""
        )


def _body(part: MIMEPart, writer: TextBuilder) -> None:
    content = part.get_payload(decode=True)
    raw = content if isinstance(content, bytes) else b""
    text = _decoded(raw, part)
    if part.get_content_subtype() == "html" and text.strip():
        Walk(writer).element(parse_page(text))
        return
    for block in plain_structure(text).blocks:
        writer.paragraph(
            "\n".join(line.lstrip("> ") for line in text[block.start : block.end].split("\n"))
        )


def _decoded(raw: bytes, part: MIMEPart) -> str:
    """The text of a body: in its declared charset if that works."""
    charset = part.get_content_charset()
    try:
        return raw.decode(charset or "utf-8").replace("\r\n", "\n")
    except (LookupError, UnicodeError):
        pass
    try:
        found = decode_page(raw) if part.get_content_subtype() == "html" else decode(raw)
    except BinaryFile as error:
        raise EmptyFile("holds no text that can be decoded") from error
    return found.text.replace("\r\n", "\n")


def _day(message: EmailMessage) -> str | None:
    try:
        return parsedate_to_datetime(_header(message, "Date")).date().isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
