"""Mails (the standard library's email).

Sender, recipients, date and subject come first, then the text, then the attachments whose formats
are read. A mail inside a mail is a part of the file, and its place says which it is.
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
from index.formats.text_builder import ExtractedText, TextBuilder, as_parts, fold_to_line
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
_OUTLOOK_SUFFIX = ".msg"
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
    unread = []
    attached = _AttachedParts(builder, read, depth)
    if body is not None:
        attached.write_body(body)
    for part in _parts_after_body(message, body):
        problem = attached.write(part)
        if problem:
            unread.append(f"{_file_name(part)} {problem}")
    remark = joined_remarks(unseen_remark(attached.disguised), *attached.remarks)
    if unread:
        problems = f"has attachments that are not read, or not whole: {'; '.join(unread)}"
        remark = joined_remarks(remark, problems)
    return builder.build(date=_day(message), remark=remark, parts=attached.parts)


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
    """Return the name of an attached file, or else the subject of an attached mail."""
    name = fold_to_line(part.get_filename() or "")
    inner = part.get_payload()
    if not name and isinstance(inner, list) and inner and isinstance(inner[0], EmailMessage):
        name = fold_to_line(header(inner[0], "Subject"))
    return name or "without a name"


class _AttachedParts:
    """Writes the parts of a mail to a text builder, its body first."""

    def __init__(self, builder: TextBuilder, read: ReadAttachment, depth: int) -> None:
        self.disguised = 0
        self.remarks: list[str] = []
        self.parts: list[ExtractedText] = []
        self._builder, self._read, self._depth = builder, read, depth
        self._mails = 0

    def write_body(self, part: MIMEPart) -> None:
        """Write a text of the mail; those pasted into it become documents of their own."""
        body = write_body(part, self._builder)
        self.disguised += body.disguised
        self.remarks.append(body.remark)
        for mail in body.mails:
            self._add_part(mail, mail.title or "without a subject")

    def write(self, part: MIMEPart) -> str:
        """Write a part, and return why it is not read, or what of it is not; empty if all is."""
        try:
            mail = _mail_in(part)
            if mail is not None:
                self._write_mail(part, mail)
                return ""
            if _is_inline_text(part):
                self.write_body(part)
                return ""
            content = part.get_payload(decode=True)
            name = _file_name(part)
            attachment = self._read(name, content if isinstance(content, bytes) else b"")
        except LoadingError as error:
            return str(error)
        if name.lower().endswith(_OUTLOOK_SUFFIX):
            self._add_mail(attachment, attachment.title or name)
            return ""
        self._builder.embed(f"Attached: {name}", attachment)
        if attachment.parts:  # of a mailbox
            self._mails += 1
            self.parts += list(as_parts(attachment, self._mails, f"{self._mails} ({name})"))[1:]
        return attachment.remark

    def _write_mail(self, part: MIMEPart, mail: EmailMessage) -> None:
        """Read a mail inside this one, which becomes a document of its own with its place."""
        if self._depth >= MAX_DEPTH:
            raise ExtractionLimit(f"is a mail inside more than {MAX_DEPTH} others")
        inner = extract_inner(mail, self._read, self._depth + 1)
        self._add_mail(inner, fold_to_line(header(mail, "Subject")) or _file_name(part))

    def _add_mail(self, mail: ExtractedText, subject: str) -> None:
        """Add a mail inside this one as a part, whose remark is its own."""
        self._builder.mention(f"Attached: {subject}")
        self._add_part(mail, subject)

    def _add_part(self, mail: ExtractedText, subject: str) -> None:
        self._mails += 1
        self.parts += as_parts(mail, self._mails, f"{self._mails} ({subject})")


def extract_inner(message: EmailMessage, read: ReadAttachment, depth: int) -> ExtractedText:
    """Return the text of a mail inside another file, which a broken one must not cost.

    Raises LoadingError and nothing else.
    """
    try:
        return extract_message(message, read, depth)
    except LoadingError:
        raise
    except Exception as error:  # the parser of mails raises anything on hostile ones
        raise DamagedFile(f"cannot be read ({type(error).__name__}: {error})") from error


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
