"""Borders of answers: where a span may begin and end, so that no quote is cut in its middle.

A quote keeps words, numbers with their signs and units, codes, paths and addresses whole, holds no
fence of a listing (`inside_token_mask`), stays in one cell of a table and on its side of a line
break between two sentences (`segments`), and takes its closing bracket, the rest of inline code and
the examples that give it its content along (`completed`), or all items of its enumeration
(`with_other_items`). What it is contrasted with (`without_contrast`), and the value before a change
(`without_old_value`), it leaves out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import regex
from numpy.typing import NDArray

from index.document import TextRange

_WORD = regex.compile(
    r"(?:(?<![\w.])[-−+](?=\p{Sc}?\p{N}))?\p{Sc}?[\p{L}\p{M}\p{N}_]+"
    r"(?:(?<=\p{N})[.,:](?=\p{N})[\p{L}\p{M}\p{N}_]+)*%?"
)
"""A word, or a number with its signs: $1,200.50, 2.7% and -5 are one each."""
_UNITS = (
    "mm|cm|dm|km|m|µm|nm|in|ft|kg|mg|g|t|lbs?|oz|ml|cl|l|bar|mbar|psi|k?Pa|MPa|k?V|m?A|m?W|kW|MW|"
    "kWh|k?Hz|MHz|GHz|[kMGT]i?B|Nm|rpm|dB|°C|°F|°|ms|μs|EUR|USD|GBP|CHF|per cent|percent|%|"
    "hundred|thousand|million|billion|trillion"
)
_MEASURE = regex.compile(
    rf"\p{{Sc}}?\p{{N}}[\p{{N}}.,]*(?<=\p{{N}})\s?(?:{_UNITS}|\p{{Sc}})(?:[²³]|/\p{{L}}+)?(?![\p{{L}}\p{{N}}])"
)
"""A number with the unit without which it says nothing: 0.10 mm, $5 billion, 3 m³, 20 l/min."""
_ADDRESS = regex.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|(?<![\w+.-])[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s<>\"'`)\]]*[\w/]"
    r"|(?<![\w.])www\.[\w-]+(?:\.[\w-]+)+(?:/[^\s<>\"'`)\]]*[\w/])?"
)
"""An e-mail address (dot-atoms of RFC 5322) or a URL without closing punctuation (RFC 3986)."""
_PATH = regex.compile(
    r"(?<![\w/.])@[\w.-]+/[\w-]+(?:[./][\w-]+)*"
    r"|(?<![\w/:])(?:~|\.{1,2})?/[\w.+-]*\w(?:/[\w.+-]*\w)*/?(?!\w)"
    r"|(?<![\w\\])[A-Za-z]:\\[^\s\"<>|]*\w"
    r"|(?<![\w/])[\w-]+(?:/[\w.-]+){2,}(?<=\w)"
    r"|\w+(?:::\w+)+"
    r"|(?<![\w.])[A-Za-z_][\w-]*(?:\.[\p{Ll}_][\w-]*)+(?:\(\))?(?![\w.]*@)"
)
"""A file path, a scoped package, a qualified name (a::b) or a dotted one (settings.cache.size)."""
_CODE = regex.compile(
    r"(?<![\w-])(?=[\w/.-]*\p{N})(?=[\w/.-]*\p{Lu})[\p{Lu}\p{N}]+(?:[-/.][\p{Lu}\p{N}]+)+(?![\w-])"
)
"""A code of capitals and digits in parts: HX-40, Q-26-0815, E-104."""
_TOKENS = (_WORD, _MEASURE, _ADDRESS, _PATH, _CODE)
_GRAPHEME = regex.compile(r"\X")
_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")
"""Scripts without spaces between words, which may be cut at any character."""

_ROW = regex.compile(r"(?m)^(?:[^;:\n]{1,80}; )?[^;:\n]{1,80}: [^\n]*?; [^;:\n]{1,80}: [^\n]*$")
"""A rendered row of a table: two or more named cells (see `index.rendering`), behind the name of
the row where that stands in a column without one."""
_CELL_BORDER = regex.compile(r"; (?=[^;:\n]{1,80}: )|(?:(?<=^)|(?<=; ))[^;:\n]{1,80}: ", regex.M)

_FENCE = regex.compile(r"(?m)^[ \t>]*(?:`{3,}[^`\n]*|~{3,}[^\n]*)$")
"""A line that opens or closes a listing of Markdown (CommonMark 0.31, 4.5)."""
_INLINE_CODE = regex.compile(r"(?<!`)(?P<ticks>`{1,2})(?!`)[^`\n]{1,80}(?P=ticks)(?!`)")
_BRACKETS = {"(": ")", "[": "]", "{": "}", "“": "”", "«": "»"}
_LONGEST_BRACKET = 60
"""Characters within which a bracket that a span opens or closes is completed."""
_VAGUE = frozenset(
    """
    amount area array aspect category class combination condition example factor feature food form
    group item kind material means measure method number part product range reason set series
    source sort substance thing tool type variety way
    """.split()  # noqa: SIM905 - shorter
)
"""Nouns that say nothing without the examples behind them."""
_EXAMPLES = regex.compile(
    r",? (?:such as|including|like|for example|e\.g\.),? "
    r"(?:[^.;:()\n]|\.(?=\S)){3,200}(?=[;:()\n]|\.(?:\s|$)|$)"
)
_CONTRAST = regex.compile(
    r",? (?:and|but) (?:never|not)\b|, (?:not|never)\b|,? (?:rather than|instead of)\b"
)
"""Words behind which stands what an answer is not."""
_CHANGE_LEAD = regex.compile(
    r"\b(?:go(?:es)?|went|gone|going|rais\p{L}+|ris(?:es?|en|ing)|rose|increas\p{L}+|gr(?:ow\p{L}*|ew)"
    r"|reduc\p{L}+|lower\p{L}*|decreas\p{L}+|cut|falls?|fell|fallen|dropp?\p{L}*|chang\p{L}+"
    r"|extend\p{L}*|shorten\p{L}*)\b[^.;:!?]{0,80}\bfrom\s+$",
    regex.IGNORECASE,
)
"""Words of a change right before the value that it begins with."""
_OLD_VALUE = regex.compile(r"(?=\p{Sc}?\p{N})[^.,;:\s]\S*(?:\s\S+){0,2}?\s+to\s+(?=\p{Sc}?\p{N})")
"""The value that a change begins with, before the one that it leads to: "£2.40 to £2.80"."""
_ITEM = r"(?:[^.,;:!?()\n]|[.,](?=\p{N})|\n(?=\p{Ll})|\([^()\n]{1,60}\)){1,120}"
_NEXT = r",\s(?:and\s|or\s)?"
_FURTHER_ITEMS = regex.compile(rf"(?:(?:{_NEXT}|\s(?:and|or)\s){_ITEM}){{1,10}}")
"""Further items behind one of an enumeration, to the end of its clause."""
_EARLIER_ITEMS = regex.compile(
    r"\b(?P<opens>(?:for|in|on|at|by|with|from|of|to|as|if|when|where)\s)"
    rf"(?P<items>{_ITEM}?(?:{_NEXT}(?P=opens){_ITEM}?){{0,10}}{_NEXT}(?P=opens))$"
)
"""Items before one, if all of them open with the same word: "for sea water, for"."""
_FARTHEST_ITEM = 400
"""Characters before an item in which its enumeration begins."""
_LAST_ITEM = regex.compile(r"\s(?:and|or)\s")
_LAST_WORDS = regex.compile(r"[\p{L}\p{M}'’-]+")


def inside_token_mask(text: str, sentences: Iterable[TextRange] = ()) -> NDArray[np.bool_]:
    """Return a mask of the offsets at which a border would cut a token, bool (len(text) + 1,).

    Words, numbers with signs and units, codes, paths, addresses and graphemes are not to be cut,
    and no span begins or ends in the mark of an item, which stands before one of the `sentences`,
    or at the fence of a listing.
    """
    inside = np.zeros(len(text) + 1, dtype=bool)
    for token in _TOKENS:
        for match in token.finditer(text):
            inside[match.start() + 1 : match.end()] = True
    if not text.isascii():
        inside[[at for match in _UNSPACED.finditer(text) for at in match.span()]] = False
        # Graphemes come last: even an unspaced character must not lose its combining marks.
        for match in _GRAPHEME.finditer(text):
            inside[match.start() + 1 : match.end()] = True
    for line_break, start in _marks(text, sentences):
        inside[line_break + 1 : start] = True
    for fence in _FENCE.finditer(text):
        inside[fence.start() : fence.end() + 1] = True
    return inside


def _marks(text: str, sentences: Iterable[TextRange]) -> Iterator[TextRange]:
    """Yield the gaps between sentences that hold the mark of an item, from its line break on."""
    before = 0
    for start, end in sentences:
        at = text.find("\n", before, start) if 0 <= before < start <= len(text) else -1
        if at >= 0 and text[at:start].strip():
            yield at, start
        before = end


def segments(text: str, sentences: Iterable[TextRange] = ()) -> NDArray[np.int32]:
    """Return the segment of each character, int32 (len(text) + 1,); no span crosses two.

    Segments are the names and the values of a table row's cells, and the sides of a line break
    between two `sentences`, which are ranges of the text in order. The mark of an item of a list
    stands between two sentences, too, and is no part of either.
    """
    borders = np.zeros(len(text) + 1, dtype=np.int32)
    for row in _ROW.finditer(text):
        for border in _CELL_BORDER.finditer(text, *row.span()):
            borders[border.end()] += 1
            borders[border.start()] += 1
    ranges = list(sentences)
    for start, _ in ranges:
        if 0 < start <= len(text) and "\n" in text[max(start - 2, 0) : start]:
            borders[start] += 1
    for line_break, start in _marks(text, ranges):
        borders[line_break] += 1
        borders[start] += 1
    return np.cumsum(borders, dtype=np.int32)


def columns_of(text: str, quote: str) -> tuple[str, ...]:
    """Return the names of the columns whose cells hold a quote, in the rows of a rendered text."""
    found = []
    for row in _ROW.finditer(text):
        borders = list(_CELL_BORDER.finditer(text, *row.span()))
        # A name comes before its cell, the mark between two cells before a name.
        names = [border for border in borders if border.group().endswith(": ")]
        ends = [*(name.start() for name in names[1:]), row.end()]
        found += [
            name.group()[:-2]
            for name, end in zip(names, ends, strict=True)
            if quote in text[name.end() : end]
        ]
    return tuple(found)


def completed(text: str, start: int, end: int) -> TextRange:
    """Return a span with the bracket or inline code that it cuts, and the examples of a vague noun.

    "Junia (wife" gets its bracket; "a variety of food sources" goes on with "such as grasses and
    seeds", without which it is no answer.
    """
    start, end = _with_inline_code(text, *_with_brackets(text, start, end))
    words = _LAST_WORDS.findall(text[start:end].lower())
    is_vague = any(word in _VAGUE or word.removesuffix("s") in _VAGUE for word in words)
    examples = _EXAMPLES.match(text, end) if is_vague else None
    return (start, examples.end()) if examples else (start, end)


def with_other_items(text: str, start: int, end: int) -> TextRange:
    """Return a span with the other items of its enumeration: those behind it, and before it.

    Of those before it only items that open with the same preposition are told from other words.
    """
    further = _FURTHER_ITEMS.match(text, end)
    if further and _LAST_ITEM.search(further.group()):
        end += len(further.group().rstrip())
    before = text[max(start - _FARTHEST_ITEM, 0) : start]
    earlier = _EARLIER_ITEMS.search(before)
    return start - len(earlier["items"]) if earlier else start, end


def without_contrast(text: str, start: int, end: int) -> TextRange:
    """Return a span without what it is contrasted with: "by e-mail and never by phone"."""
    contrast = _CONTRAST.search(text, start, end)
    return (start, contrast.start()) if contrast and contrast.start() > start else (start, end)


def without_old_value(text: str, start: int, end: int) -> TextRange:
    """Return a span without the value that a change begins with: "goes up from £11 to £12"."""
    old = _OLD_VALUE.match(text, start, end)
    return (old.end(), end) if old and _CHANGE_LEAD.search(text[:start]) else (start, end)


def _with_brackets(text: str, start: int, end: int) -> TextRange:
    """Return a span with the partner of a bracket of which it holds one side."""
    for opening, closing in _BRACKETS.items():
        quote = text[start:end]
        opened, closed = quote.count(opening), quote.count(closing)
        if opened > closed:
            at = _on_line(text[end : end + _LONGEST_BRACKET]).find(closing)
            end = end + at + 1 if at >= 0 else end
        elif closed > opened:
            at = text[max(start - _LONGEST_BRACKET, 0) : start].rfind(opening)
            before = max(start - _LONGEST_BRACKET, 0) + at
            start = before if at >= 0 and "\n" not in text[before:start] else start
    return start, end


def _with_inline_code(text: str, start: int, end: int) -> TextRange:
    """Return a span with all of the inline code of which it holds one mark.

    Words within one code are quoted without its marks.
    """
    for code in _INLINE_CODE.finditer(text, max(text.rfind("\n", 0, start), 0)):
        first, last = code.span()
        ticks = len(code["ticks"])
        if first >= end:
            break
        is_inside = first + ticks <= start and end <= last - ticks
        if last > start and not is_inside:
            start, end = min(start, first), max(end, last)
    return start, end


def _on_line(text: str) -> str:
    return text.partition("\n")[0]
