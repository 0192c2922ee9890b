"""Parts of a Word document in another format (altChunk), which Word shows as if they were its own.

Programs that turn web pages into Word documents put the whole page there (ECMA-376, part 1,
17.17.2.1).
"""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage

from index.formats.html import decode_page, parse_page
from index.formats.markup import MarkupWriter
from index.formats.page_styles import drop_unseen
from index.formats.plain_body import write_plain_text
from index.formats.text_builder import ExtractedText, TextBuilder
from index.text.encoding import decode

_HTML = ("html", "htm", "xhtml")
_WEB_ARCHIVE = ("mht", "mhtml")


def read_alternative(name: str, data: bytes) -> ExtractedText | None:
    """Return the text of a part by its name; None for other formats. Raises LoadingError."""
    suffix = name.rpartition(".")[2].lower()
    if suffix in _WEB_ARCHIVE:
        return _read_page(_page_in(data))
    if suffix in _HTML:
        return _read_page(data)
    if suffix == "txt":
        builder = TextBuilder()
        write_plain_text(decode(data).text, builder)
        return builder.build()
    return None


def _page_in(archive: bytes) -> bytes:
    """Return the page of a web archive, which is a mail (RFC 2557)."""
    message = email.message_from_bytes(archive.lstrip(), policy=email.policy.default)
    for part in message.walk():
        if isinstance(part, EmailMessage) and part.get_content_type() == "text/html":
            content = part.get_payload(decode=True)
            return content if isinstance(content, bytes) else b""
    return b""


def _read_page(data: bytes) -> ExtractedText:
    page = parse_page(decode_page(data).text)
    drop_unseen(page)
    builder = TextBuilder()
    MarkupWriter(builder).write(page)
    return builder.build()
