"""Fonts of a PDF page that do not say which letters they draw: found by their text, left out.

A file may number the glyphs of a font as it likes. Without a table of their characters, text comes
out as others: "WKH" for "the", "?>9@AJ" for a name. pdfium knows of many fonts that they have no
such table; but the numbers of some of these are Unicode's, and other fonts have a wrong table. So
the text of each font decides: the share of its characters in plausible words and numbers. A wrong
table for Arabic or Hebrew gives words of the right letters; they have one letter three times in a
row, or none of them is a word of grammar.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import regex

from index.formats.pdf.glyphs import Segment

FEWEST_UNMAPPED = 8
"""Least number of characters that show a font to be garbled, if it has no table."""
FEWEST_MAPPED = 60
"""Likewise for a font with a table, which is rarely wrong."""
UNMAPPED = 0.3
"""Share of a font's segments without a table from which it has none."""
CONTROLS = 0.03
"""Share of control characters above which a text is garbled: they stand for spaces."""
SCRIPTS = 4
"""Number of scripts from which a text is garbled."""
PLAUSIBLE = 0.45
"""Share of characters in plausible words and numbers below which a text is garbled."""
MIXED = 0.6
"""Share of characters in words of letters, digits and symbols at random, likewise."""

NAMES = 0.2
"""Share of letters in names of two and more, below which mixed words are garbled."""

FEWEST_WORDS = 15
"""Words in Arabic or Hebrew script of which many tell of a wrong table by their letters."""
TRIPLED = 0.05
"""Share of words with one letter three times in a row from which the table is wrong.

No word has one; laughter and lengthening for effect have, in chats.
"""
MANY_WORDS = 120
"""Different words in Arabic or Hebrew script of which some are words of grammar, in any text.

Of running text these are every sixth word.
"""

_SEMITIC_WORD = regex.compile(r"[\p{Arabic}\p{Hebrew}\p{M}]{2,}")
_TRIPLE = regex.compile(r"([^\u0640])\1\1")
"""A letter three times in a row; Arabic is stretched by a sign of its own (tatweel)."""
_GRAMMAR_OF = {
    "Arabic": "من في فى على علي إلى الى أن ان إن عن هذا هذه التي الذي مع كل بين أو لا ما لم كان",
    "Persian": "از در به که را این با است برای تا هم های می بر يا یا اين كه",
    "Urdu": "کے میں کی سے ہے کو کا اور نے پر یہ",
    "Pashto": "په چې کې ته له سره دې ده",
    "Kurdish": "لە بە کە بۆ ئەو",
    "Uyghur": "ۋە بىلەن بۇ بىر ئۇ",
    "Sindhi": "جي جو جا تي سان کي",
    "Hebrew": "של את על לא הוא זה אל עם כי גם או היא אשר כל אם",
    "Yiddish": "די און איז פון צו אין דער",
}
_GRAMMAR = frozenset(word for words in _GRAMMAR_OF.values() for word in words.split())
"""Prepositions, conjunctions and pronouns of the languages in these scripts."""
_FAMILY = regex.compile(r"(?:[A-Z]{6}\+)?([^-,]+)")

_NAME = regex.compile(r"\p{Ll}{2,}|\p{Lu}{2,}|[\p{Lo}\p{M}]{2,}")
_CONTROL = regex.compile(r"\p{Cc}")
_RUN = regex.compile(r"\p{Lu}?\p{Ll}[\p{Ll}\p{M}]+|\p{Lu}{3,}|[\p{Lo}\p{M}]{2,}|\p{Nd}+")
_LATIN = regex.compile(r"\p{Latin}")
_VOWEL = regex.compile(r"(?i)[aeiouyàâäáãåæèéêëìíîïòóôöõøœùúûüýÿąęěıőůűāēīōū]")
_CONSONANTS = regex.compile(r"(?i)[bcdfghjklmnpqrstvwxz]{6}")
_NUMBER = regex.compile(r"[\p{Nd}.,:/%+\-−–()$€£*±]+")
_LETTER_OR_DIGIT = regex.compile(r"[\p{L}\p{Nd}]")
_SCRIPTS = regex.compile(
    r"(\p{Latin})|(\p{Greek})|(\p{Cyrillic})|(\p{Armenian})|(\p{Hebrew})|(\p{Arabic})"
    r"|(\p{Syriac})|(\p{Thaana})|(\p{Devanagari})|(\p{Bengali})|(\p{Gurmukhi})|(\p{Gujarati})"
    r"|(\p{Tamil})|(\p{Telugu})|(\p{Kannada})|(\p{Malayalam})|(\p{Sinhala})|(\p{Thai})|(\p{Lao})"
    r"|(\p{Tibetan})|(\p{Georgian})|(\p{Hangul})|(\p{Ethiopic})|(\p{Cherokee})|(\p{Khmer})"
)


