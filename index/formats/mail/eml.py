"""Mails (the standard library's email).

Sender, recipients, date and subject come first, then the text, then the attachments whose formats
are read. Mails inside mails are written with their own head, and their place says which they are.
"""

from __future__ import annotations

import base64
import email
import email.policy
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage, MIMEPart
from email.utils import parsedate_to_datetime

import regex

from index.errors import BinaryFile, DamagedFile, ExtractionLimit, LoadingError
from index.formats.html import unseen_remark
from index.formats.mail.bodies import body_of, write_body
from index.formats.text_builder import ExtractedText, TextBuilder, fold_to_line
from index.text.encoding import decode
from index.text.unseen import joined_remarks

ATTACHMENT_SECONDS = 60.0
"""Time after which no further attachment is begun.

Slow attachments must not cost the mail's own text.
"""
MAX_DEPTH = 8
"""Mails inside mails that are read; a chain of forwarded mails has three or four."""

_SHOWN_HEADERS = ("From", "To", "Cc", "Date", "Subject")
_WITHOUT_TEXT = regex.compile(r"image/|audio/|video/|.*signature$")
"""Types of attachments without text, which no remark mentions."""
_BODY_TYPES = {"text/plain", "text/html", "text/calendar"}
_MAIL_SUFFIX = ".eml"
_WIDE_START = (b"\xff\xfe", b"\xfe\xff")
"""Byte order marks of UTF-16; mails without one have a zero byte near their beginning."""

ReadAttachment = Callable[[str, bytes], ExtractedText]
"""Reads a file by its name and bytes. Raises LoadingError."""


def extract(
    data: bytes, read: ReadAttachment, clock: Callable[[], float] = time.monotonic
) -> ExtractedText:
    """Return the text of a mail and of its attachments.

    `read` reads the attachments; the remark names those that it cannot read. Raises LoadingError.
    """
    return extract_message(parse_message(data), in_time(read, clock))


def in_time(read: ReadAttachment, clock: Callable[[], float] = time.monotonic) -> ReadAttachment:
    """Return a reader of attachments that begins none after `ATTACHMENT_SECONDS`."""
    deadline = clock() + ATTACHMENT_SECONDS

    def read_in_time(name: str, content: bytes) -> ExtractedText:
        if clock() > deadline:
            raise ExtractionLimit("is left out, as those before it took too long")
        return read(name, content)

    return read_in_time


def parse_message(data: bytes) -> EmailMessage:
    """Return the mail in a file's bytes. Raises DamagedFile if they begin with no headers."""
    message = email.message_from_bytes(_narrow(data), policy=email.policy.default)
    if not isinstance(message, EmailMessage) or not message.keys():
        raise DamagedFile("expected a mail, which begins with headers such as From: and Date:")
    return message


def _narrow(data: bytes) -> bytes:
    """Return the bytes of a mail that was saved in UTF-16 as UTF-8, without a byte order mark."""
    if data.startswith(_WIDE_START) or b"\0" in data[:64]:
        try:
            return decode(data).text.encode("utf-8", "surrogateescape")
        except BinaryFile:
            return data
    return data.removeprefix(b"\xef\xbb\xbf")


def extract_message(message: EmailMessage, read: ReadAttachment, depth: int = 0) -> ExtractedText:
    """Return the text of a mail and of its attachments, `depth` mails inside another.

    Raises LoadingError.
    """
    builder = TextBuilder(header(message, "Subject"))
    builder.pairs(_shown_headers(message))
    body = body_of(message)
    disguised = 0 if body is None else write_body(body, builder)
    unread = []
    attached = _AttachedParts(builder, read, depth)
    for part in _parts_after_body(message, body):
        problem = attached.write(part)
        if problem:
            unread.append(f"{_file_name(part)} {problem}")
    remark = unseen_remark(disguised + attached.disguised)
    if unread:
        problems = f"has attachments that are not read, or not whole: {'; '.join(unread)}"
        remark = joined_remarks(remark, problems)
    return builder.build(date=_day(message), remark=remark)


