"""Voices of a mail's body: its sender's words, quotes of others, and mails pasted into it.

Mail programs paste a forwarded or answered mail below the text, with its headers ("-----Original
Message-----"); digests (RFC 1153) hold their mails in that way, too. Such a mail is one of its own.
Of other quotes nothing but a line says whose words they are ("On 2 March, Ann wrote:"), and answers
may stand between them: each is a passage under that line.

The steps: the body's lines, with the depth of their quotation, are read in order; a block of
headers opens a mail, an attribution a quote, and both end where the quotation is less deep.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import NamedTuple

import regex

from index.text.dates import dates_in

WITHOUT_NAME = "Quoted text"
"""Heading of quoted lines of which nothing says whose they are."""
LONGEST_HEAD = 200
"""Lines of a mail's headers; a list of recipients may be long."""
LONGEST_ATTRIBUTION = 300
"""Characters of a line that says who wrote what follows."""

_QUOTE_MARKS = regex.compile(r"(?:> ?)*")
_FORWARDED = (
    r"forwarded|original|weitergeleitete|ursprüngliche|transféré|d'origine|reenviado|inoltrato"
    r"|originale|doorgestuurd|oorspronkelijk|encaminhada"
)
_MAIL_WORD = r"message|e-?mail|mail|nachricht|mensaje|messaggio|bericht|mensagem"
_MARKER = regex.compile(
    rf"-{{2,}} ?(?P<name>(?:(?:{_FORWARDED}) (?:{_MAIL_WORD})|(?:{_MAIL_WORD}) (?:{_FORWARDED})"
    r"|forwarded by)\b[^-]{0,200}(?:-[^-]{1,100})*?) ?-{2,}"
    r"|(?P<name>begin forwarded message|anfang der weitergeleiteten nachricht"
    r"|début du message (?:réexpédié|transféré)) ?: ?",
    regex.IGNORECASE,
)
_END_MARKER = regex.compile(
    rf"-{{2,}} ?end (?:of )?(?:forwarded|original) (?:{_MAIL_WORD}) ?-{{2,}}", regex.IGNORECASE
)
_DIGEST_RULES = frozenset({"-" * 70, "-" * 30})
"""Lines before the mails of a digest: before the first one, and between them (RFC 1153)."""
_RULE = regex.compile(r"_{8,}|-{8,}|={8,}")

_FIELDS = {
    "from": "from von de da van",
    "date": "date sent datum gesendet envoyé enviado fecha data inviato verzonden",
    "subject": "subject betreff objet asunto oggetto onderwerp assunto",
    "other": "to an à para a aan cc kopie bcc attachments importance priority organization",
}
_FIELD_OF = {label: name for name, labels in _FIELDS.items() for label in labels.split()}
"""Fields of a mail's head by their names in the languages of mail programs."""
_HEADER = regex.compile(r"\*?(?P<label>\p{L}[\p{L}-]{0,24})\*? ?:\*? *(?P<value>.*?)\*?")
_TECHNICAL = regex.compile(
    r"(?:message|content|mime|in-reply|references|return|reply|thread|list|received|x)(?:-.+)?",
    regex.IGNORECASE,
)
"""Headers that a mail program does not show."""

_WROTE = r"(?:wrote|writes|schrieb|schreibt|a écrit|ha scritto|escribió|escreveu|schreef|said)"
_ATTRIBUTION = regex.compile(rf".*\b{_WROTE}\b[^:]{{0,120}} ?:", regex.IGNORECASE)
_DATED_ATTRIBUTION = regex.compile(rf"(?:On|Am|Le|El|Il|Op|Em) .*\d.*\b{_WROTE}\b[^:]{{0,120}} ?:")
"""An attribution that says so without marks of quotation below it."""
_FIRST_LINE = regex.compile(r"(?:On|Am|Le|El|Il|Op|Em) |\d")
"""Beginning of an attribution over several lines."""
_MOST_LINES = 3


class BodyLine(NamedTuple):
    """Line of a body, as the range [start, end) without its marks of quotation.

    `depth` counts the quotations that it is in. `is_first`: a blank line, or nothing, is before it.
    """

    text: str
    depth: int
    start: int
    end: int
    is_first: bool


@dataclass(frozen=True, eq=False, slots=True)
class Voice:
    """Somebody whose words are quoted, by the line of the body that says so.

    `is_written` is False for a name that the body does not have.
    """

    name: str
    is_written: bool = True


_UNKNOWN = Voice(WITHOUT_NAME, is_written=False)


@dataclass(slots=True)
class Passage:
    """Consecutive lines of the same voices, the outermost first; none for the sender himself."""

    voices: tuple[Voice, ...]
    lines: list[BodyLine] = field(default_factory=list)


