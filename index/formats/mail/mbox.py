"""Mailboxes (the standard library's mailbox): each mail is a part of the file.

The text of the mailbox itself lists them.
"""

from __future__ import annotations

import mailbox
import tempfile
from pathlib import Path

import regex

from index.errors import DamagedFile, LoadingError
from index.formats.mail.eml import ReadAttachment, extract_inner, header, parse_message
from index.formats.text_builder import ExtractedText, TextBuilder, as_parts, fold_to_line
from index.wording import listed

_NO_SEPARATOR = regex.compile(rb"(?m)^From (?![^\n]*\d\d?:\d\d)")
"""A line of a mail's text that was not escaped: those between mails have a time of day."""
_ESCAPED = regex.compile(rb"(?m)^>(>*From )")


def extract(data: bytes, read: ReadAttachment) -> ExtractedText:
    """Return the mails of a mailbox in order.

    The remark names those that cannot be read. Raises LoadingError.
    """
    if not data.lstrip().startswith(b"From "):
        raise DamagedFile("expected a mailbox, in which each mail begins with a line From")
    builder = TextBuilder()
    problems: list[str] = []
    parts: list[ExtractedText] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "mails.mbox")
        path.write_bytes(_escaped(data.lstrip()))
        box = mailbox.mbox(path, create=False)
        for number, key in enumerate(box.iterkeys(), start=1):
            try:
                message = parse_message(_ESCAPED.sub(rb"\1", box.get_bytes(key)))
                mail = extract_inner(message, read, depth=1)
            except LoadingError as error:
                problems.append(f"mail {number} {error}")
                continue
            subject = fold_to_line(header(message, "Subject")) or "without a subject"
            builder.mention(f"Mail {number}: {subject}")
            parts += as_parts(mail, number, f"{number} ({subject})")
        box.close()
    remark = f"has mails that are not read: {listed(problems)}" if problems else ""
    return builder.build(remark=remark, parts=parts)


def _escaped(data: bytes) -> bytes:
    """Return a mailbox with the lines escaped that look like those between mails and are none."""
    if _NO_SEPARATOR.match(data):  # here no line between mails has a time
        return data
    return _NO_SEPARATOR.sub(b">From ", data)
