"""Text that a reader of a document cannot see: one rule for all formats.

What the author hid, what is as light as its ground, smaller than `SMALLEST_POINTS` or outside the
page is left out, and so are comments of markup: nothing of it can be quoted as if a reader could
see it. What is only out of the way - comments in the margin, notes below a slide - is read under a
heading that says so. What is left out is named in the document's remark (`LeftOut`).

The formats know how their files hide; what counts as hidden, and how it is named, is decided here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import regex

from index.document import Block, Entry, TextRange
from index.wording import listed

SMALLEST_POINTS = 1.5
"""Size in points below which nobody reads letters: a third of the smallest print."""
CONTRAST = 24
"""Difference of two greys, of 255, below which a reader sees none: that of light grey on white."""
FAINTEST = 0.1
"""Opacity below which text cannot be seen."""
COMMENTS = "Comments"
"""Heading above remarks in the margin, which are no part of the text."""
NOTES = "Notes"
"""Heading above what a speaker sees and the audience does not."""

_ZERO_WIDTH_IN_WORD = regex.compile(
    r"(?<=[\p{Latin}\p{Greek}\p{Cyrillic}\p{N}])[\u180e\u200b-\u200f\u2060-\u2064\ufeff]+"
    r"(?=[\p{Latin}\p{Greek}\p{Cyrillic}\p{N}])"
)
"""Characters without width inside a word; other alphabets need them between their letters."""


def is_same_colour(text: Sequence[float], ground: Sequence[float]) -> bool:
    """Return True if text of a colour cannot be told from its ground; parts from 0 to 255."""
    return max(abs(a - b) for a, b in zip(text, ground, strict=True)) < CONTRAST


@dataclass
class LeftOut:
    """Parts of a file that are left out since a reader cannot see them."""

    _parts: dict[str, list[str]] = field(default_factory=dict)

    def note(self, kind: str, name: str = "") -> None:
        """Note a part by its kind in the singular ("hidden sheet") and its name, if it has one."""
        self._parts.setdefault(kind, []).append(name)

    @property
    def remark(self) -> str:
        """Remark that continues a sentence beginning with the file's name; empty for nothing."""
        if not self._parts:
            return ""
        kinds = ", ".join(_counted(kind, names) for kind, names in self._parts.items())
        return f"has what a reader cannot see, which is left out: {kinds}"


def _counted(kind: str, names: Sequence[str]) -> str:
    known = [name for name in names if name]
    # The plural belongs to the noun before "in": "2 hidden sheets", "2 texts in white".
    noun, separator, rest = kind.partition(" in ")
    number = f"{len(names)} {noun}{'s' if len(names) > 1 else ''}{separator}{rest}"
    return f"{number} ({listed(known)})" if known else number


def zero_width_words(text: str) -> int:
    """Return in how many places of a text characters without width stand inside a word."""
    return len(_ZERO_WIDTH_IN_WORD.findall(text))


def zero_width_remark(places: int) -> str:
    """Return the remark on characters without width inside words; empty for none."""
    if not places:
        return ""
    where = "a word" if places == 1 else f"words at {places} places"
    return f"has characters without width inside {where}, which a reader cannot see"


def joined_remarks(*remarks: str) -> str:
    """Return several remarks as one; empty ones are left out."""
    return "; ".join(filter(None, remarks))


def blanked(text: str, hidden: Sequence[TextRange]) -> str:
    """Return a text of the same length with spaces in place of the hidden ranges.

    Line feeds stay, so that lines keep their numbers.
    """
    parts: list[str] = []
    at = 0
    for start, end in hidden:
        covered = "\n".join(" " * len(line) for line in text[start:end].split("\n"))
        parts += [text[at:start], covered]
        at = end
    return "".join([*parts, text[at:]])


def visible_blocks(
    text: str, blocks: Sequence[Block], hidden: Sequence[TextRange]
) -> tuple[Block, ...]:
    """Return blocks without the hidden ranges of their text.

    A block is cut in two around a hidden range, so that no passage reaches over it. `hidden` is in
    ascending order.
    """
    if not hidden:
        return tuple(blocks)
    return tuple(piece for block in blocks for piece in _visible_pieces(text, block, hidden))


def _visible_pieces(text: str, block: Block, hidden: Sequence[TextRange]) -> Iterator[Block]:
    inside = [span for span in hidden if span[0] < block.end and span[1] > block.start]
    if not inside:
        yield block
        return
    start = block.start
    for hidden_start, hidden_end in [*inside, (block.end, block.end)]:
        units = tuple(_cut(text, block.units, start, hidden_start))
        if units:
            yield _piece(text, block, units, start, hidden_start)
        start = hidden_end


def _piece(text: str, block: Block, units: tuple[TextRange, ...], start: int, end: int) -> Block:
    """Return the part of a block in [start, end), which holds `units`."""
    entries = [
        Entry((max(label[0], start), max(label[1], start)), content)
        for label, whole in block.entries
        for content in _cut(text, [whole], start, end)
    ]
    first = max(block.start, start)
    # The mark of an item stands before its unit.
    first += len(text[first : units[0][0]]) - len(text[first : units[0][0]].lstrip())
    return replace(block, start=first, end=units[-1][1], units=units, entries=tuple(entries))


def _cut(text: str, ranges: Sequence[TextRange], start: int, end: int) -> Iterator[TextRange]:
    """Yield the parts of ranges inside [start, end) that hold more than white space."""
    for whole in ranges:
        first = max(whole[0], start)
        part = text[first : min(whole[1], end)]
        if part.strip():
            first += len(part) - len(part.lstrip())
            yield first, first + len(part.strip())
