"""Numbers as lists show them: in digits, letters, Roman."""

from __future__ import annotations

MOST = 9999
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


def numeral(number: int, shape: str) -> str:
    """A number in the shape of HTML's `type`: "1", "a", "A", "i" or "I", or "01"; what cannot be
    written so, and in another shape, in digits.
    """
    if shape == "01":
        return f"{number:02}"
    write = {"a": _letters, "i": _roman}.get(shape.lower())
    if write is None or not 0 < number <= MOST:
        return str(number)
    return write(number).upper() if shape.isupper() else write(number)


def _letters(number: int) -> str:
    """A to z, then aa, bb and so on, as Word goes on."""
    return chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)


def _roman(number: int) -> str:
    found = ""
    for value, sign in _ROMAN.items():
        found += sign * (number // value)
        number %= value
    return found
