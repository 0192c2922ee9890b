"""Messages of Outlook (python-oxmsg, MIT) as mails, so that both are read alike."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from typing import TYPE_CHECKING, Any

from index.errors import BinaryFile, DamagedFile, LoadingError
from index.formats.mail.eml import MAX_DEPTH
from index.formats.text_builder import fold_to_line
from index.text.encoding import decode

if TYPE_CHECKING:
    from oxmsg.storage import Storage

_RTF_BODY = 0x1009
"""Property of a body that is only there as compressed Rich Text (MS-OXPROPS, 2.937)."""
_EMBEDDED = "__substg1.0_3701000D"
"""Storage of an attached message (MS-OXMSG, 2.2.2.1)."""
_EMBEDDED_HEADER = 24
"""Bytes before the properties of an attached message; 32 at the top (MS-OXMSG, 2.4.1.2)."""
_RECIPIENT_KIND = 0x0C15
_COPY = 2
"""Kind of a recipient who gets a copy (MS-OXOMSG, 2.2.3.1.2)."""


def parse_message(data: bytes) -> EmailMessage:
    """Return the mail in an Outlook file. Raises DamagedFile."""
    from oxmsg import Message

    try:
        message = Message.load(data)
        _decode_leniently(message._storage)  # type: ignore[arg-type]  # noqa: SLF001 - no other way
        return _mail(message, 0)
    except LoadingError:
        raise
    except Exception as error:
        # The library lets errors of olefile and of struct through, and assertions of its own.
        raise DamagedFile(
            f"expected an Outlook message, got one that cannot be read ({type(error).__name__}): "
            "save it again from Outlook"
        ) from error


class _Text(bytes):
    """Bytes of a property; its text may be in another code page than the message says."""

    __slots__ = ()

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return the text in an encoding, else in the one that is detected."""
        page = encoding.lower().replace("windows-", "cp")
        try:
            return super().decode(page, errors)
        except (LookupError, UnicodeError):
            pass
        try:
            return decode(bytes(self)).text
        except BinaryFile:
            return super().decode("utf-16-le" if "16" in encoding else "cp1252", "replace")


def _decode_leniently(storage: Storage) -> None:
    """Let the texts of a message, and of those inside it, be read in their real code pages."""
    for stream in storage.streams:
        stream.bytes_ = _Text(stream.bytes_)
    for inner in storage.storages:
        _decode_leniently(inner)


def _mail(message: Any, depth: int) -> EmailMessage:  # noqa: ANN401 - of two classes
    mail = EmailMessage()
    for name, value in _headers(message).items():
        if value:
            mail[name] = value
    mail.set_content(message.body or "")
    page = message.html_body
    if page:
        mail.add_alternative(page, subtype="html")
    elif not message.body:
        _add_rich_text(mail, message.properties.binary_prop_value(_RTF_BODY))
    for attachment in message.attachments:
        _add_attachment(mail, attachment, depth)
    return mail


def _headers(message: Any) -> dict[str, str]:  # noqa: ANN401 - see above
    """Return the shown headers: those that were sent, else made of the message's properties."""
    sent = {name.lower(): str(value) for name, value in message.message_headers.items()}
    date = format_datetime(message.sent_date) if message.sent_date else ""
    shown = {
        "From": message.sender or "",
        "To": sent.get("to") or _recipients(message, is_copy=False),
        "Cc": sent.get("cc") or _recipients(message, is_copy=True),
        "Date": sent.get("date") or date,
        "Subject": message.subject,
    }
    return {name: fold_to_line(str(value)) for name, value in shown.items()}


def _recipients(message: Any, *, is_copy: bool) -> str:  # noqa: ANN401 - see above
    return ", ".join(
        formataddr((recipient.name or "", recipient.email_address or ""))
        for recipient in message.recipients
        if (recipient.properties.int_prop_value(_RECIPIENT_KIND) == _COPY) == is_copy
    )


def _add_rich_text(mail: EmailMessage, compressed: bytes | None) -> None:
    """Add a body in compressed Rich Text as a file, which the reader of its format reads."""
    if not compressed:
        return
    from compressed_rtf import decompress

    mail.add_attachment(
        decompress(compressed), maintype="application", subtype="rtf", filename="text.rtf"
    )


def _add_attachment(mail: EmailMessage, attachment: Any, depth: int) -> None:  # noqa: ANN401
    embedded = _embedded_message(attachment._storage)  # noqa: SLF001 - the library leaves it out
    if embedded is not None:
        # One more than is read: the reader of mails names what it leaves out.
        if depth <= MAX_DEPTH:
            _add_message(mail, embedded, depth + 1)
        return
    name = attachment.file_name or attachment.properties.str_prop_value(0x3704) or ""
    main, _, sub = (attachment.mime_type or "").partition("/")
    mail.add_attachment(
        attachment.file_bytes or b"",
        maintype=main if sub and main not in {"text", "multipart", "message"} else "application",
        subtype=fold_to_line(sub) or "octet-stream",
        filename=fold_to_line(name),
    )


def _add_message(mail: EmailMessage, embedded: Any, depth: int) -> None:  # noqa: ANN401 - see above
    """Add an attached message; a broken one as a file that cannot be read, so that it is named."""
    try:
        mail.add_attachment(_mail(embedded, depth))
    except Exception:  # noqa: BLE001 - the errors of `parse_message`, which one must not cost all
        mail.add_attachment(
            b"", maintype="application", subtype="vnd.ms-outlook", filename="message.msg"
        )


def _embedded_message(storage: Storage) -> Any:  # noqa: ANN401 - a class made on first use
    from oxmsg import Message
    from oxmsg.properties import Properties

    inner = next((each for each in storage.storages if each.name == _EMBEDDED), None)
    if inner is None:
        return None
    message = Message(inner)
    message.__dict__["_properties"] = Properties(inner, properties_header_offset=_EMBEDDED_HEADER)
    return message
