"""Terms of codes, identifiers, paths and phone numbers, beside those of the words in them.

`RULE-A002` is found by `A002`, `002` and `rulea002`; `WF-M5799DWF` by `m5799`; `getUserById` by
`get`, `user` and `id`, and as a whole by `get_user_by_id`; `/etc/harbour/gate.conf` by
`gate.conf`; `+49 (0)30 123 45-67` by `030 1234567`. Ordinary words have no such terms, so their
scores are what they are without this module.
"""

from __future__ import annotations

from collections.abc import Sequence

import regex

LONGEST_WHOLE = 80
"""Characters of the longest identifier that is a term as a whole; longer ones are data."""
MOST_RUNS = 5
"""Most runs of letters and digits of a code with parts; one with more is a hash or a key."""
PHONE_SUFFIXES = (7, 9)
"""Digits at the end of a phone number by which it is found.

Seven are a subscriber's number in most plans; nine hold an area code without the trunk prefix or
the country code, of which people write one, the other or neither (ITU-T E.123).
"""
MOST_JOINED = 4
"""Most adjacent words of a query that are tried as one identifier."""

_JOINER = r"(?:://|::|->|[-_./:@\\#+~])"
_COMPOUND = regex.compile(rf"[@/~.#\\_]*[\p{{L}}\p{{N}}]+(?:{_JOINER}+[\p{{L}}\p{{N}}]+)*")
"""Letters and digits joined by signs without white space, with the signs in front."""
_PIECE = regex.compile(r"[\p{L}\p{N}]+")
_LOCATOR = regex.compile(r"[_@\\]|::|//|->|^/|/.*/")
"""Signs that show a compound to be a path, an address or an identifier."""
_DOTTED = regex.compile(r"[\p{L}\p{N}]{2,}\.[\p{L}\p{N}]{2,}")
_SEGMENTS = regex.compile(r"(?:/|\\|::|@|->)+")
_RUN = regex.compile(r"\p{Lu}+(?=\p{Lu}\p{Ll})|\p{Lu}?\p{Ll}+|\p{Lu}+|\p{N}+|[^\p{Lu}\p{Ll}\p{N}]+")
"""Words of camelCase (the last capital of "HTMLResponse" begins the next), and numbers."""
_ORDINAL = regex.compile(r"\d+(?:st|nd|rd|th|s)", regex.IGNORECASE)
_ACRONYMS = regex.compile(r"\p{Lu}{2,}s")
_EDGES = ".,;:!?()[]{}\"'`*|<>“”‘’…"
_PHONE = regex.compile(
    r"(?<![\p{L}\p{N}.,])(?:\+|\()?[0-9](?:[ \-‐–./()]{0,3}[0-9]){6,16}(?![\p{L}\p{N}]|[.,][0-9])"
)
_TRUNK_PREFIX = "(0)"
_WORD_OR_NUMBER = regex.compile(r"[\p{L}\p{N}]+")


def identifier_terms(text: str) -> tuple[list[str], list[str]]:
    """Return the wholes and the parts of a text's identifiers, case-folded, in order.

    `text` is in compatibility form and keeps its case, by which camelCase is told. A whole is
    spelled without its signs, so that `MS17-010` and `ms17_010` are one. Parts are words, not yet
    stemmed, and may be stop words.
    """
    wholes: list[str] = []
    parts: list[str] = []
    for word in text.split():
        if _is_plain(word) or _is_plain(word.strip(_EDGES)):
            continue
        for match in _COMPOUND.finditer(word):
            compound = match.group()
            wholes += _wholes(compound)
            for piece in _PIECE.findall(compound):
                parts += _parts(piece)
    wholes += _phone_terms(text)
    return [whole.casefold() for whole in wholes], [part.casefold() for part in parts]