def _shown_headers(message: EmailMessage) -> Iterator[tuple[str, str]]:
    for name in _SHOWN_HEADERS:
        value = header(message, name)
        if value:
            yield name, value


def _parts_after_body(
    part: MIMEPart, body: MIMEPart | None, *, alternative: bool = False
) -> Iterator[MIMEPart]:
    """Yield the parts of a mail in order, except those that add no text to `body`.

    Left out are the body itself, parts without text, and other versions of the same text.
    `alternative`: `part` is inside a multipart/alternative.
    """
    if part.get_content_maintype() == "multipart" and part.is_multipart():
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


class _AttachedParts:
    """Writes the parts of a mail after its body to a text builder."""

    def __init__(self, builder: TextBuilder, read: ReadAttachment, depth: int) -> None:
        self.disguised = 0
        self._builder, self._read, self._depth = builder, read, depth
        self._mails = 0

    def write(self, part: MIMEPart) -> str:
        """Write a part, and return why it is not read, or what of it is not; empty if all is."""
        try:
            mail = _mail_in(part)
            if mail is not None:
                return self._write_mail(part, mail)
            if _is_inline_text(part):
                self.disguised += write_body(part, self._builder)
                return ""
            content = part.get_payload(decode=True)
            name = _file_name(part)
            attachment = self._read(name, content if isinstance(content, bytes) else b"")
            self._builder.embed(f"Attached: {name}", attachment)
        except LoadingError as error:
            return str(error)
        return attachment.remark

    def _write_mail(self, part: MIMEPart, mail: EmailMessage) -> str:
        """Write a mail inside this one, as a document of its own with its place."""
        if self._depth >= MAX_DEPTH:
            raise ExtractionLimit(f"is a mail inside more than {MAX_DEPTH} others")
        inner = extract_message(mail, self._read, self._depth + 1)
        self._mails += 1
        subject = fold_to_line(header(mail, "Subject")) or _file_name(part)
        self._builder.embed(f"Attached: {subject}", inner, mail=f"{self._mails} ({subject})")
        return inner.remark


def _mail_in(part: MIMEPart) -> EmailMessage | None:
    """Return the mail that a part is, None if it is something else."""
    if part.get_content_maintype() == "message":
        inner = part.get_payload()
        if isinstance(inner, list) and inner and isinstance(inner[0], EmailMessage):
            return inner[0] if inner[0].keys() else _encoded_mail(part, inner[0])
    content = part.get_payload(decode=True)
    if _file_name(part).lower().endswith(_MAIL_SUFFIX) and isinstance(content, bytes):
        return parse_message(content)
    return None


def _encoded_mail(part: MIMEPart, inner: EmailMessage) -> EmailMessage:
    """Return a mail that was encoded, which MIME forbids: its text is the payload of `inner`."""
    content = inner.get_payload()
    transfer = str(part.get("Content-Transfer-Encoding", "")).lower()
    if transfer == "base64" and isinstance(content, str):
        return parse_message(base64.b64decode(content, validate=False))
    decoded = inner.get_payload(decode=True)
    return parse_message(decoded if isinstance(decoded, bytes) else b"")


def header(message: EmailMessage, name: str) -> str:
    """Return the value of a header, empty if there is none."""
    try:
        return str(message.get(name, ""))
    except Exception:  # noqa: BLE001 - the parser of headers raises anything on hostile ones
        # The raw text serves as well; it is not parsed.
        for key, value in message.raw_items():
            if key.lower() == name.lower():
                return str(value)
        return ""


def _day(message: EmailMessage) -> str | None:
    """Return the day of the mail (YYYY-MM-DD), None if its date cannot be read."""
    try:
        return parsedate_to_datetime(header(message, "Date")).date().isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
