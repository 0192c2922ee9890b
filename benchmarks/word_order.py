"""Words of a text in their order, and how many two texts share in the same order.

Imports nothing of the product, so that other extractors can be measured in environments of their
own.
"""

import html
import unicodedata

import regex

_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_COMMENT = regex.compile(r"(?s)<!--.*?-->")
_LINK = regex.compile(r"!?\[([^\]\n]*)\]\([^)\s]*\)")
_ESCAPED = regex.compile(r"\\([!-/:-@\[-`{-~])")


def words(text: str) -> list[str]:
    """Return the words of a text in order, with ligatures resolved and case folded."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def markdown_text(source: str) -> str:
    """Return the text of Markdown without comments, targets of links, escapes and entities."""
    text = _LINK.sub(r"\1", _COMMENT.sub(" ", source))
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
