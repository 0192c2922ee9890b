"""Bodies of a mail: the choice among its versions, their charset, and their text."""

from __future__ import annotations

from collections.abc import Sequence
from email.message import EmailMessage, MIMEPart

from index.errors import BinaryFile, EmptyFile, LoadingError
from index.formats.html import decode_page, parse_page
from index.formats.markup import Element, MarkupWriter, text_of
from index.formats.page_styles import drop_unseen
from index.formats.plain_body import write_plain_text
from index.formats.text_builder import TextBuilder
from index.text.encoding import decode, web_charset

STUB_SHARE = 0.3
"""Share of the words of the HTML version below which the plain version is a stub.

Programs put "your mail program shows no HTML" there, or nothing.
"""
SAME_SHARE = 0.5
"""Share of the words of a shorter plain version below which it says something else."""


def body_of(message: EmailMessage) -> MIMEPart | None:
    """Return the part with the text of a mail: the plain version unless it is a stub."""
    plain, page = message.get_body(("plain",)), message.get_body(("html",))
    if plain is None or page is None:
        return plain or page
    try:
        words = decoded_body(plain).split()
        page_words = text_of(_parsed(decoded_body(page))).split()
    except LoadingError:  # of two versions, the one that can be read
        return plain
    return page if _is_stub(words, page_words) else plain


def _is_stub(words: Sequence[str], page_words: Sequence[str]) -> bool:
    """Return True if the plain version of a mail says less than its page, or something else."""
    if len(words) < STUB_SHARE * len(page_words):
        return True
    known = set(page_words)
    shared = sum(word in known for word in words)
    return len(words) < len(page_words) and shared < SAME_SHARE * len(words)


def write_body(part: MIMEPart, builder: TextBuilder) -> int:
    """Write a body and return how many of its texts are disguised (`drop_unseen`)."""
    text = decoded_body(part)
    if part.get_content_subtype() != "html" or not text.strip():
        write_plain_text(text, builder)
        return 0
    page = parse_page(text)
    disguised = drop_unseen(page)
    MarkupWriter(builder).write(page)
    return disguised


def decoded_body(part: MIMEPart) -> str:
    """Return the text of a body, in its declared charset if that works, else as detected.

    Charsets are named as in web pages: Outlook declares iso-8859-1 and sends windows-1252.
    """
    content = part.get_payload(decode=True)
    raw = content if isinstance(content, bytes) else b""
    try:
        return raw.decode(web_charset(part.get_content_charset() or "utf-8")).replace("\r\n", "\n")
    except (LookupError, UnicodeError):  # unknown, or not the one declared
        pass
    try:
        decoded = decode_page(raw) if part.get_content_subtype() == "html" else decode(raw)
    except BinaryFile as error:
        raise EmptyFile("holds no text that can be decoded") from error
    return decoded.text.replace("\r\n", "\n")


def _parsed(text: str) -> Element:
    page = parse_page(text)
    drop_unseen(page)
    return page
