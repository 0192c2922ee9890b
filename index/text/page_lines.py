"""Headers and footers of pages in plain text: of manual pages and of RFCs.

They say nothing of the text between them, but a reader finds names and dates there: the date of a
manual page is no release date.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import regex

_MANUAL_HEADER = regex.compile(
    r"\A\s*^(?P<name>[\p{L}\p{N}_.+:-]+\(\p{N}\p{L}*\))[^\S\n]{2,}\S.*[^\S\n]{2,}(?P=name)$",
    regex.MULTILINE,
)
"""The first line of a formatted manual page: "ls(1)   User Commands   ls(1)"."""
_FOOTER = regex.compile(
    r"^[^\S\n]*(?:\S.*[^\S\n]{2,})?\[Page \p{N}{1,4}\][^\S\n]*$", regex.MULTILINE
)
"""The last line of a page of an RFC (RFC 7994, section 4.3 of the format that it replaces)."""
_AFTER_FEED = regex.compile(r"\f[^\S\n]*\n?(?P<line>\S.*[^\S\n]{3,}\S.*)$", regex.MULTILINE)
"""The first line of a page, with a wide gap in it."""
_REPEATED = 2
"""Pages on which a line stands at the top if it is a header."""


def page_lines(text: str) -> frozenset[int]:
    """Return the offsets at which the headers and footers of pages begin."""
    return frozenset(_starts(text))


def _starts(text: str) -> Iterator[int]:
    manual = _MANUAL_HEADER.search(text)
    if manual:
        ends = regex.compile(
            rf"^[^\S\n]*(?P<line>\S.*[^\S\n]{{2,}}{regex.escape(manual['name'])})$", regex.MULTILINE
        )
        yield from (match.start("line") for match in ends.finditer(text))
    for match in _FOOTER.finditer(text):
        yield match.end() - len(match.group().lstrip())
    tops = list(_AFTER_FEED.finditer(text))
    counts = Counter(match["line"].strip() for match in tops)
    yield from (match.start("line") for match in tops if counts[match["line"].strip()] >= _REPEATED)