@dataclass(slots=True)
class MailText:
    """Text of a mail: its shown headers, its passages, and the mails pasted between them."""

    headers: dict[str, str] = field(default_factory=dict)
    subject: str = ""
    date: str | None = None
    content: list[Passage | MailText] = field(default_factory=list)

    def mails(self) -> Iterator[MailText]:
        """Yield the mails pasted into this one and into those, in the order of the text."""
        for each in self.content:
            if isinstance(each, MailText):
                yield each
                yield from each.mails()


def plain_lines(text: str) -> list[BodyLine]:
    """Return the lines of a plain body."""
    lines, start, is_first = [], 0, True
    for line in text.split("\n"):
        marks = _QUOTE_MARKS.match(line)
        size = marks.end() if marks else 0
        depth = line.count(">", 0, size)
        content = line[size:].rstrip()
        lines.append(BodyLine(content, depth, start + size, start + size + len(content), is_first))
        is_first = not content
        start += len(line) + 1
    return lines


def read_thread(lines: Sequence[BodyLine], *, has_marks: bool) -> MailText:
    """Return the mail of a body with what is quoted in it and pasted into it.

    `has_marks`: the body is plain text, where each quoted line has its mark, long headers are
    wrapped, and a blank line ends them.
    """
    return _ThreadReader(lines, has_marks=has_marks).read()


@dataclass(slots=True)
class _OpenMail:
    """Mail that the following lines belong to, until one is quoted less deep than `depth`.

    `quotes` are (depth, voice) from the outermost: lines at least so deep are in that voice.
    """

    mail: MailText
    depth: int = 0
    of_digest: bool = False
    quotes: list[tuple[int, Voice]] = field(default_factory=list)

    def open_quote(self, depth: int, voice: Voice) -> None:
        self.quotes = [each for each in self.quotes if each[0] < depth]
        self.quotes.append((depth, voice))

    def voices_at(self, depth: int, *, has_marks: bool) -> tuple[Voice, ...]:
        """Return the voices of a line so deep."""
        named = [(least, voice) for least, voice in self.quotes if least <= depth]
        voices = tuple(voice for _, voice in named)
        is_named = depth <= self.depth or any(least == depth for least, _ in named)
        return voices if is_named or not has_marks else (*voices, _UNKNOWN)


class _ThreadReader:
    """Reads the lines of a body one after the other."""

    def __init__(self, lines: Sequence[BodyLine], *, has_marks: bool) -> None:
        self._lines, self._has_marks = lines, has_marks
        self._at = 0
        self._open = [_OpenMail(MailText())]

    def read(self) -> MailText:
        outer = self._open[0].mail
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line.text:
                self._close_before(line)
            if not line.text or not (
                self._ends_mail(line) or self._begins_mail(line) or self._begins_quote(line)
            ):
                self._add(line)
                self._at += 1
        return outer

    def _close_before(self, line: BodyLine) -> None:
        """Close the mails that were quoted deeper than a line."""
        while len(self._open) > 1 and line.depth < self._open[-1].depth:
            self._open.pop()

    def _add(self, line: BodyLine) -> None:
        mail = self._open[-1]
        content = mail.mail.content
        last = content[-1] if content else None
        passage = last if isinstance(last, Passage) else None
        if line.text:
            voices = mail.voices_at(line.depth, has_marks=self._has_marks)
            if passage is None or passage.voices != voices:
                passage = Passage(voices)
                content.append(passage)
        if passage is not None:  # a blank line begins none
            passage.lines.append(line)

    def _ends_mail(self, line: BodyLine) -> bool:
        """Close the innermost mail if a line says that it ends."""
        is_end = _END_MARKER.fullmatch(line.text) is not None
        is_rule = self._open[-1].of_digest and line.text in _DIGEST_RULES and line.is_first
        if len(self._open) == 1 or not (is_end or is_rule):
            return False
        self._open.pop()
        if is_rule:  # which may also begin the next one
            return self._begins_mail(line)
        self._at += 1
        return True

    def _begins_mail(self, line: BodyLine) -> bool:
        """Open the mail that begins at a line, with its headers, if one does."""
        marker, after = self._marker(line)
        is_digest = line.is_first and line.text in _DIGEST_RULES
        is_marked = marker is not None or is_digest
        if not (is_marked or line.is_first):
            return False
        if marker is None and _RULE.fullmatch(line.text):
            after += 1
        start = self._after_blank(after) if is_marked else after
        head = _Head(self._lines, start, line.depth, self._has_marks)
        if head.is_of_mail(is_marked=is_marked):
            self._open_mail(head.as_mail(), line.depth, of_digest=is_digest)
            self._at = head.end
            return True
        if marker is None:
            return False
        self._open[-1].open_quote(line.depth, Voice(marker))
        self._at = after
        return True

    def _marker(self, line: BodyLine) -> tuple[str | None, int]:
        """Return the words of a line that says that a mail follows, and the next line's number.

        None, and the number of the line itself, without such words.
        """
        if not line.text.lstrip().startswith("--") and not line.text.endswith(":"):
            return None, self._at
        for count in (1, 2):
            text = self._joined(count, line.depth)
            match = _MARKER.fullmatch(text) if len(text) <= LONGEST_ATTRIBUTION else None
            if match:
                return match["name"].strip(), self._at + count
        return None, self._at

    def _open_mail(self, mail: MailText, depth: int, *, of_digest: bool) -> None:
        self._open[-1].mail.content.append(mail)
        self._open.append(_OpenMail(mail, depth, of_digest))

    def _begins_quote(self, line: BodyLine) -> bool:
        """Open the quote that a line attributes to somebody, if it does."""
        for count in range(1, _MOST_LINES + 1):
            text = self._joined(count, line.depth)
            if count > 1 and not _FIRST_LINE.match(line.text):
                return False
            if len(text) > LONGEST_ATTRIBUTION or not _ATTRIBUTION.fullmatch(text):
                continue
            following = self._after_blank(self._at + count)
            quoted = self._lines[following].depth if following < len(self._lines) else 0
            if quoted > line.depth or (line.is_first and _DATED_ATTRIBUTION.fullmatch(text)):
                self._open[-1].open_quote(
                    max(quoted, line.depth), Voice(text.removesuffix(":").strip())
                )
                self._at += count
                return True
        return False

    def _joined(self, count: int, depth: int) -> str:
        """Return the next lines as one; empty if one of them is blank or of another depth."""
        lines = self._lines[self._at : self._at + count]
        if len(lines) < count or any(not each.text or each.depth != depth for each in lines):
            return ""
        return " ".join(each.text.strip() for each in lines)

    def _after_blank(self, at: int) -> int:
        """Return the number of the first line with text from line `at` on."""
        while at < len(self._lines) and not self._lines[at].text:
            at += 1
        return at


