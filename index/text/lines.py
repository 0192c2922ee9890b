"""Lines of plain text: their indents, marks and keys, and the margin they are wrapped at.

A line ends inside a paragraph where the next word would not have fitted. Where it would have, the
author ended the line on purpose: behind a heading, a term, an item, a row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import regex

from index.document import TextRange

WRAP_MARGIN = 160
"""Largest margin of wrapped text, in columns; common ones are 72 to 80."""
NARROW = 24
"""Columns below which a line that ends inside a sentence may be a word of a list."""
SLACK = 2
"""Columns that an editor may leave free before its margin."""
LONGEST_KEY = 32
"""Longest key of "Key: value" and longest term of two aligned columns, in characters."""
OVERLONG = 1.5
"""Margins above which a line was never wrapped; a long address may stand out a little."""
TAB = 8
"""Columns from one tab stop to the next."""
SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？")
"""Characters that end a sentence."""

_GOES_ON = regex.compile(r"[\p{L}\p{N}\p{M},)\]'\"’”»%*`_\-–—‐\u00ad]")
"""Last character of a line that ends inside a sentence."""
_CONTINUATION = regex.compile(r"['\"‘“«(\[`*_]{0,2}\p{Ll}")
"""Beginning of a line inside a sentence."""
_UNCASED = regex.compile(r"\p{Lo}")
_ORNAMENT = regex.compile(r"[-=_*~#+|.:^\s]{3,}")
"""A line without words: a rule, the underline of a heading, the border of a drawn table."""
_QUOTE_MARKS = regex.compile(r"(?:>[ \t]?)+")
_BULLET = regex.compile(r"(?:[-*•‣◦▪●■□·+–—⁃\uf0b7][ \t]+|o[ \t]{2,})(?=\S)")
_NUMBER = regex.compile(
    r"[(\[]?(?:(?P<number>#|\d{1,3}(?:\.\d{1,3}){0,5})|(?P<letter>[A-Za-z]))[.)\]][ \t]+(?=\S)"
)
_KEY = regex.compile(rf":?(?P<key>[\p{{L}}\p{{N}}][^:|]{{0,{LONGEST_KEY - 1}}}):[ \t]+(?=\S)")
_KEY_WORDS = 5
"""Most words of a key."""
_TERM_AND_GAP = regex.compile(r"(?P<term>\S+(?: \S+){0,4})(?: {2,}|\t+)(?=\S)")
_CELL_BORDER = regex.compile(r"\s\|\s|^\||\|$")


@dataclass(frozen=True, slots=True)
class Mark:
    """Mark of a list item, with its number or letter; empty for a bullet.

    `content` is the offset of the text behind it.
    """

    span: TextRange
    content: int
    number: str = ""

    @property
    def is_letter(self) -> bool:
        """True for marks like "b)", which are often no marks but initials."""
        return self.number.isalpha()


@dataclass(frozen=True, slots=True)
class Line:
    """Line with visible text: its range without white space around it, and its columns.

    `indent` and `width` are the columns before its first and behind its last character. `quote`
    holds the marks of a quoted mail (">") before it, which are in no range.
    """

    start: int
    end: int
    indent: int
    width: int
    text: str
    quote: str = ""
    mark: Mark | None = None

    @property
    def span(self) -> TextRange:
        """Range of the line without the white space around it."""
        return self.start, self.end

    @property
    def ends_sentence(self) -> bool:
        """True if the line ends with a full stop or the like, quotes behind it left out."""
        return self.text.rstrip("\"'”’»)").endswith(SENTENCE_ENDS)

    @property
    def content(self) -> int:
        """Offset of the text behind the mark of a list item."""
        return self.mark.content if self.mark else self.start

    @property
    def content_indent(self) -> int:
        """Columns before the text behind the mark of a list item."""
        return self.indent + self.content - self.start


def line_groups(text: str, left_out: Container[int] = ()) -> Iterator[list[Line]]:
    """Yield the lines between blank lines; those that begin at an offset `left_out` count as blank.

    Only LF ends a line, as in `Document.text`; `str.splitlines` knows more line ends.
    """
    group: list[Line] = []
    for line in _with_letter_marks_checked(_lines(text)):
        if line is not None and line.start not in left_out:
            group.append(line)
        elif group:
            yield group
            group = []
    if group:
        yield group


def line_ranges(text: str) -> list[TextRange]:
    """Return the range of every line without its line feed."""
    starts = list(accumulate((len(line) + 1 for line in text.split("\n")), initial=0))
    return [(start, next_start - 1) for start, next_start in pairwise(starts)]


def _lines(text: str) -> list[Line | None]:
    """Return all lines, None for the blank ones."""
    return [_line(text, start, end) for start, end in line_ranges(text)]


def _line(text: str, start: int, end: int) -> Line | None:
    visible = text[start:end].rstrip()
    if not visible:
        return None
    content, quote = visible.lstrip(), ""
    marks = _QUOTE_MARKS.match(content)
    if marks and marks.end() < len(content):
        quote, content = marks[0].strip(), content[marks.end() :].lstrip()
    indent_size = len(visible) - len(content)
    indent = _columns(visible[:indent_size])
    first = start + indent_size
    return Line(
        first,
        start + len(visible),
        indent,
        indent + len(content),
        content,
        quote,
        _mark(content, first),
    )


def _columns(white_space: str) -> int:
    """Return the columns that characters before a line's text take."""
    return len(white_space.expandtabs(TAB))


def _mark(text: str, start: int) -> Mark | None:
    """Return the mark of a list item at the beginning of a line's text."""
    bullet = _BULLET.match(text)
    if bullet:
        return _mark_of(bullet, start)
    number = _NUMBER.match(text)
    if number:
        return _mark_of(number, start, number["number"] or number["letter"])
    return None


