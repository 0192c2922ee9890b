"""Bodies of a mail: the choice among its versions, their charset, and their text."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage, MIMEPart

from index.errors import BinaryFile, EmptyFile, LoadingError
from index.formats.html import decode_page, parse_page
from index.formats.mail.threads import (
    BodyLine,
    MailText,
    Passage,
    Voice,
    plain_lines,
    read_thread,
)
from index.formats.markup import Element, MarkupWriter, text_of
from index.formats.page_styles import drop_unseen
from index.formats.plain_body import write_plain_text
from index.formats.text_builder import ExtractedText, TextBuilder
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


@dataclass(slots=True)
class WrittenBody:
    """Facts about a body that was written.

    `disguised` counts its texts that nobody can see (`drop_unseen`), `remark` says what else is
    to be known, and `mails` are those pasted into it, in order.
    """

    disguised: int = 0
    remark: str = ""
    mails: list[ExtractedText] = field(default_factory=list)


def write_body(part: MIMEPart, builder: TextBuilder) -> WrittenBody:
    """Write a body; mails pasted into it are named there and returned."""
    text = decoded_body(part)
    if part.get_content_subtype() != "html" or not text.strip():
        thread = read_thread(plain_lines(text), has_marks=True)
        return WrittenBody(mails=_write_thread(thread, builder, _write_plain))
    page = parse_page(text)
    disguised = drop_unseen(page)
    scratch = TextBuilder()
    writer = _QuoteWriter(scratch)
    writer.write(page)
    if not scratch.length:
        return WrittenBody(disguised)
    extracted = scratch.build()
    thread = read_thread(writer.lines(extracted.text), has_marks=False)

    def write(passage: Passage, to: TextBuilder, headings: Sequence[str]) -> None:
        to.open_section(headings)
        to.excerpt(extracted, passage.lines[0].start, passage.lines[-1].end)

    return WrittenBody(disguised, extracted.remark, _write_thread(thread, builder, write))


_WritePassage = Callable[[Passage, TextBuilder, Sequence[str]], None]
"""Writes a passage under headings."""


def _write_thread(
    thread: MailText, builder: TextBuilder, write: _WritePassage
) -> list[ExtractedText]:
    """Write the text of a mail, and return those pasted into it, each as a text of its own."""
    _write_content(thread, builder, write)
    mails = []
    for mail in thread.mails():
        inner = TextBuilder(mail.subject)
        inner.pairs(mail.headers.items())
        _write_content(mail, inner, write)
        mails.append(inner.build(date=mail.date))
    return mails


def _write_content(mail: MailText, builder: TextBuilder, write: _WritePassage) -> None:
    """Write the passages of a mail, each quote once under the line that says whose it is."""
    written: set[Voice] = set()
    for each in mail.content:
        if isinstance(each, MailText):
            builder.mention(f"Pasted: {each.subject or 'a mail'}")
            continue
        names = [voice.name for voice in each.voices]
        for depth, voice in enumerate(each.voices, start=1):
            if voice.is_written and voice not in written:
                written.add(voice)
                builder.section_heading(names[:depth])
        write(each, builder, names)


def _write_plain(passage: Passage, builder: TextBuilder, headings: Sequence[str]) -> None:
    write_plain_text("\n".join(line.text for line in passage.lines), builder, headings)


@dataclass
class _QuoteWriter(MarkupWriter):
    """Writes a page and notes which of its text is quoted."""

    _depths: list[tuple[int, int]] = field(default_factory=lambda: [(0, 0)])
    """Depths of quotation, each from the character after an offset on."""

    def _write_block(self, name: str, element: Element) -> None:
        if name != "blockquote":
            super()._write_block(name, element)
            return
        _, depth = self._depths[-1]
        self._depths.append((self.builder.length, depth + 1))
        super()._write_block(name, element)
        self._flush()
        self._depths.append((self.builder.length, depth))

    def lines(self, text: str) -> list[BodyLine]:
        """Return the lines of the text that was written, but the blank ones."""
        offsets = [offset for offset, _ in self._depths]
        lines, start, is_first = [], 0, True
        for line in text.split("\n"):
            if line:
                _, depth = self._depths[bisect_right(offsets, start) - 1]
                lines.append(BodyLine(line, depth, start, start + len(line), is_first))
            is_first = not line
            start += len(line) + 1
        return lines


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
