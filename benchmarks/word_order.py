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
