"""Words of a text in their order, and how many two texts share in the same order.

Imports nothing of the product, so that other extractors can be measured in environments of their
own.
"""

import html
import unicodedata

import regex

_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_COMMENT = regex.compile(r"(?s)<!--.*?-->")
_IMAGE = regex.compile(r"!\[[^\]\n]*\]\([^)\s]*\)")
_LINK = regex.compile(r"\[((?:[^\[\]\n\\]|\\.|\[[^\[\]\n]*\])*)\]\((?:[^()\s]|\([^()\s]*\))*\)")
_ESCAPED = regex.compile(r"\\([!-/:-@\[-`{-~])")


_CHART = regex.compile(r"(?m)(?:^[^#|\n].*\n\n)?^<!-- image -->\n\n\w+ chart(?:\n\n(?:\|.*\n?)*|$)")
"""A chart in docling's Markdown: its caption and kind, and a table of its values."""
_AUTHOR = regex.compile(r"\[author: ([^\]]*?)(?: \(\w+\))?(?:, time: [^\]]*)?\]")
"""Author of a comment, with words that docling adds."""
_MIDNIGHT = regex.compile(r"(?<=\d{4}-\d\d-\d\d) 00:00:00")
"""Time of a day, which a spreadsheet does not show."""
_FORMULA = regex.compile(r"\$\$?[^$\n]+\$\$?")
_TABLE = regex.compile(r"(?m)(?:^\|.*\|[ ]*$\n?){2,}")
_CELL_BORDER = regex.compile(r"(?<!\\)\|")
_RULE = regex.compile(r"[\s|:-]+")


def words(text: str) -> list[str]:
    """Return the words of a text in order, with ligatures resolved and case folded."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def markdown_text(source: str) -> str:
    """Return the text of Markdown without what is no text: comments, pictures, charts, formulas.

    Targets of links, escapes and entities are resolved, too.
    """
    text = _AUTHOR.sub(r"\1", _CHART.sub(" ", source))
    text = _IMAGE.sub(" ", _COMMENT.sub(" ", text))
    text = _LINK.sub(r"\1", _FORMULA.sub(" ", _MIDNIGHT.sub("", text)))
    return html.unescape(_ESCAPED.sub(r"\1", text))


def closest_words(text: str, found: list[str]) -> list[str]:
    """Return the words of a truth, each table in the form that comes closer to `found`.

    A table may be written row by row as it stands, or with the name of its column before each
    value. Otherwise a text in the second form would lose the first row of every table.
    """
    known: list[str] = []
    end = 0
    for table in _TABLE.finditer(text):
        known += words(text[end : table.start()])
        # The first of equals: with names before the values, which fewer other words allow.
        forms = [words(labelled(table[0])), words(table[0])]
        known += max(forms, key=lambda form: common(form, found) / max(len(form), 1))
        end = table.end()
    return known + words(text[end:])


def labelled(table: str) -> str:
    """Return a pipe table with the name of its column before each value."""
    rows = [
        [cell.strip() for cell in _CELL_BORDER.split(line.strip().strip("|"))]
        for line in table.splitlines()
        if not _RULE.fullmatch(line)
    ]
    lines = []
    for row in rows[1:]:
        pairs = zip(rows[0], row, strict=False)
        lines.append("; ".join(f"{name} {value}" for name, value in pairs if value))
    return "\n".join(lines)


def common(known: list[str], found: list[str]) -> int:
    """Return the length of the longest common subsequence.

    Bit-parallel: Hyyrö 2004, "Bit-parallel LCS-length computation revisited".
    """
    masks: dict[str, int] = {}
    for at, word in enumerate(known):
        masks[word] = masks.get(word, 0) | 1 << at
    full = (1 << len(known)) - 1
    row = full
    for word in found:
        matched = row & masks.get(word, 0)
        row = ((row + matched) | (row - matched)) & full
    return len(known) - row.bit_count()