@dataclass(slots=True)
class _FontText:
    """The texts that are set in one font of a page, and how many of them it has no table for."""

    texts: list[str] = field(default_factory=list)
    unmapped: int = 0

    def is_garbled(self) -> bool:
        """Return True if the characters are not those that the page shows."""
        text = " ".join(self.texts)
        if _is_wrong_semitic(text):
            return True
        count = sum(not character.isspace() for character in text)
        if self.unmapped >= UNMAPPED * len(self.texts):
            return count >= FEWEST_UNMAPPED and _is_nonsense(text, count)
        return count >= FEWEST_MAPPED and _is_mixed(text)


def garbled_fonts(segments: Iterable[Segment]) -> set[str]:
    """Return the names of the fonts of a page whose text is not what the page shows."""
    fonts: dict[str, _FontText] = defaultdict(_FontText)
    for segment in segments:
        font = fonts[segment.font]
        font.texts.append(segment.text)
        font.unmapped += segment.unmapped
    garbled = {name for name, font in fonts.items() if font.is_garbled()}
    # One program made the tables of all cuts of a typeface, and of some there is little text.
    semitic = {_family(name) for name in garbled if _is_wrong_semitic(" ".join(fonts[name].texts))}
    return garbled | {name for name in fonts if _family(name) in semitic}


def without_fonts(segments: Sequence[Segment], names: set[str]) -> list[Segment]:
    """Return the segments that are not set in some fonts."""
    return [segment for segment in segments if segment.font not in names]


def _family(name: str) -> str:
    """Return the name of a font without the mark of a subset and the style."""
    match = _FAMILY.match(name)
    return match[1] if match else name


def _is_wrong_semitic(text: str) -> bool:
    """Return True if words in Arabic or Hebrew script cannot be those of any language."""
    words = _SEMITIC_WORD.findall(text)
    tripled = sum(_TRIPLE.search(word) is not None for word in words)
    if len(words) >= FEWEST_WORDS and tripled >= TRIPLED * len(words):
        return True
    different = set(words)
    return len(different) >= MANY_WORDS and _GRAMMAR.isdisjoint(different)


def _is_nonsense(text: str, count: int) -> bool:
    """Return True if a text of so many characters has hardly a plausible word or number."""
    if len(_CONTROL.findall(text)) > CONTROLS * count or _count_scripts(text) >= SCRIPTS:
        return True
    # A font of symbols has neither letters nor digits, and no words that could be wrong.
    has_words = len(_LETTER_OR_DIGIT.findall(text)) > count / 2
    return has_words and _count_plausible(text) < PLAUSIBLE * count


def _count_scripts(text: str) -> int:
    return len({match.lastindex for match in _SCRIPTS.finditer(text)})


def _count_plausible(text: str) -> int:
    """Return the number of characters of a text in plausible words and numbers."""
    return sum(len(run) for run in _RUN.findall(text) if _is_plausible(run))


def _is_plausible(run: str) -> bool:
    """Return True if a run of letters can be a word: in Latin script it has a vowel."""
    if not _LATIN.match(run):
        return True
    return bool(_VOWEL.search(run)) and not _CONSONANTS.search(run)


def _is_mixed(text: str) -> bool:
    """Return True if most words change between letters, digits and symbols all the time."""
    words = [word for word in text.split() if len(word) >= 4 and not _NUMBER.fullmatch(word)]
    count = sum(map(len, words))
    mixed = sum(len(word) for word in words if _is_mixed_word(word))
    is_mixed = count >= FEWEST_MAPPED and mixed >= MIXED * count
    # Addresses of the web, formulas and tags are mixed as well, but of words or names.
    return is_mixed and len("".join(_NAME.findall(text))) < NAMES * len("".join(text.split()))


def _is_mixed_word(word: str) -> bool:
    kinds = ["letter" if c.isalpha() else "digit" if c.isdigit() else "symbol" for c in word]
    changes = sum(kind != after for kind, after in pairwise(kinds))
    return changes >= 0.4 * (len(word) - 1) and kinds.count("symbol") >= 0.25 * len(word)