def _mark_of(match: regex.Match[str], start: int, number: str = "") -> Mark:
    return Mark((start, start + len(match[0].rstrip())), start + match.end(), number)


def _with_letter_marks_checked(lines: Sequence[Line | None]) -> Iterator[Line | None]:
    """Yield lines, without letters as marks unless the letter before or after marks another.

    "A. Smith" begins many a line that is no item.
    """
    confirmed = _letters_in_a_row(lines)
    for at, line in enumerate(lines):
        if line is not None and _has_letter(line) and at not in confirmed:
            yield Line(line.start, line.end, line.indent, line.width, line.text, line.quote)
        else:
            yield line


def _has_letter(line: Line) -> bool:
    return line.mark is not None and line.mark.is_letter


def _letters_in_a_row(lines: Sequence[Line | None]) -> set[int]:
    """Return the numbers of the lines of one indent whose letters follow one another."""
    lettered: dict[int, list[int]] = {}
    for at, line in enumerate(lines):
        if line is not None and _has_letter(line):
            lettered.setdefault(line.indent, []).append(at)
    confirmed: set[int] = set()
    for places in lettered.values():
        for before, after in pairwise(places):
            if _letter(lines[after]) - _letter(lines[before]) == 1:
                confirmed |= {before, after}
    return confirmed


def _letter(line: Line | None) -> int:
    return ord(line.mark.number) if line is not None and line.mark is not None else 0


def is_ornament(line: Line) -> bool:
    """Return True for a line without words: a rule, an underline, the border of a table."""
    return _ORNAMENT.fullmatch(line.text) is not None


def key_of(line: Line) -> TextRange | None:
    """Return the range of the key of a line "Key: value", else None."""
    match = _KEY.match(line.text)
    if match is None or len(match["key"].split()) > _KEY_WORDS:
        return None
    return line.start + match.start("key"), line.start + match.end("key")


def aligned_term(line: Line) -> tuple[TextRange, int] | None:
    """Return the range of a term with a value in a column beside it, and that column's offset.

    The offset counts from the beginning of the line's text. None if there is no such gap.
    """
    match = _TERM_AND_GAP.match(line.text)
    if match is None or match.end("term") > LONGEST_KEY:
        return None
    return (line.start, line.start + match.end("term")), match.end()


def cell_ranges(line: Line) -> list[TextRange]:
    """Return the cells of a line "a | b | c"; less than two if it is none."""
    if "|" not in line.text:
        return []
    borders = [match.span() for match in _CELL_BORDER.finditer(line.text)]
    starts = [0, *(end for _, end in borders)]
    ends = [*(start for start, _ in borders), len(line.text)]
    filled = []
    for start, end in zip(starts, ends, strict=True):
        cell = line.text[start:end]
        content = cell.strip()
        if content:
            first = line.start + start + cell.index(content)
            filled.append((first, first + len(content)))
    return filled


def ends_inside_sentence(line: Line, following: Line, *, narrowest: int = NARROW) -> bool:
    """Return True if a sentence surely goes on from one line to the next.

    A line of less than `narrowest` columns may be a word of a list.
    """
    if line.width - line.indent < narrowest or following.mark is not None:
        return False
    if _GOES_ON.fullmatch(line.text[-1]) is None:
        return False
    return _CONTINUATION.match(following.text) is not None


class Margins:
    """Columns at which the paragraphs of a text are wrapped: the usual one, and one an indent.

    A line that ends inside a sentence says that the margin is not before its end, and before the
    end of the next word. The column that agrees with most lines is the margin.
    """

    def __init__(self, groups: Sequence[Sequence[Line]]) -> None:
        changes: Counter[int] = Counter()
        by_indent: dict[int, Counter[int]] = {}
        for group in groups:
            for line, following in pairwise(group):
                if line.width > WRAP_MARGIN or not ends_inside_sentence(line, following):
                    continue
                for counter in (changes, by_indent.setdefault(line.indent, Counter())):
                    counter[line.width] += 1
                    counter[line.width + _first_word(following) + 1] -= 1
        self.usual = _most_agreed(changes)
        self._by_indent = {indent: _most_agreed(each) for indent, each in by_indent.items()}

    def is_full(self, line: Line, following: Line) -> bool:
        """Return True if the next word would not have fitted on a line (see `is_full`)."""
        margin = self._by_indent.get(line.indent, self.usual)
        return margin is not None and is_full(line, following, margin)


def is_full(line: Line, following: Line, margin: int) -> bool:
    """Return True if the first word of the following line would not have fitted on a line.

    A line far beyond the margin is a paragraph that was not wrapped.
    """
    if line.width > OVERLONG * margin:
        return False
    return line.width + 1 + _first_word(following) > margin - SLACK


def _most_agreed(changes: Counter[int]) -> int | None:
    """Return the first column where most intervals overlap; `changes` counts begins and ends."""
    best, agreeing, margin = 0, 0, None
    for column in sorted(changes):
        agreeing += changes[column]
        if agreeing > best:
            best, margin = agreeing, column
    return margin


def _first_word(line: Line) -> int:
    """Return the length of the first word of a line."""
    return len(line.text.split(maxsplit=1)[0])


def mark_at(text: str, span: TextRange) -> Mark | None:
    """Return the mark of a list item at the beginning of a paragraph, else None."""
    start, end = span
    return _mark(text[start:end], start)


def is_uncased(line: Line) -> bool:
    """Return True if a line begins in a script without capitals, which show no sentence's end."""
    return _UNCASED.match(line.text) is not None
