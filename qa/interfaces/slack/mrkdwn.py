"""Slack's text format, mrkdwn.

What people type becomes a plain question; text of documents becomes text that mentions nobody and
links nothing. Source: "Formatting message text", docs.slack.dev. Lengths are in UTF-16 units, the
most that any client counts for a character.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

import regex

from qa.interfaces.plaintext.answers import shown_lines

MAX_TEXT = 3000
"""Characters of one text (text object, docs.slack.dev)."""
ELLIPSIS = "…"
_ENTITIES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))
_TOKEN = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
"""`<@U1|label>`, `<#C1|label>`, `<!here>` or `<url|label>`: sign, target, label."""
_GRAPHEME = regex.compile(r"\X")
_ACTIVE = re.compile(r"(?<=@)(?=\w)|(?<=:)(?=//)|(?<=\bmailto:)|(?<=\bwww)(?=\.)", re.IGNORECASE)
"""Positions within plain text that clients would make a mention or a link of."""
_ZERO_WIDTH = "\u200b"


def utf16_length(text: str) -> int:
    """Return the characters of a text as the strictest client counts them: UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def escape(text: str) -> str:
    """Return a text with the three control characters of mrkdwn as entities."""
    # "&" comes first in the table: the entities of the other two contain it.
    for character, entity in _ENTITIES:
        text = text.replace(character, entity)
    return text


def defuse(text: str) -> str:
    """Return an escaped text in which Slack finds no mention, address or link.

    A zero-width space breaks up what looks like one. Control characters are replaced.
    """
    return escape(_ACTIVE.sub(_ZERO_WIDTH, shown_lines(text)))


def link(url: str, label: str) -> str:
    """Return a link with a text of a document as its label, or the label alone without a url."""
    if not url:
        return defuse(label)
    return f"<{escape(url).replace('|', '%7C')}|{defuse(label).replace('|', '¦')}>"


def truncate(text: str, room: int, measure: Callable[[str], int] = utf16_length) -> str:
    """Return a text of at most `room` characters, cut after a whole grapheme.

    A cut text ends in "…". `measure` must add up over graphemes.
    """
    if measure(text) <= room:
        return text
    graphemes = (match[0] for match in _GRAPHEME.finditer(text))
    kept = _take_fitting(graphemes, room - measure(ELLIPSIS), measure)
    return "".join(kept).rstrip() + ELLIPSIS


def truncate_start(text: str, room: int) -> str:
    """Return the end of a text, at most `room` characters; a cut text begins with "…"."""
    if utf16_length(text) <= room:
        return text
    from_end = reversed(_GRAPHEME.findall(text))
    kept = [*_take_fitting(from_end, room - utf16_length(ELLIPSIS), utf16_length)]
    return ELLIPSIS + "".join(reversed(kept)).lstrip()


def _take_fitting(
    graphemes: Iterable[str], room: int, measure: Callable[[str], int]
) -> Iterator[str]:
    for grapheme in graphemes:
        room -= measure(grapheme)
        if room < 0:
            return
        yield grapheme


def defuse_and_truncate(text: str, room: int) -> str:
    """Return a defused text of at most `room` characters, never cut within an entity."""
    return defuse(truncate(text, room, _defused_length_limit))


def _defused_length_limit(part: str) -> int:
    """Return an upper limit of the length of a part once the whole is defused.

    A zero-width space can come after each "@", ":" and ".", also where the part alone shows no
    reason for it; counted for all of them the limit adds up over graphemes.
    """
    return utf16_length(defuse(part)) + part.count("@") + part.count(":") + part.count(".")


def question_of(text: str, bot: str | None) -> str:
    """Return a typed message as a plain question.

    Mentions of the bot are dropped; other mentions, channels and links become their names.
    """

    def plain(match: re.Match[str]) -> str:
        sign, target, label = match.groups()
        if sign == "@" and target == bot:
            return " "
        name = str(label or target)
        if not sign:  # a link
            return name
        return f"#{name}" if sign == "#" else f"@{name}"

    text = _TOKEN.sub(plain, text)
    # "&amp;" comes last: what it becomes may look like another entity.
    for character, entity in reversed(_ENTITIES):
        text = text.replace(entity, character)
    return text.strip()


def mentioned_users(text: str) -> list[str]:
    """Return the ids of the people who are mentioned, in order."""
    return [match[2] for match in _TOKEN.finditer(text) if match[1] == "@"]
