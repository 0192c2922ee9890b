"""Numbers as a workbook shows them: 0.25 under "0%" is 25%, 39.9 under "$#,##0.00" is $39.90.

Format codes: Office Open XML (ECMA-376), part 1, 18.8.30 and 18.8.31. Codes with conditions,
fractions, exponents or dates are not supported: `format_number` returns None for them.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache

import regex

BUILT_IN = {
    1: "0",
    2: "0.00",
    3: "#,##0",
    4: "#,##0.00",
    5: "$#,##0;-$#,##0",
    6: "$#,##0;-$#,##0",
    7: "$#,##0.00;-$#,##0.00",
    8: "$#,##0.00;-$#,##0.00",
    9: "0%",
    10: "0.00%",
    37: "#,##0;(#,##0)",
    38: "#,##0;(#,##0)",
    39: "#,##0.00;(#,##0.00)",
    40: "#,##0.00;(#,##0.00)",
    41: "#,##0;(#,##0)",
    42: "$#,##0;($#,##0)",
    43: "#,##0.00;(#,##0.00)",
    44: "$#,##0.00;($#,##0.00)",
}
"""Format codes by number; the numbers left out are dates, exponents and fractions."""
LARGEST = 1e15
"""Numbers below it have all their digits in a float."""
MAX_DECIMALS = 15
_MAX_SECTIONS = 3
"""Sections for positive numbers, negative ones and zero; a fourth is for text."""

_TOKEN = regex.compile(
    r'"(?P<quoted>[^"]*)"'
    r"|\\(?P<escaped>.)"
    r"|\[\$(?P<currency>[^\]\-]*)(?:-[^\]]*)?\]"
    r"|(?P<color>\[[A-Za-z]+\d*\])"
    r"|_(?P<width>.)"
    r"|\*(?P<filler>.)"
    r"|(?P<number>[0#?][0#?,]*(?:\.[0#?]*)?,*|\.[0#?]+)"
    r"|(?P<percent>%)"
    r"|(?P<plain>[$€£¥+\-()\s:'<>=!&~{}^]|\p{Sc})"
    r"|(?P<section_end>;)"
)
_LITERALS = {"quoted", "escaped", "currency", "plain"}
_THOUSANDS = regex.compile(r"(?<=\d)(?=(?:\d{3})+$)")

Token = tuple[str, str]
"""(kind, text); the kinds are "number", "percent" and "literal"."""


def format_number(value: float, code: str) -> str | None:
    """Return a number as a format code shows it.

    None for numbers from `LARGEST` on, and if the code says more than digits, separators, percent
    and literal text.
    """
    sections = _sections(code)
    if not sections or abs(value) >= LARGEST:
        return None
    try:
        if value == 0 and len(sections) > 2:
            return _format_section(value, sections[2])
        if value < 0 and len(sections) > 1:
            return _format_section(-value, sections[1])  # the section writes its own sign
        return _format_section(value, sections[0])
    except InvalidOperation:  # more digits than a number has
        return None


@lru_cache(1024)
def _sections(code: str) -> tuple[tuple[Token, ...], ...]:
    """Return the tokens of each section, without colours and fillers.

    Empty if the code is not supported: each section has at most one number, the first exactly one.
    """
    sections: list[list[Token]] = [[]]
    offset = 0
    while offset < len(code) and len(sections) <= _MAX_SECTIONS:
        match = _TOKEN.match(code, offset)
        if match is None:
            return ()
        offset = match.end()
        if match.lastgroup == "section_end":
            sections.append([])
        else:
            sections[-1] += _tokens(match)
    shown = sections[:_MAX_SECTIONS]
    numbers = [sum(kind == "number" for kind, _ in section) for section in shown]
    if numbers[0] != 1 or max(numbers) != 1:
        return ()
    return tuple(tuple(section) for section in shown)


def _tokens(match: regex.Match[str]) -> list[Token]:
    """Return the token of a part of a format code; none if it shows nothing."""
    group = str(match.lastgroup)
    if group in {"number", "percent"}:
        return [(group, match[0])]
    if group in _LITERALS:
        return [("literal", match[group])]
    if group == "width":  # space as wide as a character
        return [("literal", " ")]
    return []


def _format_section(value: float, section: tuple[Token, ...]) -> str:
    percents = sum(kind == "percent" for kind, _ in section)
    exact = Decimal(repr(value)).scaleb(2 * percents)
    texts = [_format_digits(exact, text) if kind == "number" else text for kind, text in section]
    is_shown_as_zero = not any(digit in text for text in texts for digit in "123456789")
    sign = "-" if value < 0 and not is_shown_as_zero else ""
    return sign + " ".join("".join(texts).split())


def _format_digits(value: Decimal, pattern: str) -> str:
    """Return the digits of a number, without its sign, under a pattern like "#,##0.0#".

    Each comma at the end of the pattern divides by a thousand.
    """
    digits_pattern = pattern.rstrip(",")
    thousands = len(pattern) - len(digits_pattern)
    whole_pattern, _, decimals_pattern = digits_pattern.partition(".")
    places = min(len(decimals_pattern), MAX_DECIMALS)
    scaled = abs(value).scaleb(-3 * thousands)
    rounded = scaled.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    whole, _, decimals = f"{rounded:f}".partition(".")
    # A 0 of the pattern always shows a digit, a # only a significant one.
    whole = whole.lstrip("0").rjust(whole_pattern.count("0"), "0")
    required = decimals_pattern.rfind("0") + 1
    decimals = decimals[:required] + decimals[required:].rstrip("0")
    if "," in whole_pattern.strip(","):
        whole = _THOUSANDS.sub(",", whole)
    return f"{whole}.{decimals}" if decimals else whole
