"""Mailboxes (the standard library's mailbox): each mail with its own head and its place."""

from __future__ import annotations

import mailbox
import tempfile
from pathlib import Path

from index.errors import DamagedFile, LoadingError
from index.formats.mail.eml import ReadAttachment, extract_message, header, parse_message
from index.formats.text_builder import ExtractedText, TextBuilder, fold_to_line
from index.wording import listed


def extract(data: bytes, read: ReadAttachment) -> ExtractedText:
    """Return the mails of a mailbox in order.

    The remark names those that cannot be read, or not whole. Raises LoadingError.
    """
    if not data.lstrip().startswith(b"From "):
        raise DamagedFile("expected a mailbox, in which each mail begins with a line From")
    builder = TextBuilder()
    problems: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "mails.mbox")
        path.write_bytes(data.lstrip())
        box = mailbox.mbox(path, create=False)
        for number, key in enumerate(box.iterkeys(), start=1):
            problem = _write_mail(box.get_bytes(key), number, builder, read)
            if problem:
                problems.append(f"mail {number} {problem}")
        box.close()
    remark = f"has mails that are not read, or not whole: {listed(problems)}" if problems else ""
    return builder.build(remark=remark)


def _write_mail(data: bytes, number: int, builder: TextBuilder, read: ReadAttachment) -> str:
    """Write a mail, and return why it is not read, or what of it is not; empty if all is."""
    try:
        message = parse_message(data)
        inner = extract_message(message, read, depth=1)
    except LoadingError as error:
        return str(error)
    subject = fold_to_line(header(message, "Subject")) or "without a subject"
    builder.embed(f"Mail {number}: {subject}", inner, mail=f"{number} ({subject})")
    return inner.remark
