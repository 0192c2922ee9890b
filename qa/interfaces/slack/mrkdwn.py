"""Slack's text format, mrkdwn: what people type becomes a plain question, and text of documents
becomes text that does nothing.

Source: "Formatting message text", docs.slack.dev. Lengths are in UTF-16 units, the most that a
client may count a character as.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

import regex

MAX_TEXT = 3000
"""Characters of one text (text object, docs.slack.dev)."""
CUT = "…"
_ENTITIES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))
_TOKEN = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
_GRAPHEME = regex.compile(r"\X")
_ACTIVE = re.compile(r"(?<=@)(?=\w)|(?<=:)(?=//)|(?<=\bmailto:)|(?<=\bwww)(?=\.)", re.IGNORECASE)
_ZERO_WIDTH = "\u200b"


def length(text: str) -> int:
    """Characters of a text as the strictest client counts them: UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def escaped(text: str) -> str:
    """The three characters that control mrkdwn as entities."""
    for character, entity in _ENTITIES:
        text = text.replace(character, entity)
    return text


def defused(text: str) -> str:
    """Escaped, and with a zero-width space in what looks like a mention, an address or a link, so
    that nobody is called and nothing is linked.
    """
    return escaped(_ACTIVE.sub(_ZERO_WIDTH, text))


def link(url: str, label: str) -> str:
    """A link, or the label alone where there is no address; the label is text of a document."""
    return (
        f"<{escaped(url).replace('|', '%7C')}|{defused(label).replace('|', '¦')}>"
        if url
        else defused(label)
    )


def cut(text: str, room: int, measure: Callable[[str], int] = length) -> str:
    """The text, or as many whole graphemes of its beginning as have room, with "…" for the rest.
    `measure` must add up over graphemes.
    """
    if measure(text) <= room:
        return text
    return (
        "".join(
            _fitting((found[0] for found in _GRAPHEME.finditer(text)), room - measure(CUT), measure)
        ).rstrip()
        + CUT
    )


def cut_start(text: str, room: int) -> str:
    """The text, or as many whole graphemes of its end as have room, after "…" for the rest."""
    if length(text) <= room:
        return text
    return (
        CUT
        + "".join(
            [*_fitting(reversed(_GRAPHEME.findall(text)), room - length(CUT), length)][::-1]
        ).lstrip()
    )


def _fitting(graphemes: Iterable[str], room: int, measure: Callable[[str], int]) -> Iterator[str]:
    for grapheme in graphemes:
        room -= measure(grapheme)
        if room < 0:
            return
        yield grapheme


def cut_defused(text: str, room: int) -> str:
    """The text defused, cut so that it then has at most so many characters: never within an entity."""
    return defused(
        cut(
            text,
            room,
            lambda part: (
                length(defused(part)) + part.count("@") + part.count(":") + part.count(".")
            ),
        )
    )


def question_of(text: str, bot: str | None) -> str:
    """What somebody typed, as a plain question: without mentions of the bot, with names and labels
    for what Slack made of the rest.
    """

    def plain(found: re.Match[str]) -> str:
        mark, target, label = found.groups()
        if mark == "@" and target == bot:
            return " "
        return (
            f"{'@' if mark in {'@', '!'} else mark}{label or target}" if mark else label or target
        )

    text = _TOKEN.sub(plain, text)
    for character, entity in reversed(_ENTITIES):
        text = text.replace(entity, character)
    return text.strip()


def addressed(text: str) -> list[str]:
    """The ids of the people who are mentioned, in order."""
    return [found[2] for found in _TOKEN.finditer(text) if found[1] == "@"]
