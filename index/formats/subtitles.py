"""Subtitles (WebVTT and SubRip): what is said, in paragraphs under the time where each begins.

Source: W3C, WebVTT: The Web Video Text Tracks Format; SubRip has no standard, its cues look alike.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass, replace

import regex

from index.formats.text_builder import ExtractedText, TextBuilder
from index.text.encoding import decode

PARAGRAPH = 400
"""Characters after which a paragraph ends with its sentence."""
LONGEST_PARAGRAPH = 1200
"""Characters after which a paragraph ends in any case: speech may come without full stops."""

_TIMES = regex.compile(
    r"(?:(?P<hours>\d{1,3}):)?(?P<minutes>\d{1,2}):(?P<seconds>\d{2})[.,]\d{1,3}[ \t]+-->.*"
)
_VOICE = regex.compile(r"<v(?:\.[^ >]*)?[ \t]+(?P<name>[^>]*)>")
_TAG = regex.compile(r"</?(?:[a-zA-Z][^<>]*|[\d:.]+)>|\{\\[^{}]*\}")
_NOT_CUES = ("WEBVTT", "NOTE", "STYLE", "REGION")
_SENTENCE_END = (".", "!", "?", "…", "。", "！", "？")


@dataclass(frozen=True, slots=True)
class _Cue:
    """Words said at a time, with their speaker if the file names one."""

    time: str
    speaker: str
    text: str


def extract(data: bytes) -> ExtractedText:
    """Return what is said in subtitles. Raises BinaryFile or EmptyFile."""
    decoded = decode(data)
    builder = TextBuilder()
    for time, speaker, text in _paragraphs(_cues(decoded.text)):
        builder.heading(1, time)
        builder.paragraph(f"{speaker}: {text}" if speaker else text)
    # The first heading is a time, which is no title.
    return replace(builder.build(encoding=decoded.encoding), title=None)


def _cues(source: str) -> Iterator[_Cue]:
    """Yield the cues of a file; comments and styles are left out."""
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    for block in regex.split(r"\n[ \t]*\n", source):
        lines = block.strip().split("\n")
        if lines[0].startswith(_NOT_CUES):
            continue
        at = next((at for at, line in enumerate(lines[:2]) if _TIMES.match(line)), None)
        if at is None:
            continue
        yield from _spoken(_time(lines[at]), " ".join(lines[at + 1 :]))


def _time(line: str) -> str:
    """Return where a cue begins, as "1:02:03" or "2:03"."""
    match = _TIMES.match(line)
    if match is None:
        return ""
    hours, minutes = int(match["hours"] or 0), int(match["minutes"])
    return f"{hours}:{minutes:02}:{match['seconds']}" if hours else f"{minutes}:{match['seconds']}"


def _spoken(time: str, text: str) -> Iterator[_Cue]:
    """Yield what each voice says in a cue."""
    speaker, start = "", 0
    for voice in _VOICE.finditer(text):
        yield from _cue(time, speaker, text[start : voice.start()])
        speaker, start = voice["name"].strip(), voice.end()
    yield from _cue(time, speaker, text[start:])


def _cue(time: str, speaker: str, text: str) -> Iterator[_Cue]:
    plain = " ".join(html.unescape(_TAG.sub("", text)).split())
    if plain:
        yield _Cue(time, speaker, plain)


def _paragraphs(cues: Iterator[_Cue]) -> Iterator[tuple[str, str, str]]:
    """Yield (time, speaker, text) of cues in a row that one speaker says.

    Captions that roll repeat the line before; it is said once.
    """
    time, speaker, length = "", "", 0
    parts: list[str] = []
    for cue in cues:
        is_long = length > PARAGRAPH and parts[-1].endswith(_SENTENCE_END)
        if parts and (cue.speaker != speaker or is_long or length > LONGEST_PARAGRAPH):
            yield time, speaker, " ".join(parts)
            parts, length = [], 0
        if not parts:
            time, speaker = cue.time, cue.speaker
        if parts[-1:] != [cue.text]:
            parts.append(cue.text)
            length += len(cue.text)
    if parts:
        yield time, speaker, " ".join(parts)
