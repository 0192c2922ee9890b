"""English words by frequency: the list of symspellpy (MIT), 82,765 words.

The words are those of SCOWL, their counts those of Google Books.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import regex

_FILE = "frequency_dictionary_en_82_765.txt"
MAX_WORDS = 5_000
"""Words of a text that are looked up, evenly spread over it."""
_WORD = regex.compile(r"\p{L}{3,}")


@cache
def english_by_frequency() -> tuple[str, ...]:
    """Return the words in lower case, the commonest first."""
    text = (resources.files("symspellpy") / _FILE).read_text("utf-8-sig")
    return tuple(line.partition(" ")[0] for line in text.splitlines())


@cache
def english_words() -> frozenset[str]:
    """Return the words in lower case."""
    return frozenset(english_by_frequency())


def known_share(text: str) -> tuple[float, int]:
    """Return the share in [0, 1] of a text's words that are English, and how many were looked up.

    Words of one or two letters do not count. The share of a text without words is 1.
    """
    words = _WORD.findall(text)
    words = words[:: max(1, len(words) // MAX_WORDS)]
    if not words:
        return 1.0, 0
    known = english_words()
    return sum(word.lower() in known for word in words) / len(words), len(words)