def codes_in(text: str) -> list[str]:
    """Return the terms of a query that only an exact match may satisfy, case-folded.

    They are its identifiers as wholes, its words of letters and digits (A002), and its long
    numbers. `text` is as `identifier_terms` takes it.
    """
    wholes, _ = identifier_terms(text)
    words = [
        piece.casefold()
        for piece in _PIECE.findall(text)
        if _is_mixed(piece) or _is_camel(piece) or (piece.isdigit() and len(piece) > 4)
    ]
    return list(dict.fromkeys([*wholes, *words]))


def joined_words(text: str) -> list[str]:
    """Return each two to MOST_JOINED adjacent words of a query as one word, case-folded.

    "get user by id" may be getuserbyid in the documents, and "MS17 010" is MS17-010.
    """
    words = [match.casefold() for match in _WORD_OR_NUMBER.findall(text)]
    joined = [
        "".join(words[start : start + count])
        for count in range(2, MOST_JOINED + 1)
        for start in range(len(words) - count + 1)
    ]
    return [word for word in dict.fromkeys(joined) if not word.isdigit()]


def _is_plain(word: str) -> bool:
    """Return True for a word of letters without a capital inside: nearly all words of a text."""
    return word.isalpha() and (word.islower() or word.istitle() or word.isupper())


def _wholes(compound: str) -> list[str]:
    """Return a compound, and each segment of a path, without its signs; none if it is no code."""
    if not _is_code(compound):
        return []
    segments = [compound]
    if _SEGMENTS.search(compound):
        segments += _SEGMENTS.split(compound)
    pieces = [_PIECE.findall(segment) for segment in segments]
    wholes = ["".join(each) for each in pieces if len(each) > 1]
    return [whole for whole in dict.fromkeys(wholes) if len(whole) <= LONGEST_WHOLE]


def _is_code(compound: str) -> bool:
    """Return True for a path, an address, a dotted name, or letters with digits.

    "well-known" and "and/or" are none, and numbers alone are left to the words.
    """
    if compound.replace("-", "").isalpha():
        return False
    has_letter = any(character.isalpha() for character in compound)
    has_digit = any(character.isdigit() for character in compound)
    if has_letter and has_digit:
        return True
    return has_letter and bool(_LOCATOR.search(compound) or _DOTTED.search(compound))


def _parts(piece: str) -> list[str]:
    """Return the words and numbers of a code or of camelCase, and what adjoins in a code."""
    runs = _RUN.findall(piece)
    if len(runs) > MOST_RUNS and not _is_camel(piece):
        return []
    if _is_camel(piece):
        return [run for run in runs if len(run) > 1]
    if not _is_mixed(piece):
        return []
    spans = [
        "".join(runs[start:end])
        for start in range(len(runs))
        for end in range(start + 1, len(runs) + 1)
        if end - start < len(runs)
    ]
    return [span for span in spans if len(span) > 1]


def _is_mixed(piece: str) -> bool:
    """Return True for letters and digits in one word, "19th" and "1990s" excepted."""
    has_digit = any(character.isdigit() for character in piece)
    has_letter = any(character.isalpha() for character in piece)
    return has_digit and has_letter and not _ORDINAL.fullmatch(piece)


def _is_camel(piece: str) -> bool:
    """Return True for words run together with capitals: getUserById, UserService.

    Names (McDonald, MacArthur), plurals (APIs) and titles (PhD) are none.
    """
    if _is_plain(piece) or not piece.isalpha() or _ACRONYMS.fullmatch(piece):
        return False
    runs = _RUN.findall(piece)
    if len(runs) < 2:
        return False
    if len(runs) > 2 or (piece[0].islower() and len(runs[0]) > 1):
        return True
    return all(len(run) > 2 for run in runs) and runs[0] != "Mac"


def _phone_terms(text: str) -> list[str]:
    """Return the last digits of each number that may be a phone number, marked with a plus."""
    terms: list[str] = []
    for match in _PHONE.finditer(text.replace(_TRUNK_PREFIX, "")):
        digits = "".join(character for character in match.group() if character.isdigit())
        terms += [f"+{digits[-count:]}" for count in _suffixes(digits)]
    return terms


def _suffixes(digits: str) -> Sequence[int]:
    return [count for count in PHONE_SUFFIXES if count <= len(digits)]
