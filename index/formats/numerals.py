"""Numbers as ordered lists show them: in digits, letters or Roman numerals."""

from __future__ import annotations

MAX_NUMBER = 9999
"""Larger numbers are written in digits."""
_ROMAN = {
    1000: "m",
    900: "cm",
    500: "d",
    400: "cd",
    100: "c",
    90: "xc",
    50: "l",
    40: "xl",
    10: "x",
    9: "ix",
    5: "v",
    4: "iv",
    1: "i",
}


def format_numeral(number: int, style: str) -> str:
    """Return a number in the style of HTML's `type` attribute: "1", "a", "A", "i", "I" or "01".

    Unknown styles, and numbers that letters or Roman numerals cannot express, give digits.
    """
    if style == "01":
        return f"{number:02}"
    writers = {"a": _letters, "i": _roman}
    write = writers.get(style.lower())
    if write is None or not 0 < number <= MAX_NUMBER:
        return str(number)
    numeral = write(number)
    return numeral.upper() if style.isupper() else numeral


def _letters(number: int) -> str:
    """Return a to z, then aa, bb and so on, as Word continues the series."""
    repeats, letter = divmod(number - 1, 26)
    return chr(ord("a") + letter) * (repeats + 1)


def _roman(number: int) -> str:
    numeral = ""
    for value, digit in _ROMAN.items():
        numeral += digit * (number // value)
        number %= value
    return numeral