class _Head:
    """Headers of a pasted mail, from line `start` on; `end` is the line after them."""

    def __init__(
        self,
        lines: Sequence[BodyLine],
        start: int,
        depth: int,
        has_marks: bool,  # noqa: FBT001
    ) -> None:
        self.headers: dict[str, str] = {}
        self.end = start
        label = ""
        for number in range(start, min(len(lines), start + LONGEST_HEAD)):
            line = lines[number]
            if not line.text or line.depth != depth:
                break
            match = _header_in(line.text)
            if match:
                label = match["label"]
                self.headers.setdefault(label, match["value"])
            elif label and has_marks and _goes_on(self.headers[label], line.text):
                self.headers[label] = f"{self.headers[label]} {line.text.strip()}"
            else:
                break
            self.end = number + 1

    def is_of_mail(self, *, is_marked: bool) -> bool:
        """Return True for the head of a mail; without a line that announces one, for a full one."""
        known = [_FIELD_OF.get(label.lower()) for label in self.headers]
        if is_marked:
            return "from" in known and ("date" in known or "subject" in known)
        return {"from", "date", "subject"} <= set(known) and None not in known

    def as_mail(self) -> MailText:
        """Return the mail of these headers, without a text."""
        shown = {
            label: value
            for label, value in self.headers.items()
            if value and not _TECHNICAL.fullmatch(label)
        }
        by_field = {_FIELD_OF.get(label.lower(), ""): value for label, value in shown.items()}
        return MailText(shown, by_field.get("subject", ""), _day_of(by_field.get("date", "")))


def _header_in(line: str) -> regex.Match[str] | None:
    """Return the match of a header with a known name, None for other lines."""
    match = _HEADER.fullmatch(line)
    if match is None:
        return None
    is_shown = match["label"].lower() in _FIELD_OF
    return match if is_shown or _TECHNICAL.fullmatch(match["label"]) else None


def _goes_on(value: str, following: str) -> bool:
    """Return True if a long header, such as a list of recipients, goes on in the next line."""
    return following[0].isspace() or value.endswith((",", ";"))


def _day_of(date: str) -> str | None:
    """Return the day in the date of a head (YYYY-MM-DD), None if it cannot be told."""
    try:
        return parsedate_to_datetime(date).date().isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        days = [each.value for each in dates_in(date) if len(each.value) == len("2026-03-02")]
        return days[0] if days else None
